"""Drift on real wear: the ball screw in the order of its time, when the alarm comes, what then.

::

    python tests/benchmarks/drift_ball_screw.py

Ten positions are fitted on, their first 21 steps; five others are watched from step 0 on. A step is
some four hours; a frame counts as good up to seven steps before its position's first annotated
pitting, and those between are *unsure* and judged by nobody. With ten parts no rate of 1 % can be
promised, so that the nominal rate of false rejects is 5 %, a limit estimated from the ten positions
left out in turn. Drift is watched as the engine does, by all four values, ``batch`` one step (five
neighbours of one moment), ten of them taken for usual, alpha 1 %; five times with a position less,
for the spread.

Then the refresh at the alarm: people have called the frames of the last ten steps good. *limits*
keeps the head and sets the limit anew, *head* is fitted anew, each on the fifteen positions but
one, and judged on that one, in turn. Late frames are pitted *and* soiled (the time step alone tells
them apart), so that a stopped frame proves little: whether the hottest place lies on pitting is
beside it. Intervals: Clopper and Pearson, as if frames were independent, which they are not.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from ball_screw_series import FRAME, TAPS, Frame, Series, read_series
from inspection_data import BenchmarkSet, Shown
from inspection_figures import Locator

from millhand.engine.drift import test_of
from millhand.scenario.learning import Drift as Rules
from millhand.statistics.intervals import share
from millhand_quality.inspect.detector import Detector, LevelChoice, fit_detector, folds
from millhand_quality.inspect.threshold import conformal_quantile
from millhand_quality.inspect.trunk import Array

NOMINAL = 0.05
FITTED_STEPS = 20
USUAL_STEPS = 10
ANSWERED_STEPS = 10
CHOICE = LevelChoice(TAPS, "diagonal")


@dataclass(frozen=True, slots=True)
class Package:
    """A head and its limit."""

    detector: Detector
    limit: float

    def heat(self, frames: Sequence[Frame]) -> Array:
        """Return the maps of some frames."""
        return self.detector.maps(_stacked(frames)).heat


def _stacked(frames: Sequence[Frame]) -> dict[tuple[int, ...], Array]:
    return {TAPS: np.stack([one.features for one in frames])}


def fitted(series: Series, frames: Sequence[Frame]) -> Package:
    """Fit a head; its limit is estimated on positions left out in turn."""
    parts, features = [one.position for one in frames], _stacked(frames)
    scores = np.zeros(len(frames))
    for held in folds(parts, 5):
        kept = sorted(set(range(len(frames))) - set(held))
        without = fit_detector(
            series.plan, [CHOICE], {TAPS: features[TAPS][kept]}, [parts[at] for at in kept]
        )
        scores[held] = without.maps({TAPS: features[TAPS][held]}).score
    detector = fit_detector(series.plan, [CHOICE], features, parts)
    return Package(detector, conformal_quantile(scores.tolist(), NOMINAL))


def alarm(package: Package, frames: Sequence[Frame]) -> tuple[int | None, str]:
    """Return the step of the alarm, and by which value."""
    positions = len({one.position for one in frames})
    rules = Rules(batch=positions, warm_up=USUAL_STEPS * positions)
    tests = {name: test_of(rules.alpha / len(rules.watch), rules) for name in rules.watch}
    maps = package.detector.maps(_stacked(frames))
    for one, score, novelty in zip(frames, maps.score, maps.novelty, strict=True):
        values = {"score": float(score), "novelty": float(novelty), **one.picture}
        for name, test in tests.items():
            if test.add(values[name]):
                return one.step, name
    return None, ""


def windows(package: Package, frames: Sequence[Frame]) -> Iterator[tuple[str, ...]]:
    """Yield, for every four steps, false rejects of good frames and stopped pitted ones."""
    score = package.heat(frames).max(axis=(1, 2))
    for first in range(0, 68, 4):
        row = [f"{first} to {first + 3}"]
        for label in ("good", "pitting"):
            at = [
                place
                for place, one in enumerate(frames)
                if one.label == label and first <= one.step < first + 4
            ]
            row.append(_told(int(np.sum(score[at] > package.limit)), len(at)))
        yield tuple(row)


def _told(count: int, of: int) -> str:
    if not of:
        return ""
    found = share(count, of)
    return f"{count} of {of} ({found.low:.0%} to {found.high:.0%})"


def refreshed(series: Series, old: Package, at: int, without: str) -> dict[str, Package]:
    """Return the packages that answers on the last steps make, but for one position's."""
    answers = [
        one
        for one in series.frames
        if one.label == "good" and at - ANSWERED_STEPS < one.step <= at and one.position != without
    ]
    scores = old.heat(answers).max(axis=(1, 2)).tolist()
    return {
        "old": old,
        "limits": Package(old.detector, conformal_quantile(scores, NOMINAL)),
        "head": fitted(series, answers),
    }


