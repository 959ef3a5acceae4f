"""Rendered flat scans to papers: key fields and lines right, straight through, CPU and memory.

    python tests/benchmarks/admin_scans.py --language en --pages 100
    python tests/benchmarks/admin_scans.py --language zh --pages 30 --layouts tuned

Bills of invented companies are drawn by the two layouts (words, places, fonts) that are held out:
the reader was not looked at on them while it was made. Each is turned by up to 1.5 degrees, blurred
and made noisy by its seed, and read as a picture. Key fields: number, date, due date, order, tax
numbers of seller and buyer, currency, net, tax, gross. A bill goes straight through when every
value that counts is sure to 99 % and all checks hold; it is right when all key fields and lines
are. Intervals are Clopper-Pearson, 95 %, as if fields were independent. One thread.
"""

from __future__ import annotations

import argparse
import resource
import sys
from collections import Counter
from collections.abc import Iterator
from datetime import date
from random import Random

from millhand.statistics.intervals import share
from millhand_admin.checking.check import CheckPolicy, check
from millhand_admin.checking.finding import Severity, worst
from millhand_admin.documents.pages import papers_of
from millhand_admin.made.companies import US, made_invoice
from millhand_admin.made.layouts import HELD_OUT, TUNED
from millhand_admin.made.paper import MadePaper
from millhand_admin.made.sheet import as_jpeg, draw, scanned
from millhand_admin.paper.paper import Paper
from millhand_admin.reading.crops import Crops
from millhand_admin.reading.limits import Limits
from millhand_admin.reading.ocr.charset import Language
from millhand_admin.reading.ocr.reader import Reader
from millhand_admin.reading.read import read

TODAY = date(2026, 11, 25)
SURE = 0.99


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
    found = {
        "number": value(paper.number), "issued": value(paper.issued), "due": value(paper.due),
        "order": value(paper.orders[0]) if paper.orders else None,
        "seller tax number": value(paper.seller.tax_number),
        "buyer tax number": value(paper.buyer.tax_number), "currency": value(paper.currency),
        "net": value(paper.totals.net), "tax": value(paper.totals.tax),
        "gross": value(paper.totals.payable or paper.totals.gross),
    }  # fmt: skip
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
    asked = parser.parse_args()
    layouts = HELD_OUT if asked.layouts == "held-out" else TUNED
    reader = Reader(tuple(Language))
    right: Counter[str] = Counter()
    times, counts = [], Counter[str]()
    for seed in range(asked.seed, asked.seed + asked.pages):
        made = made_invoice(asked.language, seed)
        lines = {line.item: line for line in made.lines}
        made = made.but(lines=tuple(lines.values()))
        layout = layouts[Random(seed).randrange(len(layouts))]
        content = as_jpeg(scanned(draw(made, layout), seed), 85)
        begin = cpu()
        reading = read(content, reader=reader)
        crops = Crops(content, reading.content, reading.pages, Limits())
        papers = papers_of(reading.pages, crops, reader, (US[asked.language].tax_number,))
        times.append(cpu() - begin)
        paper = papers[0] if len(papers) == 1 else None
        wrong = [name for name, ok in fields(made, paper) if not ok]
        right.update(name for name, ok in fields(made, paper) if ok)
        good_lines = lines_right(made, paper)
        counts["lines"] += len(made.lines)
        counts["lines right"] += good_lines
        whole = not wrong and good_lines == len(made.lines)
        counts["papers right"] += whole
        if straight(paper):
            counts["straight"] += 1
            counts["straight right"] += whole
        if asked.show and (wrong or good_lines < len(made.lines)):
            went = " STRAIGHT THROUGH" if straight(paper) else ""
            print(seed, layout.name, wrong, f"{good_lines}/{len(made.lines)} lines{went}")
    report(asked.language, asked.layouts, asked.pages, right, counts, times)
    return 0


def report(
    language: str, layouts: str, pages: int, right: Counter[str], counts: Counter[str],
    times: list[float],
) -> None:  # fmt: skip
    names = list(dict(fields(made_invoice(language, 1), None)))
    print(f"{language}, {layouts} layouts, {pages} pages\n\n| what | right |\n|---|---|")
    for name in names:
        print(f"| {name} | {told(right[name], pages)} |")
    print(f"| **key fields** | {told(sum(right.values()), pages * len(names))} |")
    print(f"| lines (quantity, price, amount) | {told(counts['lines right'], counts['lines'])} |")
    print(f"| whole papers | {told(counts['papers right'], pages)} |")
    print(f"| straight through | {told(counts['straight'], pages)} |")
    if counts["straight"]:
        print(f"| right of these | {told(counts['straight right'], counts['straight'])} |")
    ordered = sorted(times)
    p95 = ordered[max(0, round(0.95 * len(ordered)) - 1)]
    most = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    child = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss / 1024
    half = ordered[len(ordered) // 2]
    print(f"\nCPU-s a page: p50 {half:.2f}, p95 {p95:.2f}, worst {ordered[-1]:.2f}.")
    print(f"Memory: {most:.0f} MB, a recogniser's process {child:.0f} MB.")


def told(count: int, of: int) -> str:
    """Return a share with its interval."""
    found = share(count, of)
    bounds = f"{100 * found.low:.1f}% to {100 * found.high:.1f}%"
    return f"{count}/{of} {100 * count / max(of, 1):.1f}% ({bounds})"


if __name__ == "__main__":
    sys.exit(main())
