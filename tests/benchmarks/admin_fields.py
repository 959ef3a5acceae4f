"""Date and total of receipts from vendors never seen: right by coverage, straight-through.

    python tests/benchmarks/admin_fields.py --data sroie/data
    python tests/benchmarks/admin_fields.py --data sroie/data --pages pages.jsonl

SROIE (ICDAR 2019, 626 receipts with corrected text and labels; the text is given, so this measures
the choice and not the recogniser). Five folds that share no vendor; the vendor is the first twelve
letters of the company's name. In each turn one fold tests. Of the other four, each is answered by
what the other three teach: from these answers comes the threshold, the lowest at which at most one
in 200 of those above it is wrong. Then all four teach. A receipt goes straight through when the
less sure of date and total is at least as sure as the threshold. A
receipt whose value matches no pattern counts as wrong. One whose label is no date or amount can
not be judged: it does not set the threshold; tables and straight-through count it as wrong, and
straight-through is told without it, too.
With ``--pages`` (from ``admin_receipts.py``) the same taggers and thresholds, from the text given,
are asked about what was recognised on the real pictures.
The baselines are the first date and the largest amount.
"""

from __future__ import annotations

import argparse
import json
import sys
import zlib
from dataclasses import dataclass, replace
from datetime import date
from decimal import Decimal
from pathlib import Path
from time import process_time

import numpy as np
from admin_receipts import page_of, recorded

from millhand.statistics.intervals import share
from millhand_admin.paper.fact import Box, Method
from millhand_admin.reading.page import Page, Word, lines_of
from millhand_admin.tagging.candidates import Field, candidates
from millhand_admin.tagging.tagger import fit_tagger
from millhand_admin.tagging.values import AMOUNT, DATE, amount_of, date_of

FOLDS = 5
BOUND = 0.005
"""Half of what may be wrong among those that go straight through."""


@dataclass(frozen=True, slots=True)
class Receipt:
    """One receipt: its page, its truth, its vendor's fold."""

    name: str
    page: Page
    date: date | None
    total: Decimal | None
    fold: int

    @property
    def labelled(self) -> bool:
        """Whether it can be judged."""
        return self.date is not None and self.total is not None


def receipts(folder: Path) -> list[Receipt]:
    """Read the data set."""
    found = []
    for path in sorted((folder / "key").glob("*.json")):
        key = json.loads(path.read_text(encoding="utf-8"))
        lines = (folder / "box" / f"{path.stem}.csv").read_text("utf-8", errors="replace")
        vendor = "".join(one for one in key.get("company", "").casefold() if one.isalnum())[:12]
        when = DATE.search(key.get("date", ""))
        amount = AMOUNT.search(key.get("total", "").replace("RM", ""))
        found.append(
            Receipt(
                name=path.stem,
                page=_page(lines.splitlines()),
                date=None if when is None else date_of(when),
                total=None if amount is None else amount_of(amount.group()),
                fold=zlib.crc32(vendor.encode()) % FOLDS,
            )
        )
    return found


def _page(rows: list[str]) -> Page:
    parts = [row.split(",", 8) for row in rows]
    boxes = [([int(one) for one in part[:8]], part[8].strip()) for part in parts if len(part) == 9]
    width = max(max(box[0::2]) for box, _ in boxes) + 1
    height = max(max(box[1::2]) for box, _ in boxes) + 1
    words = [
        Word(text, Box(left=min(box[0::2]) / width, right=max(box[0::2]) / width,
                       top=min(box[1::2]) / height, bottom=max(box[1::2]) / height))
        for box, text in boxes if text
    ]  # fmt: skip
    aspect = height / width
    return Page(1, aspect, lines_of(words, aspect), Method.OCR)


Answers = list[tuple[float, bool]]


def ask(taught: list[Receipt], asked: list[Receipt], seed: int) -> dict[Field, Answers]:
    """Teach on some receipts and answer others."""
    found: dict[Field, Answers] = {}
    for field in Field:
        examples = [([one.page], value) for one in taught
                    if (value := getattr(one, field.value)) is not None]  # fmt: skip
        tagger = fit_tagger(field, examples, seed)
        answers: Answers = []
        for one in asked:
            choice = tagger.choose([one.page])
            right = choice is not None and choice.candidate.value == getattr(one, field.value)
            answers.append((0.0 if choice is None else choice.sure, right))
        found[field] = answers
    return found


