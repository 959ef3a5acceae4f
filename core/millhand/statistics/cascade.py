"""A cascade: a quick student answers what it is sure of, a bigger model more, a person the rest.

The curve says what each choice of the student's threshold costs and how often it is wrong, on items
that nothing was fitted on. A threshold read off the curve is a choice, and no promise: the promise
comes from :func:`millhand.statistics.selective.certify`, on thresholds fixed beforehand.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from msgspec import Struct
from numpy.typing import ArrayLike, NDArray

from millhand.statistics.intervals import Share, share
from millhand.statistics.selective import THRESHOLDS


class Stage(Struct, frozen=True, kw_only=True):
    """One that can answer, from the cheapest to the dearest."""

    name: str
    cost: float
    """Of asking it once, in one unit for all stages: milliseconds, or money."""
    confidence: Sequence[float]
    """How sure it is of each item; NaN leaves the item to the next."""
    wrong: Sequence[bool]
    """Whether its answer would be wrong, for each item."""
    threshold: float = 0.0
    """It answers from this confidence on; the last stage answers whatever it is."""


class Point(Struct, frozen=True, kw_only=True):
    """What one choice of the first stage's threshold comes to."""

    threshold: float
    answered: tuple[int, ...]
    """How many items each stage answers, in their order."""
    cost: float
    """Mean of one item: every stage that is asked is paid for, whether it answers or not."""
    wrong: Share
    """Of all answers, whoever gave them."""

    @property
    def deferred(self) -> float:
        """Share of items that the first stage leaves to others."""
        total = sum(self.answered)
        return 1 - self.answered[0] / total if total else 0.0


def run_through(stages: Sequence[Stage]) -> Point:
    """Let the items pass the stages as they are set.

    Raises:
        ValueError: there is no stage or no item, or stages do not fit together.
    """
    if not stages or not len(stages[0].confidence):
        raise ValueError("a cascade needs a stage and an item")
    count = len(stages[0].confidence)
    left = np.ones(count, np.bool_)
    answered, cost, mistakes = [], 0.0, 0
    for number, stage in enumerate(stages):
        sure, wrong = _arrays(stage, count)
        cost += stage.cost * int(left.sum())
        last = number == len(stages) - 1
        takes = left if last else left & (sure >= stage.threshold)
        answered.append(int(takes.sum()))
        mistakes += int(wrong[takes].sum())
        left = left & ~takes
    return Point(
        threshold=stages[0].threshold,
        answered=tuple(answered),
        cost=cost / count,
        wrong=share(mistakes, count),
    )


def curve(stages: Sequence[Stage], thresholds: Sequence[float] = THRESHOLDS) -> tuple[Point, ...]:
    """Return a point for each threshold of the first stage, and one where it answers nothing.

    Raises:
        ValueError: as :func:`run_through`.
    """
    if not stages:
        raise ValueError("a cascade needs a stage and an item")
    first, *rest = stages
    return tuple(
        run_through([_with(first, threshold), *rest])
        for threshold in (*sorted(set(thresholds)), float("inf"))
    )


def cheapest(points: Sequence[Point], within: float) -> Point | None:
    """Return the cheapest point whose error rate is surely at most ``within``.

    Surely means: by the upper end of its interval. None where there is no such point.
    """
    fine = [point for point in points if point.wrong.high <= within]
    return min(fine, key=lambda point: point.cost, default=None)


def _with(stage: Stage, threshold: float) -> Stage:
    return Stage(
        name=stage.name,
        cost=stage.cost,
        confidence=stage.confidence,
        wrong=stage.wrong,
        threshold=threshold,
    )


def _arrays(stage: Stage, count: int) -> tuple[NDArray[np.float64], NDArray[np.bool_]]:
    sure: ArrayLike = stage.confidence
    found, wrong = np.asarray(sure, np.float64), np.asarray(stage.wrong, np.bool_)
    if found.shape != (count,) or wrong.shape != (count,):
        raise ValueError(f"{stage.name} says nothing of some item")
    return found, wrong
