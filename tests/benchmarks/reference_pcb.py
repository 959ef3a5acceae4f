"""The reference head on circuit boards: rules chosen on one group, reported on another.

::

    python tests/benchmarks/reference_pcb.py [../shared/data/inspection/deep_pcb]

DeepPCB has for every picture under test its aligned template. All combinations of a few rules are
tried on group 00041; the one with the highest recall at no more than half a false box a picture is
taken, and judged once on group 77000, another board. A box is found when one of ours, matched one
to one, overlaps it by an intersection over union of at least 0.33; every box of ours that is
matched to none is false. Plain subtraction of the template, what everybody tries first, stands
beside. The data's licence allows research: nothing of it is shipped.
"""

from __future__ import annotations

import argparse
import itertools
import sys
import time
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from classify_pcb import KINDS, pictures
from inspection_data import DEEP_PCB

from millhand_quality.inspect.detector import COUNTS
from millhand_quality.inspect.pictures import Pixels, open_picture
from millhand_quality.inspect.reference.boxes import boxes
from millhand_quality.inspect.reference.graph import Reference
from millhand_quality.inspect.reference.rules import ReferenceRules
from millhand_quality.inspect.runtime import open_session

TUNED, REPORTED = "group00041", "group77000"
NEEDED = 0.33
"""Intersection over union that finds a box."""
FALSE_LIMIT = 0.5
CHOICES = {
    "tolerance": (1, 2, 3),
    "contrast": (60.0, 100.0, 140.0),
    "least": (6, 10, 15),
    "margin": (6, 8, 10),
}
Corners = tuple[int, int, int, int]


@dataclass(frozen=True, slots=True)
class Board:
    """A picture under test, its template, and what people marked: corners and kind."""

    name: str
    template: Pixels
    picture: Pixels
    marked: tuple[tuple[Corners, int], ...]


@dataclass(frozen=True, slots=True)
class Found:
    """One picture's result."""

    kinds: tuple[int, ...]
    """Kinds of the marked boxes."""
    hit: tuple[bool, ...]
    false: int
    milliseconds: float = 0.0


def boards(root: Path, group: str) -> Iterator[Board]:
    """Yield a group's pictures."""
    for path, marked in pictures(root / "PCBData"):
        if group in path.parts:
            template = path.with_name(path.name.replace("_test", "_temp"))
            yield Board(
                path.stem,
                grey(template),
                grey(path),
                tuple(((one[0], one[1], one[2], one[3]), one[4]) for one in marked),
            )


def grey(path: Path) -> Pixels:
    """Read a picture as one channel: the files differ in whether they have three equal ones."""
    return open_picture(path).pixels()[:, :, :1].copy()


def overlap(one: Corners, other: Corners) -> float:
    """Return the intersection over union of two boxes."""
    across = min(one[2], other[2]) - max(one[0], other[0])
    down = min(one[3], other[3]) - max(one[1], other[1])
    both = max(0, across) * max(0, down)
    sizes = sum((box[2] - box[0]) * (box[3] - box[1]) for box in (one, other))
    return both / (sizes - both)


def match(found: Sequence[Corners], board: Board, milliseconds: float = 0.0) -> Found:
    """Match boxes one to one, the best overlaps first."""
    pairs = sorted(
        (
            (overlap(ours, theirs), n, m)
            for n, ours in enumerate(found)
            for m, (theirs, _) in enumerate(board.marked)
        ),
        reverse=True,
    )
    ours, theirs = set[int](), set[int]()
    for share, n, m in pairs:
        if share >= NEEDED and n not in ours and m not in theirs:
            ours.add(n)
            theirs.add(m)
    hit = tuple(m in theirs for m in range(len(board.marked)))
    kinds = tuple(kind for _, kind in board.marked)
    return Found(kinds, hit, len(found) - len(ours), milliseconds)


def counts_of(board: Board, rules: ReferenceRules) -> tuple[np.ndarray, float]:
    """Run the graph once warm; return its counts and the time."""
    graph = Reference(board.template, rules).graph().SerializeToString()
    session = open_session(graph)
    (counts,) = session.run([COUNTS], {"image": board.picture})
    began = time.perf_counter()
    session.run([COUNTS], {"image": board.picture})
    return counts, 1000 * (time.perf_counter() - began)


def judged(board: Board, counts: np.ndarray, least: int, margin: int, ms: float = 0.0) -> Found:
    """Match the boxes of a graph's counts."""
    found = boxes(counts, least - 0.5, margin)
    return match([(one.left, one.top, one.right, one.bottom) for one in found], board, ms)


def subtracted(board: Board) -> Found:
    """Subtract the template as it lies: the baseline, with the same counting."""
    rules = ReferenceRules(reach=0, tolerance=0)
    return judged(board, counts_of(board, rules)[0], rules.least, 8)


