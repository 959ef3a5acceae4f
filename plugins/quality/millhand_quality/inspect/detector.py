"""A detector: heads on one or more levels of the trunk, their maps made comparable and joined.

A level is a set of tapped blocks with a head of its own. Fine levels see small marks, coarse ones
see what belongs together. Each level's map is divided by what the worst cell of a good picture,
not fitted on, ordinarily shows; so 1 means the same on every level. The maps are averaged: a
defect shows on several levels at one place, what is merely rare seldom does (measured: better
than the larger of both). What was learnt of marked defects, where there is any, is added.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from millhand_quality.inspect.features import (
    IMAGE,
    InputPlan,
    Taps,
    image_spec,
    record_features,
    record_resize,
    stride_of,
    weights_of,
)
from millhand_quality.inspect.heads import FITTERS, Head
from millhand_quality.inspect.heads.marks import Marks
from millhand_quality.inspect.network import FLOAT, Recorder
from millhand_quality.inspect.trunk import Array

if TYPE_CHECKING:
    import onnx

SCORE, HEAT, NOVELTY = "score", "heat", "novelty"
"""Names of the graph's outputs."""
COUNTS = "counts"
"""Beside them where a template is held against the picture: near each differing pixel, how many."""
FINE_TAPS: Taps = (2,)
COARSE_TAPS: Taps = (4,)
"""What the net for marked defects reads; the grid of the second is half as fine."""


@dataclass(frozen=True, slots=True)
class LevelChoice:
    """Which blocks, which head."""

    taps: Taps
    head: str

    def __str__(self) -> str:
        return f"{self.head} on block {'+'.join(map(str, self.taps))}"


@dataclass(frozen=True, slots=True)
class Level:
    """A fitted level; ``scale`` is what the worst cell of an ordinary good picture shows."""

    taps: Taps
    head: Head
    scale: float


