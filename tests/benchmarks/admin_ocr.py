"""Recognisers on rendered pages: character error, lines exact, CPU time, by engine and by router.

    python tests/benchmarks/admin_ocr.py --data shared/data/admin/rendered

The folder holds pictures of delivery notes of companies that do not exist, and ``meta.json`` with
the lines that are on each (``en0_scan.jpg``, ``vi1_photo.jpg`` …). A line of the truth is compared
with the recognised cell or line nearest to it; the character error is the edit distance of all
lines over their length. A page is few; the intervals of lines are Clopper-Pearson, 95 %, as if
lines were independent.
"""

from __future__ import annotations

import argparse
import json
import logging
import resource
import sys
from pathlib import Path

from millhand.statistics.intervals import share
from millhand_admin.reading.limits import Limits
from millhand_admin.reading.ocr.charset import Language, missing
from millhand_admin.reading.ocr.engines import Engine, PpOcr, Tesseract
from millhand_admin.reading.ocr.router import Router
from millhand_admin.reading.page import Page, lines_of
from millhand_admin.reading.picture import grey_picture


def distance(one: str, other: str) -> int:
    """Return the edit distance of Levenshtein."""
    before = list(range(len(other) + 1))
    for at, letter in enumerate(one, start=1):
        now = [at]
        for place, against in enumerate(other, start=1):
            change = before[place - 1] + (letter != against)
            now.append(min(change, before[place] + 1, now[-1] + 1))
        before = now
    return before[-1]


def compare(page: Page, truth: list[str]) -> tuple[int, int, int]:
    """Return wrong characters, all characters, and exact lines."""
    found = [line.text for line in page.lines]
    found += [cell.text for line in page.lines for cell in line.cells]
    found += [word for line in page.lines for word in line.text.split()]
    wrong = exact = 0
    for line in truth:
        nearest = 0 if line in found else min((distance(line, one) for one in found), default=999)
        wrong += min(nearest, len(line))
        exact += nearest == 0
    return wrong, sum(map(len, truth)), exact


def cpu_s() -> float:
    """CPU time of this process and its children."""
    total = 0.0
    for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN):
        used = resource.getrusage(who)
        total += used.ru_utime + used.ru_stime
    return total


def main(arguments: list[str]) -> None:
    """Print the tables."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, required=True)
    given = parser.parse_args(arguments)
    logging.disable(logging.WARNING)
    pages = [
        one for one in json.loads((given.data / "meta.json").read_text(encoding="utf-8"))
        if (given.data / one["file"]).exists()
    ]  # fmt: skip
    engines: tuple[Engine, ...] = (Tesseract(), PpOcr())
    for language in Language:
        lacks = {one.name: len(missing(one.characters(language), language)) for one in engines}
        print(f"{language.value}: letters missing in the dictionary: {lacks}")
    print(
        "\n| language | picture | reader | pages | character error | lines exact | CPU-s a page |"
    )
    print("|---|---|---|---|---|---|---|")
    kinds = sorted({(one["lang"], one["var"]) for one in pages})
    for code, kind in kinds:
        chosen = [one for one in pages if (one["lang"], one["var"]) == (code, kind)]
        language = Language(code)
        for name in ("tesseract", "pp-ocr", "router"):
            wrong = letters = exact = lines = 0
            begun = cpu_s()
            router = Router(language)
            for one in chosen:
                grey = grey_picture((given.data / one["file"]).read_bytes(), Limits())
                if name == "router":
                    page = router.read(grey, 1)
                else:
                    engine = engines[0] if name == "tesseract" else engines[1]
                    aspect = grey.shape[0] / grey.shape[1]
                    words = engine.words(grey, language)
                    page = Page(1, aspect, lines_of(words, aspect), method="ocr")  # type: ignore[arg-type]
                found = compare(page, one["lines"])
                wrong, letters, exact = wrong + found[0], letters + found[1], exact + found[2]
                lines += len(one["lines"])
            took = (cpu_s() - begun) / len(chosen)
            got = share(exact, lines)
            print(f"| {code} | {kind} | {name} | {len(chosen)} | {wrong / letters:.1%} | "
                  f"{exact}/{lines} ({got.low:.0%} to {got.high:.0%}) | {took:.1f} |")  # fmt: skip


if __name__ == "__main__":
    main(sys.argv[1:])
