"""E-invoices read, checked and matched: fields right, time, seeded exceptions found.

    python tests/benchmarks/admin_papers.py
    python tests/benchmarks/admin_papers.py --papers 50

Papers are made up from seeds (``millhand_admin.made``) and written as UBL, CII and in the
Vietnamese form by writers that share nothing with the readers but the standards. Exceptions are
seeded into papers that are otherwise right; a find counts only where the finding names that very
rule. Right papers go through the same way, so that false alarms are counted too. Intervals are
Clopper-Pearson, 95 %.
"""

from __future__ import annotations

import argparse
import platform
import sys
from collections import Counter
from collections.abc import Callable
from datetime import UTC, date, datetime
from decimal import Decimal
from time import perf_counter, process_time

from millhand.statistics.intervals import share
from millhand_admin.checking.check import CheckPolicy, check
from millhand_admin.checking.duplicates import Seen, check_duplicate
from millhand_admin.made.companies import US, made_invoice
from millhand_admin.made.paper import MadeLine, MadePaper
from millhand_admin.made.xml_forms import as_cii, as_ubl, as_vietnamese
from millhand_admin.matching.match import match
from millhand_admin.matching.open_items import OpenItems
from millhand_admin.matching.policy import MatchPolicy
from millhand_admin.paper.paper import Kind, Paper
from millhand_admin.reading.read import read

FORMS: tuple[tuple[str, str, Callable[[MadePaper], bytes]], ...] = (
    ("UBL, English", "en", as_ubl),
    ("UBL, Chinese", "zh", as_ubl),
    ("CII (Factur-X)", "en", as_cii),
    ("Vietnam TT78", "vi", as_vietnamese),
)
TODAY = date(2026, 11, 25)


def value(fact: object) -> object:
    """Return a fact's value."""
    return None if fact is None else fact.value  # type: ignore[attr-defined]


def fields(paper: Paper, made: MadePaper) -> list[bool]:
    """Compare each field with the truth."""
    pairs: list[tuple[object, object]] = [
        (paper.kind, made.kind),
        (value(paper.number), made.number),
        (value(paper.issued), made.issued),
        (value(paper.currency), made.currency),
        (value(paper.seller.name), made.seller.name),
        (value(paper.seller.tax_number), made.seller.tax_number),
        (value(paper.seller.address), made.seller.address),
        (value(paper.seller.account), made.seller.account),
        (value(paper.buyer.name), made.buyer.name),
        (value(paper.buyer.tax_number), made.buyer.tax_number),
        ([order.value for order in paper.orders], [made.order]),
        (value(paper.totals.net), made.net),
        (value(paper.totals.tax), made.tax),
        (value(paper.totals.gross), made.gross),
        (len(paper.lines), len(made.lines)),
    ]
    for line, true in zip(paper.lines, made.lines, strict=False):
        pairs += [
            (value(line.item), true.item),
            (value(line.description), true.description),
            (value(line.quantity), true.quantity),
            (value(line.unit), true.unit),
            (value(line.price), true.price),
            (value(line.net), true.net(made.currency)),
            (value(line.tax_rate), true.tax_rate),
        ]
    return [met == wanted for met, wanted in pairs]


def reading_table(count: int) -> None:
    """Fields right and time, by form."""
    print("| form | papers | fields right | wall ms p50 / p95 / worst | CPU ms a paper | KB |")
    print("|---|---|---|---|---|---|")
    for name, language, write in FORMS:
        right: list[bool] = []
        times: list[float] = []
        sizes = 0
        cpu = 0.0
        for seed in range(count):
            made = made_invoice(language, seed)
            data = write(made)
            sizes += len(data)
            begun, cpu_begun = perf_counter(), process_time()
            papers = read(data).papers
            times.append((perf_counter() - begun) * 1e3)
            cpu += process_time() - cpu_begun
            right += fields(papers[0], made)
        times.sort()
        got = share(sum(right), len(right))
        print(
            f"| {name} | {count} | {got.count}/{got.of} ({got.low:.2%} to {got.high:.2%}) | "
            f"{times[len(times) // 2]:.1f} / {times[int(len(times) * 0.95)]:.1f} / {times[-1]:.1f} "
            f"| {cpu / count * 1e3:.2f} | {sizes / count / 1024:.1f} |"
        )


# --- exceptions ---

Seeded = tuple[MadePaper, MadePaper, MadePaper]
"""Order, receipt of goods, invoice."""


def _line(paper: MadePaper, **changes: object) -> MadePaper:
    from dataclasses import replace

    first = replace(paper.lines[0], **changes)  # type: ignore[arg-type]
    return paper.but(lines=(first, *paper.lines[1:]))


def price_over(one: Seeded) -> Seeded:
    """The first line is 3 % dearer."""
    price = one[2].lines[0].price
    dearer = price + max(price * Decimal("0.03"), Decimal("0.001"))
    return one[0], one[1], _line(one[2], price=dearer)


def over_ordered(one: Seeded) -> Seeded:
    """A unit more is received and billed than was ordered."""
    more = one[2].lines[0].quantity + 1
    return one[0], _line(one[1], quantity=more), _line(one[2], quantity=more)


def not_received(one: Seeded) -> Seeded:
    """A tenth did not come in."""
    return one[0], _line(one[1], quantity=one[1].lines[0].quantity * Decimal("0.9")), one[2]


def other_rate(one: Seeded) -> Seeded:
    """Another tax rate than agreed."""
    return one[0], one[1], _line(one[2], tax_rate=one[2].lines[0].tax_rate + 3)