@dataclass(frozen=True, slots=True)
class Maps:
    """What a detector says of pictures."""

    heat: Array
    """``(n, rows, columns)``: 1 is the worst cell of an ordinary good picture."""

    @property
    def score(self) -> Array:
        """The largest cell ``(n,)``."""
        return np.asarray(self.heat.max(axis=(1, 2)), np.float32)

    @property
    def novelty(self) -> Array:
        """The median cell ``(n,)``: high where the whole picture differs, not a spot of it."""
        flat = np.sort(self.heat.reshape(len(self.heat), -1), axis=1)
        return np.asarray(flat[:, flat.shape[1] // 2], np.float32)


@dataclass(frozen=True, slots=True)
class Detector:
    """Fitted levels on one input plan."""

    plan: InputPlan
    levels: tuple[Level, ...]
    marks: Marks | None = None
    """What was learnt of marked defects; :meth:`maps` leaves it out, the graph does not."""

    @property
    def grid(self) -> tuple[int, int]:
        """Rows and columns of the heat map: those of the finest level."""
        taps = [level.taps for level in self.levels]
        if self.marks is not None:
            taps.append(FINE_TAPS)
        return self.plan.grid(min(taps, key=stride_of))

    def maps(self, features: Mapping[Taps, Array]) -> Maps:
        """Judge features of pictures, by tapped blocks (the reference of :meth:`graph`)."""
        joined: Array | None = None
        for level in self.levels:
            heat = level.head.distances(features[level.taps]) / np.float32(level.scale)
            heat = enlarged(heat, self.grid)
            joined = heat if joined is None else joined + heat
        assert joined is not None
        return Maps(joined / np.float32(len(self.levels)))

    def graph(self) -> onnx.ModelProto:
        """Write everything from ``uint8`` picture to score, heat map and novelty as one graph."""
        recorder = Recorder()
        taps = dict.fromkeys(level.taps for level in self.levels)
        if self.marks is not None:
            taps |= dict.fromkeys((FINE_TAPS, COARSE_TAPS))
        features = record_features(recorder, self.plan, taps, weights_of(self.plan))
        heats = [self._record_level(recorder, place, features) for place in range(len(self.levels))]
        joined = recorder.node("Mean", heats, "heat.joined") if len(heats) > 1 else heats[0]
        rows, columns = self.grid
        all_cells = recorder.integers("heat.flat", -1)
        flat = recorder.node("Reshape", [joined, all_cells], "gaussian.cells")
        record_median(recorder, flat, rows * columns)
        if self.marks is not None:
            learnt = self.marks.record(recorder, features[FINE_TAPS], features[COARSE_TAPS])
            joined = recorder.node("Add", [joined, learnt], "heat.both")
            flat = recorder.node("Reshape", [joined, all_cells], "heat.cells")
        recorder.node("Reshape", [joined, recorder.integers("heat.shape", rows, columns)], HEAT)
        recorder.node("ReduceMax", [flat, recorder.integers("axis.0", 0)], SCORE, keepdims=1)
        return recorder.model(
            {IMAGE: image_spec(self.plan)},
            {SCORE: (FLOAT, (1,)), HEAT: (FLOAT, (rows, columns)), NOVELTY: (FLOAT, (1,))},
            "picture to anomaly score, heat map and novelty",
        )

    def _record_level(self, recorder: Recorder, place: int, features: Mapping[Taps, str]) -> str:
        level = self.levels[place]
        with recorder.scope(f"level{place}"):
            distance = level.head.record(recorder, features[level.taps])
            scale = recorder.constant("unit", np.array(1 / level.scale, np.float32))
            heat = recorder.node("Mul", [distance, scale], "heat")
            if self.plan.grid(level.taps) == self.grid:
                return heat
            return record_resize(recorder, heat, 1, self.grid, "heat.enlarged")


def record_median(recorder: Recorder, flat: str, cells: int) -> None:
    """Write the upper median of a vector as the novelty."""
    count = recorder.integers("novelty.count", cells - cells // 2)
    upper, _ = recorder.nodes("TopK", [flat, count], ["novelty.upper", "novelty.places"])
    place = recorder.integers("novelty.place", cells - cells // 2 - 1)
    recorder.node("Gather", [upper, place], NOVELTY)


def enlarged(heat: Array, grid: tuple[int, int]) -> Array:
    """Interpolate maps ``(n, rows, columns)`` linearly to ``grid``, half-pixel centres."""
    for axis, size in ((1, grid[0]), (2, grid[1])):
        if heat.shape[axis] != size:
            heat = _enlarged_along(heat, axis, size)
    return heat


def _enlarged_along(heat: Array, axis: int, size: int) -> Array:
    own = heat.shape[axis]
    place = np.clip((np.arange(size) + 0.5) * own / size - 0.5, 0, own - 1)
    below = np.floor(place).astype(int)
    above = np.minimum(below + 1, own - 1)
    share = (place - below).astype(np.float32)
    shape = [1, 1, 1]
    shape[axis] = size
    share = share.reshape(shape)
    joined = heat.take(below, axis) * (1 - share) + heat.take(above, axis) * share
    return np.asarray(joined, np.float32)


def folds(parts: Sequence[str], count: int, seed: int = 0) -> list[list[int]]:
    """Deal pictures into folds by physical part: a part is never in two.

    Returns:
        Indices of the pictures held out in each fold; fewer folds where there are fewer parts.
    """
    names = sorted(set(parts))
    order = np.random.default_rng(seed).permutation(len(names))
    fold_of = {names[place]: rank % min(count, len(names)) for rank, place in enumerate(order)}
    held: list[list[int]] = [[] for _ in range(min(count, len(names)))]
    for index, part in enumerate(parts):
        held[fold_of[part]].append(index)
    return held


def fit_level(choice: LevelChoice, features: Array, parts: Sequence[str]) -> Level:
    """Fit a head on all pictures, and its scale on a third of them, fitting the others alone."""
    fit = FITTERS[choice.head]
    held = folds(parts, 3)[0]
    kept = sorted(set(range(len(parts))) - set(held))
    worst = fit(features[kept]).distances(features[held]).max(axis=(1, 2))
    return Level(choice.taps, fit(features), max(float(np.median(worst)), 1e-6))


def fit_detector(
    plan: InputPlan,
    choices: Sequence[LevelChoice],
    features: Mapping[Taps, Array],
    parts: Sequence[str],
    *,
    in_units: bool = True,
) -> Detector:
    """Fit all levels on features of good pictures.

    Args:
        plan: size of pictures and of the trunk's input.
        choices: the levels.
        features: ``(n, channels, rows, columns)`` by tapped blocks.
        parts: physical part of each picture.
        in_units: false where only the order of scores matters: then the scale of a single level,
            which takes cross-validation, is left out.
    """
    if len(choices) == 1 and not in_units:
        (choice,) = choices
        return Detector(plan, (Level(choice.taps, FITTERS[choice.head](features[choice.taps]), 1),))
    levels = tuple(fit_level(choice, features[choice.taps], parts) for choice in choices)
    return Detector(plan, levels)
