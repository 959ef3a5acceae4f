"""Labelled defects fed back: what they gain on parts held out, and whether the gate let a loss by.

::

    python tests/benchmarks/feedback_labels.py [--draws 40] [--only "ball screw"]

A head knows good parts alone. People then mark some defects, and a linear reading of the trunk's
features (linear discriminant analysis, shrunk) is added to its heat wherever that says "defect"
more loudly than it does on good pictures. Parts are split three ways and never mixed: labels come
from some, the gate looks at others, and the figure is of the rest.

- *ball screw* (real): labels from two positions, the gate on one, the figure on the other two.
- *DeepPCB* (real): labels and gate from pictures of board 00041, the figure on board 77000.
- *impeller*, *housing* (rendered): every part has a light and finish of its own.

The figure of a defective picture is its AUROC within the frame, of marked cells against cells far
from any; of a rendered part the share of good parts below it. The gate lets a candidate by where
the mean of the paired differences on its parts is surely above 0 (bootstrap, one-sided, 1 − alpha).
A *violation* is a candidate that it let by and that is worse on the held-out parts. Intervals of
gains: parts drawn anew (bootstrap, 95 %), each with its mean over draws.
"""

from __future__ import annotations

import argparse
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

import cv2
import numpy as np
from ball_screw_series import read_series
from inspection_data import deep_pcb
from numpy.typing import NDArray

from millhand.statistics.intervals import share
from millhand_quality.inspect.detector import LevelChoice, fit_detector
from millhand_quality.inspect.features import FeatureExtractor, InputPlan, Taps, plan_input
from millhand_quality.inspect.pictures import Shape
from millhand_quality.inspect.trunk import Array
from millhand_simulated.parts import DEFECTS, Product, render

TAPS: Taps = (10,)
LABELS = (1, 2, 5, 10, 20, 40)
WEIGHT, RARE, SHRINK = 0.5, 0.97, 0.1
RESAMPLES = 2000
GOOD, HELD, DEFECTIVE = 120, 200, 264
"""Rendered parts: fitted on, good ones held out, defective ones of all kinds in turn."""


@dataclass(frozen=True, slots=True)
class Pictures:
    """Pictures of one kind, by what is computed of them once."""

    deviations: Array
    """``(n, features, cells)``: signed and absolute deviations from good parts."""
    heat: Array
    """``(n, cells)`` of the head that knows good parts alone."""
    marked: NDArray[np.bool_]
    """``(n, cells)``; nothing where good."""
    far: NDArray[np.bool_]
    """``(n, cells)``: neither marked nor beside a marked one."""
    parts: tuple[str, ...]

    def __len__(self) -> int:
        return len(self.heat)

    def at(self, places: Sequence[int]) -> Pictures:
        """Return some of them."""
        index = np.asarray(places, int)
        return Pictures(
            self.deviations[index], self.heat[index], self.marked[index], self.far[index],
            tuple(self.parts[place] for place in index),
        )  # fmt: skip


@dataclass(frozen=True, slots=True)
class Subject:
    """A set: good pictures that the head is fitted on, others, and defective ones."""

    name: str
    fitted: Pictures
    good: Pictures | None
    """Good parts held out, where the figure is of whole pictures."""
    defective: Pictures
    shelves: tuple[tuple[int, ...], tuple[int, ...], tuple[int, ...]] | None
    """Places of the defective pictures to label, for the gate and to report; None: by position."""

    def deal(self, random: np.random.Generator) -> tuple[list[int], list[int], list[int]]:
        """Return places to label from, for the gate and to report, in one draw."""
        if self.shelves is not None:
            labelled, gate, report = self.shelves
            return list(random.permutation(labelled)), list(gate), list(report)
        names = random.permutation(sorted(set(self.defective.parts)))
        of = {
            name: [at for at, part in enumerate(self.defective.parts) if part == name]
            for name in names
        }
        labelled = [place for name in names[:2] for place in of[name]]
        return (
            list(random.permutation(labelled)), of[names[2]],
            [place for name in names[3:] for place in of[name]],
        )  # fmt: skip