def recall_of(found: Iterable[Found]) -> tuple[float, float]:
    """Return recall of boxes and false boxes a picture."""
    listed = list(found)
    hits = [hit for one in listed for hit in one.hit]
    return float(np.mean(hits)), float(np.mean([one.false for one in listed]))


def interval(found: Sequence[Found], rounds: int = 2000) -> tuple[tuple[float, float], ...]:
    """Return 95 % intervals of recall and of false boxes, by drawing pictures anew."""
    random = np.random.default_rng(0)
    hits = np.array([sum(one.hit) for one in found])
    marked = np.array([len(one.hit) for one in found])
    false = np.array([one.false for one in found])
    drawn = random.integers(0, len(found), (rounds, len(found)))
    recalls = hits[drawn].sum(axis=1) / marked[drawn].sum(axis=1)
    return tuple(
        (float(low), float(high))
        for low, high in (
            np.quantile(values, (0.025, 0.975)) for values in (recalls, false[drawn].mean(axis=1))
        )
    )


def choose(tuned: Sequence[Board]) -> tuple[ReferenceRules, int]:
    """Try all choices on the pictures to tune on, print the best, return rules and margin."""
    tried = []
    for tolerance, contrast in itertools.product(CHOICES["tolerance"], CHOICES["contrast"]):
        rules = ReferenceRules(tolerance=int(tolerance), contrast=contrast)
        counted = [counts_of(board, rules)[0] for board in tuned]
        for least, margin in itertools.product(CHOICES["least"], CHOICES["margin"]):
            recall, false = recall_of(
                judged(board, counts, int(least), int(margin))
                for board, counts in zip(tuned, counted, strict=True)
            )
            kept = rules.model_copy(update={"least": int(least)})
            tried.append((false <= FALSE_LIMIT, recall, -false, kept, int(margin)))
        print(f"  tried tolerance {tolerance}, contrast {contrast:g}", file=sys.stderr, flush=True)
    tried.sort(key=lambda one: one[:3], reverse=True)
    print(f"The five best of {len(tried)} choices on {len(tuned)} pictures of {TUNED}:\n")
    print("| tolerance | contrast | least | margin | recall | false a picture |")
    print("|---:|---:|---:|---:|---:|---:|")
    for _, recall, false, rules, margin in tried[:5]:
        print(
            f"| {rules.tolerance} | {rules.contrast:g} | {rules.least} | {margin} "
            f"| {recall:.4f} | {-false:.2f} |"
        )
    return tried[0][3], tried[0][4]


def main() -> int:
    """Choose, judge, print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path, nargs="?", default=DEEP_PCB)
    parser.add_argument("--every", type=int, default=1, help="take each n-th picture to tune on")
    given = parser.parse_args()
    tuned = list(boards(given.folder, TUNED))
    rules, margin = choose(tuned[:: given.every])
    print("\n| group | head | pictures | boxes | recall (95 %) | false a picture (95 %) | ms p50 |")
    print("|---|---|---:|---:|---:|---:|---:|")
    for group, shown in ((TUNED, tuned), (REPORTED, list(boards(given.folder, REPORTED)))):
        found = []
        for board in shown:
            counts, ms = counts_of(board, rules)
            found.append(judged(board, counts, rules.least, margin, ms))
        _row(group, "reference", found)
        _row(group, "template subtracted", [subtracted(board) for board in shown])
    print(f"\nBy kind, reference, {REPORTED}:", end=" ")
    print(", ".join(_by_kind(found)))
    return 0


def _row(group: str, head: str, found: Sequence[Found]) -> None:
    recall, false = recall_of(found)
    (low, high), (fewest, most) = interval(found)
    ms = float(np.median([one.milliseconds for one in found]))
    print(
        f"| {group} | {head} | {len(found)} | {sum(len(one.hit) for one in found)} "
        f"| {recall:.3f} ({low:.3f} to {high:.3f}) | {false:.2f} ({fewest:.2f} to {most:.2f}) "
        f"| {ms:.0f} |"
        if ms
        else f"| {group} | {head} | {len(found)} | {sum(len(one.hit) for one in found)} "
        f"| {recall:.3f} ({low:.3f} to {high:.3f}) | {false:.2f} ({fewest:.2f} to {most:.2f}) | |",
        flush=True,
    )


def _by_kind(found: Sequence[Found]) -> Iterator[str]:
    for number, name in enumerate(KINDS, 1):
        hits = [hit for one in found for kind, hit in zip(one.kinds, one.hit, strict=True)
                if kind == number]  # fmt: skip
        if hits:
            yield f"{name} {sum(hits)} of {len(hits)}"


if __name__ == "__main__":
    sys.exit(main())