def together(answers: dict[Field, Answers]) -> Answers:
    """Join the fields of each receipt: as sure as the less sure, right when all are."""
    return [
        (min(sure for sure, _ in row), all(right for _, right in row))
        for row in zip(*answers.values(), strict=True)
    ]


def threshold(answers: Answers) -> float:
    """Return the lowest confidence from which on calibration shows at most ``BOUND`` errors."""
    lowest, wrong = float(np.nextafter(1.0, 2.0)), 0
    for number, (sure, right) in enumerate(sorted(answers, reverse=True), start=1):
        wrong += not right
        if wrong <= BOUND * number:
            lowest = sure
    return lowest


def main(arguments: list[str]) -> None:
    """Print the tables."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--seeds", type=int, default=1)
    parser.add_argument("--pages", type=Path, help="pages recognised on real pictures")
    given = parser.parse_args(arguments)
    data = receipts(given.data)
    read = {} if given.pages is None else recorded(given.pages)
    pooled: dict[Field, Answers] = {field: [] for field in Field}
    both: Answers = []
    through: list[tuple[Receipt, bool]] = []
    seen: list[bool] = []
    seen_through: list[bool] = []
    begun = process_time()
    for seed in range(given.seeds):
        for fold in range(FOLDS):
            others = [one for one in data if one.fold != fold]
            calibration: Answers = []
            for held in range(FOLDS):
                taught = [one for one in others if one.fold != held]
                if held != fold:
                    asked = [one for one in others if one.fold == held and one.labelled]
                    calibration += together(ask(taught, asked, seed))
            limit = threshold(calibration)
            test = [one for one in data if one.fold == fold]
            pictures = [
                replace(one, page=page_of(read[one.name]))
                for one in test
                if one.name in read and one.labelled
            ]
            everything = ask(others, test + pictures, seed)
            answers = {field: found[: len(test)] for field, found in everything.items()}
            tested = together(answers)
            looked = together(everything)[len(test) :]
            seen += [right for _, right in looked]
            seen_through += [right for sure, right in looked if sure >= limit]
            through += [
                (one, right)
                for one, (sure, right) in zip(test, tested, strict=True)
                if sure >= limit
            ]
            both += tested
            for field in Field:
                pooled[field] += answers[field]
    took = process_time() - begun
    print(f"{len(data)} receipts, {FOLDS} folds without a common vendor, {given.seeds} seed(s), "
          f"{took:.0f} CPU-s in all\n")  # fmt: skip
    print("| field | all right | right on the surest 70 % | 50 % | 40 % | 25 % |")
    print("|---|---|---|---|---|---|")
    for name, answers_ in [*((field.value, pooled[field]) for field in Field), ("both", both)]:
        ordered = [right for _, right in sorted(answers_, key=lambda one: -one[0])]
        cells = []
        for part in (1.0, 0.7, 0.5, 0.4, 0.25):
            count = round(part * len(ordered))
            got = share(sum(ordered[:count]), count)
            cells.append(f"{got.count}/{got.of} {got.count / got.of:.1%}")
        print(f"| {name} | {' | '.join(cells)} |")
    first = sum(bool(found := candidates([one.page], Field.DATE)) and found[0].value == one.date
                for one in data)  # fmt: skip
    largest = sum(
        max((c.value for c in candidates([one.page], Field.TOTAL)), default=None) == one.total
        for one in data
    )  # type: ignore[type-var]
    print(f"\nBaselines: first date {first / len(data):.1%}, largest amount "
          f"{largest / len(data):.1%}.")  # fmt: skip
    labelled = sum(one.labelled for one in data) * given.seeds
    print("\nStraight through (date and total, threshold from calibration vendors):")
    told("all receipts", [right for _, right in through], len(both))
    told("those with both labels", [right for one, right in through if one.labelled], labelled)
    if seen:
        told("recognised on real pictures, both labels", seen_through, len(seen))
        print(f"of those pictures date and total are right: {sum(seen)}/{len(seen)}")


def told(name: str, right: list[bool], of: int) -> None:
    """Print how many went straight through and how many of them are right."""
    got = share(sum(right), max(len(right), 1))
    print(f"{name}: {len(right)}/{of} = {len(right) / of:.1%}; right {got.count}/{got.of} "
          f"= {got.count / got.of:.2%} ({got.low:.1%} to {got.high:.1%})")  # fmt: skip


if __name__ == "__main__":
    main(sys.argv[1:])