class Reading:
    """The linear reading that labels make, weighed by good pictures alone."""

    def __init__(self, fitted: Pictures, labelled: Pictures) -> None:
        good = _cells(fitted.deviations)[::7]
        other = _cells(labelled.deviations)[labelled.far.ravel()]
        negative = np.concatenate([good, other])
        positive = _cells(labelled.deviations)[labelled.marked.ravel()]
        spread = np.cov(negative, rowvar=False)
        spread += SHRINK * np.trace(spread) / len(spread) * np.eye(len(spread))
        way = np.linalg.solve(spread, positive.mean(axis=0) - negative.mean(axis=0))
        self._way = np.asarray(way, np.float32)
        worst = self._logits(fitted).max(axis=1)
        scores = fitted.heat.max(axis=1)
        self._low = float(np.median(worst))
        rise = float(np.quantile(scores, RARE) - np.median(scores))
        own = max(float(np.quantile(worst, RARE)) - self._low, 1e-6)
        self._scale = WEIGHT * rise / own

    def _logits(self, pictures: Pictures) -> Array:
        return np.asarray(np.einsum("nfc,f->nc", pictures.deviations, self._way), np.float32)

    def heat(self, pictures: Pictures) -> Array:
        """Return the heat of both together ``(n, cells)``."""
        above = np.maximum(self._logits(pictures) - self._low, 0) * self._scale
        return np.asarray(pictures.heat + above, np.float32)


def _cells(deviations: Array) -> Array:
    return np.swapaxes(deviations, 1, 2).reshape(-1, deviations.shape[1])


def figures(heat: Array, pictures: Pictures, good: Array | None) -> NDArray[np.float64]:
    """Return the figure of each defective picture, 0 to 1."""
    if good is not None:
        below = np.sort(good.max(axis=1))
        return np.searchsorted(below, heat.max(axis=1)) / len(below)
    found = []
    for one, marked, far in zip(heat, pictures.marked, pictures.far, strict=True):
        other = np.sort(one[far])
        left, right = (np.searchsorted(other, one[marked], side) for side in ("left", "right"))
        found.append(float(np.mean(left + right)) / 2 / len(other))
    return np.array(found)


@dataclass
class Tally:
    """What many draws with as many labels came to."""

    draws: int = 0
    accepted: int = 0
    worse: int = 0
    violations: int = 0
    gains: list[float] = field(default_factory=list)
    through: list[float] = field(default_factory=list)
    by_part: dict[str, list[float]] = field(default_factory=dict)
    by_part_through: dict[str, list[float]] = field(default_factory=dict)

    def add(self, change: NDArray[np.float64], accepted: bool, parts: Sequence[str]) -> None:
        """Count a draw by the paired differences on its held-out parts."""
        self.draws += 1
        gain = float(change.mean())
        self.accepted += accepted
        self.worse += gain < 0
        self.violations += accepted and gain < 0
        self.gains.append(gain)
        self.through.append(gain if accepted else 0.0)
        for part, one in zip(parts, change, strict=True):
            self.by_part.setdefault(part, []).append(float(one))
            self.by_part_through.setdefault(part, []).append(float(one) if accepted else 0.0)

    def row(self) -> str:
        """Return the figures of a line."""
        some = share(self.violations, self.draws)
        return " | ".join((
            f"{self.accepted} of {self.draws}", _gain(self.gains, self.by_part),
            f"{self.worse} of {self.draws}", _gain(self.through, self.by_part_through),
            f"{self.violations} of {self.draws} (at most {some.high:.0%})",
        ))  # fmt: skip


