"""How many answers a promotion takes, and how often a worse model is promoted all the same.

    python tests/benchmarks/promotion.py [--runs 400] [--parts 3000]

Two models judge the same simulated parts (12 % defective). A person answers every pair on which
they differ, and the proof (``millhand.feedback.promotion``, margin 2 points, alpha 5 %) is looked
at whenever they differ again. Everything is seeded; nothing is timed.
"""

from __future__ import annotations

import argparse
from dataclasses import dataclass

import numpy as np

from millhand.feedback.pairs import Criterion
from millhand.statistics.betting import NotWorse
from millhand.statistics.betting_on_differences import NotWorseByDifferences

DEFECTIVE = 0.12
MARGIN, ALPHA = 0.02, 0.05


@dataclass(frozen=True)
class Case:
    """Two models: how often each rejects good parts and lets defective ones pass."""

    name: str
    false_rejects: tuple[float, float]
    escapes: tuple[float, float]
    alike: float = 0.0
    """Share of the live model's mistakes on good parts that the candidate makes too."""


CASES = [
    Case("equal, 1 % false rejects", (0.01, 0.01), (0.05, 0.05)),
    Case("equal, 2 % false rejects", (0.02, 0.02), (0.05, 0.05)),
    Case("equal, 5 % false rejects", (0.05, 0.05), (0.05, 0.05)),
    Case("equal, 5 %, half the mistakes shared", (0.05, 0.05), (0.05, 0.05), alike=0.5),
    Case("better: 4 % to 1 % false rejects", (0.04, 0.01), (0.05, 0.05)),
    Case("drifted live: 20 % to 2 % false rejects", (0.20, 0.02), (0.05, 0.05)),
    Case("WORSE by 2 points in false rejects", (0.02, 0.02 + 0.02 / 0.88), (0.05, 0.05)),
    Case("WORSE by 2 points in escapes", (0.02, 0.02), (0.01, 0.01 + 0.02 / 0.12)),
    Case("WORSE in escapes, better in all", (0.06, 0.0), (0.0, 0.02 / 0.12)),
]


def run(case: Case, rng: np.random.Generator, parts: int) -> tuple[int, int] | None:
    """Return after how many parts and answers the candidate was promoted; None if never."""
    good = rng.uniform(size=parts) >= DEFECTIVE
    luck = rng.uniform(size=(2, parts))
    shared = rng.uniform(size=parts) < case.alike
    luck[1] = np.where(shared & good, luck[0], luck[1])
    wrong = [
        luck[model] < np.where(good, case.false_rejects[model], case.escapes[model])
        for model in (0, 1)
    ]
    right = {True: ~wrong[0], False: ~wrong[1]}
    kept = {True: ~(wrong[0] & ~good), False: ~(wrong[1] & ~good)}
    by_differences = NotWorseByDifferences(MARGIN, ALPHA)
    tests = {Criterion.RIGHT: by_differences, Criterion.NO_ESCAPE: NotWorse(MARGIN, ALPHA)}
    differing = np.flatnonzero(wrong[0] != wrong[1])
    seen = 0
    for answers, place in enumerate((*differing, parts)):
        for test in tests.values():
            test.add_ties(int(place) - seen)
        if all(test.shown for test in tests.values()):
            return int(place), answers
        if place == parts:
            break
        seen = int(place) + 1
        for one, test in tests.items():
            fares = right if one is Criterion.RIGHT else kept
            test.add(a_right=bool(fares[True][place]), b_right=bool(fares[False][place]))
    return None


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--runs", type=int, default=400)
    parser.add_argument("--parts", type=int, default=3000)
    said = parser.parse_args()
    print(f"margin {MARGIN:.0%}, alpha {ALPHA:.0%}, {said.runs} runs of up to {said.parts} parts")
    print("| models | promoted | parts, median | answers: median | p90 | at most 50 |")
    print("|---|---:|---:|---:|---:|---:|")
    for case in CASES:
        rng = np.random.default_rng(20261125)
        found = [run(case, rng, said.parts) for _ in range(said.runs)]
        won = [one for one in found if one is not None]
        row = [case.name, f"{len(won) / len(found):.1%}"]
        if won:
            parts, answers = (np.array([one[n] for one in won]) for n in (0, 1))
            row += [f"{np.median(parts):.0f}", f"{np.median(answers):.0f}"]
            few = f"{(answers <= 50).sum() / len(found):.0%}"
            row += [f"{np.percentile(answers, 90):.0f}", few]
        else:
            row += ["–"] * 4
        print("| " + " | ".join(row) + " |", flush=True)


if __name__ == "__main__":
    main()
