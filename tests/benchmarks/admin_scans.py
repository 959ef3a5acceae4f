"""Rendered flat scans to papers: key fields and lines right, straight through, CPU and memory.

    python tests/benchmarks/admin_scans.py --language en --pages 100
    python tests/benchmarks/admin_scans.py --language zh --pages 30 --layouts tuned
    python tests/benchmarks/admin_scans.py --language vi --pages 100 --record vi.jsonl   # goes on

Bills of invented companies are drawn by the two layouts (words, places, fonts) that are held out:
the reader was not looked at on them while it was made. Each is turned by up to 1.5 degrees, blurred
and made noisy by its seed, and read as a picture. Key fields: number, date, due date, order, tax
numbers of seller and buyer, currency, net, tax, gross. A bill goes straight through when every
value that counts is sure to 99 % and all checks hold; it is right when all key fields and lines
are. Intervals are Clopper-Pearson, 95 %, as if fields were independent. One thread.
"""

from __future__ import annotations

import argparse
import json
import resource
import sys
from collections import Counter
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from datetime import date
from pathlib import Path
from random import Random
from typing import Any

from millhand.statistics.intervals import share
from millhand_admin.checking.check import CheckPolicy, check
from millhand_admin.checking.finding import Severity, worst
from millhand_admin.documents.pages import papers_of
from millhand_admin.made.companies import US, made_invoice
from millhand_admin.made.layouts import HELD_OUT, TUNED, Layout
from millhand_admin.made.paper import MadePaper
from millhand_admin.made.sheet import as_jpeg, draw, scanned
from millhand_admin.paper.fact import Fact
from millhand_admin.paper.paper import Paper
from millhand_admin.reading.crops import Crops
from millhand_admin.reading.limits import Limits
from millhand_admin.reading.ocr.charset import Language
from millhand_admin.reading.ocr.reader import Reader
from millhand_admin.reading.read import read
from millhand_admin.tagging.assurance import CHECK_DIGIT, HOLDS
from millhand_admin.tagging.second_look import AGREED

TODAY = date(2026, 11, 25)
SURE = 0.99
BELIEVED = {
    "arithmetic holds": HOLDS,
    "check digit, or two recognisers agree": min(CHECK_DIGIT, AGREED),
}


def cpu() -> float:
    """CPU seconds of this process and of the recognisers that it ran."""
    return sum(
        used.ru_utime + used.ru_stime
        for used in map(resource.getrusage, (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN))
    )


def fields(made: MadePaper, paper: Paper | None) -> Iterator[tuple[str, bool]]:
    """Yield each key field and whether it is right."""

    def value(fact: object) -> object:
        return getattr(fact, "value", None)

    wanted = {
        "number": made.number, "issued": made.issued, "due": made.due, "order": made.order,
        "seller tax number": made.seller.tax_number, "buyer tax number": made.buyer.tax_number,
        "currency": made.currency, "net": made.net, "tax": made.tax, "gross": made.gross,
    }  # fmt: skip
    if paper is None:
        yield from ((name, False) for name in wanted)
        return
    found = {name: value(fact) for name, fact in facts_of(paper).items()}
    yield from ((name, found[name] == value) for name, value in wanted.items())


def lines_right(made: MadePaper, paper: Paper | None) -> int:
    """How many lines have quantity, price and amount right, each line once."""
    if paper is None:
        return 0
    found = Counter(
        tuple(None if fact is None else fact.value for fact in (one.quantity, one.price, one.net))
        for one in paper.lines
    )
    wanted = Counter(
        (one.quantity, one.price, one.net(made.currency)) for one in made.lines
    )  # fmt: skip
    return sum((found & wanted).values())


def straight(paper: Paper | None) -> bool:
    """Whether nobody would be asked, matching apart."""
    if paper is None or not paper.lines or paper.least_confidence < SURE:
        return False
    return worst(check(paper, CheckPolicy(), TODAY)) is Severity.NOTE


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--language", choices=("en", "vi", "zh"), default="en")
    parser.add_argument("--pages", type=int, default=100)
    parser.add_argument("--seed", type=int, default=70_000)
    parser.add_argument("--layouts", choices=("held-out", "tuned"), default="held-out")
    parser.add_argument("--show", action="store_true", help="name what is wrong")
    parser.add_argument("--record", type=Path, help="file that pages are kept in, to go on from")
    asked = parser.parse_args()
    layouts = HELD_OUT if asked.layouts == "held-out" else TUNED
    pages = recorded(asked.record)
    reader = Reader(tuple(Language))
    for seed in range(asked.seed, asked.seed + asked.pages):
        if seed in pages:
            continue
        page = read_page(
            asked.language, seed, layouts[Random(seed).randrange(len(layouts))], reader
        )
        pages[seed] = page
        if asked.record is not None:
            with asked.record.open("a", encoding="utf-8") as file:
                file.write(json.dumps(asdict(page)) + "\n")
        if asked.show and not page.whole:
            went = " STRAIGHT THROUGH" if page.straight else ""
            lines = f"{page.lines_right}/{page.lines} lines"
            print(seed, page.layout, page.wrong, lines + went, flush=True)
    report(f"{asked.language}, {asked.layouts} layouts", list(pages.values()))
    return 0