def unordered_line(one: Seeded) -> Seeded:
    """A line that nobody ordered."""
    extra = MadeLine("EXTRA-1", "Handling fee", Decimal(1), "C62", Decimal(9), Decimal(19))
    return one[0], one[1], one[2].but(lines=(*one[2].lines, extra))


def wrong_tax(one: Seeded) -> Seeded:
    """The printed tax is not the sum of the taxes."""
    return one[0], one[1], one[2].but(wrong_tax=Decimal(5))


def due_before_date(one: Seeded) -> Seeded:
    """It is due before its date."""
    return one[0], one[1], one[2].but(due=date(2025, 12, 1))


def bad_tax_number(one: Seeded) -> Seeded:
    """Two neighbouring digits of the vendor's number are swapped."""
    from dataclasses import replace

    number = one[2].seller.tax_number
    at = next(i for i in range(len(number) - 3, 2, -1)
              if number[i].isdecimal() and number[i + 1].isdecimal()
              and number[i] != number[i + 1])  # fmt: skip
    swapped = number[:at] + number[at + 1] + number[at] + number[at + 2 :]
    orders = one[0].but(seller=replace(one[0].seller, tax_number=swapped))
    return orders, one[1], one[2].but(seller=replace(one[2].seller, tax_number=swapped))


def to_somebody_else(one: Seeded) -> Seeded:
    """The invoice is made out to another company."""
    return one[0], one[1], one[2].but(buyer=US["vi" if one[2].language != "vi" else "en"])


def again(one: Seeded) -> Seeded:
    """The same invoice comes twice."""
    return one


SEEDS: tuple[tuple[str, Callable[[Seeded], Seeded], str], ...] = (
    ("price above agreed", price_over, "price"),
    ("more than ordered", over_ordered, "over_ordered"),
    ("not received", not_received, "not_received"),
    ("another tax rate", other_rate, "tax"),
    ("line not ordered", unordered_line, "no_order"),
    ("tax does not add up", wrong_tax, "sum.taxes"),
    ("due before its date", due_before_date, "date.due"),
    ("tax number mistyped", bad_tax_number, "tax_number"),
    ("made out to others", to_somebody_else, "buyer"),
    ("duplicate", again, "duplicate.number"),
)


def rules_found(one: Seeded, write: Callable[[MadePaper], bytes], *, twice: bool) -> set[str]:
    """Run a deal through reading, checks and match, and return the rules that spoke."""
    order, receipt, invoice = one
    items = OpenItems()
    items = items.with_order(read(as_ubl(order)).papers[0])
    items = items.with_receipt(read(as_ubl(receipt)).papers[0])
    paper = read(write(invoice)).papers[0]
    policy = CheckPolicy(our_tax_numbers=(US[invoice.language].tax_number,))
    found = {finding.rule for finding in check(paper, policy, TODAY)}
    result = match(paper, items, MatchPolicy())
    found |= {one.kind.value for one in result.variances if not one.tolerated}
    if twice:
        seen = Seen.of(paper, "first")
        duplicate = check_duplicate(Seen.of(paper, "second"), (seen,))
        found |= {duplicate.rule} if duplicate else set()
    return found


def deal(language: str, seed: int) -> Seeded:
    """Make up an order with distinct items, its receipt and its invoice."""
    invoice = made_invoice(language, seed)
    distinct = {line.item: line for line in invoice.lines}
    invoice = invoice.but(lines=tuple(distinct.values()))
    order = invoice.but(kind=Kind.ORDER, number=invoice.order, order="", due=None)
    receipt = invoice.but(kind=Kind.GOODS_RECEIPT, number=f"GR-{seed}", due=None)
    return order, receipt, invoice


def exceptions_table(count: int) -> None:
    """Seeded exceptions found, and false alarms on right papers."""
    writers = {"en": as_cii, "vi": as_vietnamese, "zh": as_ubl}
    languages = list(writers)
    found: Counter[str] = Counter()
    tried: Counter[str] = Counter()
    clean = 0
    for seed in range(count):
        language = languages[seed % 3]
        right = deal(language, seed)
        clean += not rules_found(right, writers[language], twice=False)
        for name, change, rule in SEEDS:
            if rule == "date.due" and language == "vi":
                continue  # the Vietnamese form has no due date
            tried[name] += 1
            rules = rules_found(change(right), writers[language], twice=rule.startswith("dup"))
            found[name] += rule in rules
    print("| seeded exception | found | 95 % interval |")
    print("|---|---|---|")
    for name, _, _ in SEEDS:
        got = share(found[name], tried[name])
        print(f"| {name} | {got.count}/{got.of} | {got.low:.1%} to {got.high:.1%} |")
    got = share(sum(found.values()), sum(tried.values()))
    print(f"| **all** | **{got.count}/{got.of}** | **{got.low:.2%} to {got.high:.2%}** |")
    false = share(count - clean, count)
    print(f"\nRight papers with any finding: {false.count}/{false.of} "
          f"(at most {false.high:.2%}).")  # fmt: skip


def main(arguments: list[str]) -> None:
    """Print both tables."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--papers", type=int, default=300, help="papers for each form")
    count = parser.parse_args(arguments).papers
    day = datetime.now(UTC).date().isoformat()
    print(f"{day}, {platform.machine()}, Python {platform.python_version()}, one thread\n")
    reading_table(count)
    print()
    exceptions_table(count)


if __name__ == "__main__":
    main(sys.argv[1:])
