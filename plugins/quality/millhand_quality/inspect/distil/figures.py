"""The student's figures on the sealed test, beside the teacher's on the same pictures."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from millhand.contracts.agent import Model
from millhand.distil.dataset import Items
from millhand.distil.roles import Teacher
from millhand.models.manifest import Metric
from millhand_quality.inspect.detector import HEAT, NOVELTY, SCORE
from millhand_quality.inspect.distil.examples import GOOD, Pair, pairs
from millhand_quality.inspect.evaluate import Judged, figures, peak_touches
from millhand_quality.inspect.parameters import read_parameters
from millhand_quality.inspect.pictures import Picture, Shape
from millhand_quality.inspect.select import auroc
from millhand_quality.inspect.trunk import Array

AUROC = "image AUROC"
AT_ONE_PER_CENT = "defects above 99 % of good"
DATA = "sealed test of the plan, split by family of light and finish where groups name it"
_Z = 1.959964


@dataclass(frozen=True, slots=True)
class Compared:
    """One test picture as the student judged it, and the teacher's score."""

    judged: Judged
    teacher: float


def compare(model: Model, teacher: Teacher, items: Items) -> list[Compared]:
    """Let both judge every picture of a shelf."""
    return [_judge(model, teacher, items, pair) for pair in pairs(items)]


def _judge(model: Model, teacher: Teacher, items: Items, pair: Pair) -> Compared:
    pixels = items.read(pair.picture)["image"]
    outputs = model(image=pixels)
    heat = np.asarray(outputs[HEAT], np.float32)
    mask = None if pair.mask is None else items.read(pair.mask)["image"]
    (soft,) = teacher.label([{"image": pixels}])
    return Compared(
        Judged(
            picture=Picture(
                Path(pair.picture.id), pair.picture.group, pair.picture.sha256, Shape.of(pixels)
            ),
            kind=pair.kind,
            score=float(outputs[SCORE][0]),
            novelty=float(outputs[NOVELTY][0]),
            heat=heat,
            peak_on_defect=None if mask is None else peak_touches(heat, mask),
        ),
        float(soft[SCORE][0]),
    )


def metrics_of(model: Model, compared: Sequence[Compared]) -> tuple[Metric, ...]:
    """Return the figures of a package of this task, those of order beside the teacher's."""
    shared = figures([one.judged for one in compared], read_parameters(model.parameters))
    own = [metric for metric in shared if metric.name != AUROC]
    defective = np.array([one.judged.kind != GOOD for one in compared])
    student = np.array([one.judged.score for one in compared], np.float32)
    taught = np.array([one.teacher for one in compared], np.float32)
    bad, good = student[defective], student[~defective]
    teacher_bad, teacher_good = taught[defective], taught[~defective]
    if not len(bad) or not len(good):
        return tuple(own)
    value = auroc(bad, good)
    low, high = auroc_interval(value, len(bad), len(good))
    return (
        *own,
        Metric(
            name=AUROC,
            value=round(value, 5),
            low=round(low, 5),
            high=round(high, 5),
            teacher=round(auroc(teacher_bad, teacher_good), 5),
            items=len(compared),
            data=DATA,
            method="Hanley and McNeil 1982, 95 %",
        ),
        Metric(
            name=AT_ONE_PER_CENT,
            value=round(found_at(bad, good, 0.99), 4),
            teacher=round(found_at(teacher_bad, teacher_good, 0.99), 4),
            items=len(compared),
            data=DATA,
            method="no interval",
        ),
    )


def found_at(bad: Array, good: Array, share: float) -> float:
    """Return the share of defects that score above this share of the good pictures."""
    return float((bad > np.quantile(good, share)).mean())


def auroc_interval(value: float, bad: int, good: int) -> tuple[float, float]:
    """Return the interval of an AUROC after Hanley and McNeil (1982), cut to 0 to 1."""
    first, second = value / (2 - value), 2 * value * value / (1 + value)
    variance = (
        value * (1 - value)
        + (bad - 1) * (first - value * value)
        + (good - 1) * (second - value * value)
    ) / (bad * good)
    half = _Z * math.sqrt(max(variance, 0.0))
    return max(0.0, value - half), min(1.0, value + half)