def _gain(gains: Sequence[float], by_part: dict[str, list[float]]) -> str:
    means = np.array([np.mean(some) for some in by_part.values()])
    low, high = np.quantile(_resampled(means, np.random.default_rng(0)), (0.025, 0.975))
    return f"{100 * np.mean(gains):+.1f} ({100 * low:+.1f} to {100 * high:+.1f})"


def _resampled(values: NDArray[np.float64], random: np.random.Generator) -> NDArray[np.float64]:
    places = random.integers(0, len(values), (RESAMPLES, len(values)))
    return np.asarray(values[places].mean(axis=1))


def curve(subject: Subject, draws: int, alpha: float) -> Iterator[tuple[int, Tally]]:
    """Yield for each number of labels what many draws came to."""
    for count in LABELS:
        tally = Tally()
        for seed in range(draws):
            random = np.random.default_rng([count, seed])
            labelled, gate, report = subject.deal(random)
            if len(labelled) < count:
                continue
            reading = Reading(subject.fitted, subject.defective.at(labelled[:count]))
            looked = [_change(subject, reading, places, half) for half, places in
                      enumerate((gate, report))]  # fmt: skip
            surely = float(np.quantile(_resampled(looked[0], random), alpha))
            parts = subject.defective.at(report).parts
            tally.add(looked[1], surely > 0, parts)
        if tally.draws:
            yield count, tally


def _change(
    subject: Subject, reading: Reading, places: Sequence[int], half: int
) -> NDArray[np.float64]:
    """Return the paired differences of some defective pictures; each half has its good parts."""
    pictures = subject.defective.at(places)
    good = subject.good
    if good is not None:
        good = good.at(range(half, len(good), 2))
    before = figures(pictures.heat, pictures, None if good is None else good.heat)
    after = figures(reading.heat(pictures), pictures, None if good is None else reading.heat(good))
    return after - before


# --- the sets ---


class Measure:
    """Computes what is computed once, with a head fitted on good pictures."""

    def __init__(self, plan: InputPlan, head: str, good: Array, parts: Sequence[str]) -> None:
        self._detector = fit_detector(
            plan, (LevelChoice(TAPS, head),), {TAPS: good}, list(parts), in_units=True
        )
        axes = 0 if head == "diagonal" else (0, 2, 3)
        self._mean = good.mean(axis=axes, keepdims=True)
        self._spread = good.std(axis=axes, keepdims=True) + good.std() * 0.1

    def __call__(
        self, features: Array, parts: Sequence[str], masks: Sequence[NDArray[np.bool_]] = ()
    ) -> Pictures:
        """Measure pictures by their features; masks are those of the camera's frame."""
        off = ((features - self._mean) / self._spread).astype(np.float32)
        off = np.clip(off, -12, 12).reshape(*features.shape[:2], -1)
        grid = features.shape[2:]
        heat = self._detector.maps({TAPS: features}).heat.reshape(len(features), -1)
        marked = np.zeros((len(features), *grid), bool)
        for place, mask in enumerate(masks):
            share_of = cv2.resize(mask.astype(np.float32), grid[::-1], interpolation=cv2.INTER_AREA)
            marked[place] = share_of > min(0.25, float(share_of.max()) * 0.5)
        around = np.ones((3, 3), np.uint8)
        near = [cv2.dilate(one.astype(np.uint8), around) > 0 for one in marked]
        far = ~np.stack(near).reshape(len(features), -1)
        both = np.concatenate([off, np.abs(off)], axis=1)
        return Pictures(both, heat, marked.reshape(len(features), -1), far, tuple(parts))


def ball_screw() -> Subject:
    """Positions are parts; good frames of ten, pitted ones of five others."""
    series = read_series()
    fit = series.some(held_out=False, label="good")[::3]
    pitted = series.some(held_out=True, label="pitting")
    good = np.stack([one.features for one in fit])
    parts = [one.position for one in fit]
    measure = Measure(series.plan, "diagonal", good, parts)
    features = np.stack([one.features for one in pitted])
    masks = [one.mask for one in pitted if one.mask is not None]
    bad = measure(features, [one.position for one in pitted], masks)
    return Subject("ball screw", measure(good, parts), None, bad, None)