@dataclass
class Count:
    """What a package says of the positions left out, added up."""

    good: int = 0
    rejected: int = 0
    pitted: int = 0
    stopped: int = 0
    peaks: int = 0

    def add(self, package: Package, good: Sequence[Frame], pitted: Sequence[Frame]) -> None:
        """Count one position."""
        self.good += len(good)
        self.rejected += int(np.sum(package.heat(good).max(axis=(1, 2)) > package.limit))
        heat = package.heat(pitted)
        self.pitted += len(pitted)
        self.stopped += int(np.sum(heat.max(axis=(1, 2)) > package.limit))
        self.peaks += round(_locator(pitted)(heat).peak * len(pitted))


def _locator(pitted: Sequence[Frame]) -> Locator:
    empty = np.zeros((1, 1, 3), np.uint8)
    shown = tuple(
        Shown(None, one.position, empty, one.mask, one.step)  # type: ignore[arg-type]
        for one in pitted
    )
    return Locator(BenchmarkSet("ball screw", FRAME, (), (), shown, cell=64, shown=(192, 512)))


def main() -> None:
    """Print the three tables."""
    series = read_series()
    old = fitted(series, series.some(held_out=False, label="good", last=FITTED_STEPS))
    watched = [one for one in series.frames if one.held_out]
    print(f"| steps | good frames rejected, {NOMINAL:.0%} nominal | pitted frames stopped |")
    print("|---|---|---|")
    for row in windows(old, watched):
        print(f"| {' | '.join(row)} |")
    print("\n| watched | alarm at step | by | first unsure frame | first pitted frame |")
    print("|---|---:|---|---:|---:|")
    positions = sorted({one.position for one in watched})
    for without in ("", *positions):
        some = [one for one in watched if one.position != without]
        at, name = alarm(old, some)
        first = {
            label: min(one.step for one in some if one.label == label)
            for label in ("unsure", "pitting")
        }
        word = f"without {without}" if without else "all five positions"
        print(f"| {word} | {at} | {name} | {first['unsure']} | {first['pitting']} |")
        if not without:
            alarmed = at
    if alarmed is None:
        return
    print(f"\nRefreshed at step {alarmed}, judged on good frames after it and on pitted ones:\n")
    print("| package | false rejects | pitted frames stopped | hottest place on pitting |")
    print("|---|---|---|---|")
    for name, count in _after(series, old, alarmed, positions).items():
        stopped, peaks = (_told(one, count.pitted) for one in (count.stopped, count.peaks))
        print(f"| {name} | {_told(count.rejected, count.good)} | {stopped} | {peaks} |")


def _after(series: Series, old: Package, at: int, positions: Sequence[str]) -> dict[str, Count]:
    counts: dict[str, Count] = {}
    for position in positions:
        own = [one for one in series.frames if one.position == position]
        good = [one for one in own if one.label == "good" and one.step > at]
        pitted = [one for one in own if one.label == "pitting"]
        for name, package in refreshed(series, old, at, position).items():
            counts.setdefault(name, Count()).add(package, good, pitted)
    return counts


if __name__ == "__main__":
    main()