@dataclass(frozen=True, slots=True)
class Read:
    """What came of one page."""

    seed: int
    layout: str
    wrong: list[str]
    lines: int
    lines_right: int
    straight: bool
    cpu_s: float
    memory_mb: float
    believed: dict[str, list[int]]
    """Why a value is believed to values right and wrong, of key fields and lines."""

    @property
    def whole(self) -> bool:
        """Whether all key fields and lines are right."""
        return not self.wrong and self.lines_right == self.lines


def recorded(file: Path | None) -> dict[int, Read]:
    """Return the pages of an earlier run by seed."""
    if file is None or not file.exists():
        return {}
    rows = file.read_text(encoding="utf-8").splitlines()
    return {page.seed: page for page in (Read(**json.loads(row)) for row in rows)}


def read_page(language: str, seed: int, layout: Layout, reader: Reader) -> Read:
    """Draw a bill, read it and compare."""
    made = made_invoice(language, seed)
    lines = {line.item: line for line in made.lines}
    made = made.but(lines=tuple(lines.values()))
    content = as_jpeg(scanned(draw(made, layout), seed), 85)
    begin = cpu()
    reading = read(content, reader=reader)
    crops = Crops(content, reading.content, reading.pages, Limits())
    papers = papers_of(reading.pages, crops, reader, (US[language].tax_number,))
    took = cpu() - begin
    paper = papers[0] if len(papers) == 1 else None
    return Read(
        seed, layout.name, [name for name, ok in fields(made, paper) if not ok], len(made.lines),
        lines_right(made, paper), straight(paper), took, memory_mb(), believed(made, paper),
    )  # fmt: skip


def believed(made: MadePaper, paper: Paper | None) -> dict[str, list[int]]:
    """Count right and wrong values by why they are believed; a line's three are one."""
    found = {name: [0, 0] for name in (*BELIEVED, "less")}
    if paper is None:
        return found
    facts = facts_of(paper)
    for name, right in fields(made, paper):
        fact = facts[name]
        if fact is not None:
            found[_why(fact.confidence)][not right] += 1
    wanted = Counter((one.quantity, one.price, one.net(made.currency)) for one in made.lines)
    for line in paper.lines:
        three = [line.quantity, line.price, line.net]
        if all(fact is not None for fact in three):
            sure = min(fact.confidence for fact in three if fact is not None)
            values = tuple(None if fact is None else fact.value for fact in three)
            found[_why(sure)][wanted[values] == 0] += 1
            wanted[values] -= 1
    return found


def _why(sure: float) -> str:
    return next((name for name, least in BELIEVED.items() if sure >= least), "less")


def facts_of(paper: Paper) -> dict[str, Fact[Any] | None]:
    """Return the key fields of a paper."""
    return {
        "number": paper.number, "issued": paper.issued, "due": paper.due,
        "order": paper.orders[0] if paper.orders else None,
        "seller tax number": paper.seller.tax_number, "buyer tax number": paper.buyer.tax_number,
        "currency": paper.currency, "net": paper.totals.net, "tax": paper.totals.tax,
        "gross": paper.totals.payable or paper.totals.gross,
    }  # fmt: skip


def memory_mb() -> float:
    """Most memory so far, of this process or of a recogniser's."""
    return max(
        resource.getrusage(who).ru_maxrss / 1024
        for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)
    )


def report(title: str, pages: list[Read]) -> None:
    """Print the table."""
    names = list(dict(fields(made_invoice("en", 1), None)))
    right = {name: sum(name not in page.wrong for page in pages) for name in names}
    print(f"{title}, {len(pages)} pages\n\n| what | right |\n|---|---|")
    for name in names:
        print(f"| {name} | {told(right[name], len(pages))} |")
    print(f"| **key fields** | {told(sum(right.values()), len(pages) * len(names))} |")
    lines = (sum(page.lines_right for page in pages), sum(page.lines for page in pages))
    print(f"| lines (quantity, price, amount) | {told(*lines)} |")
    print(f"| whole papers | {told(sum(page.whole for page in pages), len(pages))} |")
    through = [page for page in pages if page.straight]
    print(f"| straight through | {told(len(through), len(pages))} |")
    if through:
        print(f"| right of these | {told(sum(page.whole for page in through), len(through))} |")
    print("\n| believed because | wrong | error at most (95 %) |\n|---|---|---|")
    for name in (*BELIEVED, "less"):
        good, bad = (sum(page.believed[name][one] for page in pages) for one in (0, 1))
        print(f"| {name} | {bad}/{good + bad} | {share(bad, max(good + bad, 1)).high:.2%} |")
    ordered = sorted(page.cpu_s for page in pages)
    p95 = ordered[max(0, round(0.95 * len(ordered)) - 1)]
    half = ordered[len(ordered) // 2]
    print(f"\nCPU-s a page: p50 {half:.2f}, p95 {p95:.2f}, worst {ordered[-1]:.2f}.")
    print(f"Memory: {max(page.memory_mb for page in pages):.0f} MB.")


def told(count: int, of: int) -> str:
    """Return a share with its interval."""
    found = share(count, of)
    bounds = f"{100 * found.low:.1f}% to {100 * found.high:.1f}%"
    return f"{count}/{of} {100 * count / max(of, 1):.1f}% ({bounds})"


if __name__ == "__main__":
    sys.exit(main())