def boards() -> Subject:
    """Pictures of one board to label and for the gate, of another to report."""
    shown = deep_pcb()
    plan = plan_input(shown.frame, 512)
    trunk = FeatureExtractor(plan, [TAPS])
    fit = shown.fit[:: max(1, len(shown.fit) // 50)][:50]
    group = [one.path.parent.parent.name for one in shown.test_defective]
    own = [at for at, name in enumerate(group) if "00041" in name]
    other = [at for at, name in enumerate(group) if "00041" not in name]
    taken = [*own[: 2 * 60], *other[:100]]
    bad = [shown.test_defective[at] for at in taken]
    good = trunk.stack(one.pixels for one in fit)[TAPS]
    measure = Measure(plan, "bank", good, [one.part for one in fit])
    pictures = measure(
        trunk.stack(one.pixels for one in bad)[TAPS],
        [one.part for one in bad],
        [one.mask for one in bad if one.mask is not None],
    )
    mine = min(len(own), 120)
    shelves = (
        tuple(range(0, mine, 2)), tuple(range(1, mine, 2)), tuple(range(mine, len(taken))),
    )  # fmt: skip
    name = "DeepPCB, labels of 00041, reported on 77000"
    return Subject(name, measure(good, [one.part for one in fit]), None, pictures, shelves)


def cell_parts(product: Product) -> Subject:
    """Rendered parts; people mark what of a defect can be seen."""
    shown = [
        render(
            product,
            part_seed=960_000_000 + number,
            family_seed=960_000 + number,
            defect=DEFECTS[number % len(DEFECTS)] if number >= GOOD + HELD else None,
        )
        for number in range(GOOD + HELD + DEFECTIVE)
    ]
    plan = plan_input(Shape.of(shown[0].pixels), 256)
    features = FeatureExtractor(plan, [TAPS]).stack(one.pixels for one in shown)[TAPS]
    names = [str(number) for number in range(len(shown))]
    measure = Measure(plan, "diagonal", features[:GOOD], names[:GOOD])
    fitted = measure(features[:GOOD], names[:GOOD])
    held = measure(features[GOOD : GOOD + HELD], names[GOOD : GOOD + HELD])
    defective = shown[GOOD + HELD :]
    bad = measure(features[GOOD + HELD :], names[GOOD + HELD :], [one.mask for one in defective])
    every = range(DEFECTIVE)
    # Kinds come in turn, so that a fourth of the parts is taken by rounds of all kinds.
    rounds = [place // len(DEFECTS) % 4 for place in every]
    shelves = (
        tuple(at for at in every if rounds[at] == 0 and bad.marked[at].any()),
        tuple(at for at in every if rounds[at] == 1),
        tuple(at for at in every if rounds[at] > 1),
    )
    return Subject(f"{product} (rendered)", fitted, held, bad, shelves)


SUBJECTS = {
    "ball screw": ball_screw,
    "DeepPCB": boards,
    "impeller": lambda: cell_parts("impeller"),
    "housing": lambda: cell_parts("housing"),
}


def main() -> None:
    """Print the learning curves."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--draws", type=int, default=40)
    parser.add_argument("--alpha", type=float, default=0.05, help="of the gate")
    parser.add_argument("--only", choices=tuple(SUBJECTS))
    told = parser.parse_args()
    print("| set | labels | let by the gate | gain of all, points | worse | gain through the gate "
          "| violations |")  # fmt: skip
    print("|---|---:|---|---|---|---|---|")
    for name, make in SUBJECTS.items():
        if told.only in (None, name):
            subject = make()
            for count, tally in curve(subject, told.draws, told.alpha):
                print(f"| {subject.name} | {count} | {tally.row()} |", flush=True)


if __name__ == "__main__":
    main()
