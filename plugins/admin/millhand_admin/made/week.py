"""One week's papers of a small factory: deals of an order, a receipt of goods and a bill.

Some deals are seeded with an exception; what should become of each bill is known.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import date, timedelta
from decimal import Decimal
from random import Random

from millhand_admin.made.companies import US, made_invoice
from millhand_admin.made.layouts import TUNED
from millhand_admin.made.paper import MadePaper
from millhand_admin.made.sheet import as_jpeg, as_scanned_pdf, draw, scanned
from millhand_admin.made.xml_forms import as_cii, as_ubl, as_vietnamese
from millhand_admin.paper.paper import Kind

DRAFT, ASK, REFUSE = "draft", "ask", "refuse"
EXCEPTIONS = {
    "price": ASK,
    "short": ASK,
    "unordered": ASK,
    "tax": ASK,
    "others": REFUSE,
    "again": REFUSE,
}
"""Exception to what should become of the bill."""
MONDAY = date(2026, 11, 16)


@dataclass(frozen=True, slots=True)
class MadeFile:
    """A file that comes in, and what should become of it."""

    name: str
    content: bytes
    becomes: str
    """``filed``, ``draft``, ``ask`` or ``refuse``."""
    exception: str = ""


def made_week(
    seed: int = 1, deals: int = 12, exceptions: float = 0.5, scans: float = 0.0
) -> list[MadeFile]:
    """Make up a week; the same seed makes the same bytes.

    Args:
        seed: of everything.
        deals: how many orders, in English, Vietnamese and Chinese by turns.
        exceptions: share of deals that something is wrong with.
        scans: share of deals whose bill comes on paper, as a scan.
    """
    random = Random(seed)  # noqa: S311  no secret
    files: list[MadeFile] = []
    for number in range(deals):
        language = ("en", "vi", "zh")[number % 3]
        exception = ""
        if random.random() < exceptions:
            exception = random.choice(sorted(EXCEPTIONS))
        scan = scans > 0 and random.random() < scans
        files.extend(_deal(language, seed * 1000 + number, number, exception, scan=scan))
    return files


def made_bills(seed: int, deals: int) -> list[MadePaper]:
    """Return what is true of the bills of a week without exceptions."""
    return [
        _made_bill(("en", "vi", "zh")[number % 3], seed * 1000 + number, number)
        for number in range(deals)
    ]


def _made_bill(language: str, seed: int, number: int) -> MadePaper:
    day = MONDAY + timedelta(days=number % 5)
    bill = made_invoice(language, seed).but(issued=day, due=None)
    return bill.but(lines=tuple({line.item: line for line in bill.lines}.values()))


def _deal(
    language: str, seed: int, number: int, exception: str, *, scan: bool
) -> Iterator[MadeFile]:
    bill = _made_bill(language, seed, number)
    issued = bill.issued - timedelta(days=20)
    order = bill.but(kind=Kind.ORDER, number=bill.order, order="", issued=issued)
    receipt = bill.but(kind=Kind.GOODS_RECEIPT, number=f"GR-{number + 1:03}")
    bill, receipt = _with(exception, bill, receipt)
    stem = f"{number + 1:02}"
    yield MadeFile(f"{stem}a-order.xml", as_ubl(order), "filed")
    yield MadeFile(f"{stem}b-receipt.xml", as_ubl(receipt), "filed")
    name, content = _on_paper(bill, seed) if scan else ("bill.xml", _bill(bill))
    first = MadeFile(f"{stem}c-{name}", content, EXCEPTIONS.get(exception, DRAFT), exception)
    if exception == "again":
        yield replace(first, becomes=DRAFT, exception="")
        yield MadeFile(f"{stem}d-bill.xml", as_ubl(bill), REFUSE, exception)
    else:
        yield first


def _bill(paper: MadePaper) -> bytes:
    return {"en": as_cii, "vi": as_vietnamese, "zh": as_ubl}[paper.language](paper)


def _on_paper(paper: MadePaper, seed: int) -> tuple[str, bytes]:
    """A scan of it, by turns as a picture and as a PDF."""
    image = scanned(draw(paper, TUNED[seed % len(TUNED)]), seed)
    return ("bill.jpg", as_jpeg(image)) if seed % 2 else ("bill.pdf", as_scanned_pdf(image))


def _with(exception: str, bill: MadePaper, receipt: MadePaper) -> tuple[MadePaper, MadePaper]:
    """Seed an exception."""
    first = bill.lines[0]
    match exception:
        case "price":
            dearer = replace(first, price=first.price + max(first.price / 20, Decimal("0.01")))
            return bill.but(lines=(dearer, *bill.lines[1:])), receipt
        case "short":
            less = replace(first, quantity=first.quantity / 2)
            return bill, receipt.but(lines=(less, *receipt.lines[1:]))
        case "unordered":
            extra = replace(first, item="FEE-1", description="Handling", quantity=Decimal(1))
            return bill.but(lines=(*bill.lines, extra)), receipt
        case "tax":
            return bill.but(wrong_tax=Decimal(5)), receipt
        case "others":
            return bill.but(buyer=US["vi" if bill.language != "vi" else "en"]), receipt
    return bill, receipt
