"""What a classifier is worth, beside its teacher and beside one that had none."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from millhand.models.manifest import Metric
from millhand.statistics.calibration import expected_calibration_error
from millhand.statistics.intervals import share

ACCURACY = "accuracy"
CONTROL = "accuracy of the control"
GAIN = "gain over the control"
RETAINED = "share of the teacher's accuracy"
ANSWERED = "answered"
WRONG = "wrong of the answered"
ECE = "calibration error"
DATA = "sealed test"

_RESAMPLES = 2000

Answers = NDArray[np.bool_]


def metrics_of(
    right: Answers,
    control: Answers,
    teacher: Answers,
    confidence: NDArray[np.float64],
    groups: Sequence[str],
    answer_from: float,
) -> tuple[Metric, ...]:
    """Return the figures of one test, each with its interval at 95 %.

    Args:
        right: ``(n,)`` whether the student was right.
        control: likewise its control, trained on the same labels without a teacher.
        teacher: likewise the teacher.
        confidence: ``(n,)`` of the student's answers.
        groups: the physical part of each item; parts are drawn, not items.
        answer_from: confidence from which it answers.
    """
    n, taught = len(right), round(float(teacher.mean()), 5)
    answered = confidence >= answer_from
    exact, drawn = "Clopper and Pearson 1934, 95 %", f"paired bootstrap over parts, {_RESAMPLES}"
    own, alone = share(int(right.sum()), n), share(int(control.sum()), n)
    kept = share(int(answered.sum()), n)
    wrong = share(int((answered & ~right).sum()), int(answered.sum()))
    gain = resampled(right.astype(float) - control.astype(float), groups)
    retained = float(right.mean() / max(teacher.mean(), 1e-9))

    def metric(name: str, value: float, low: float, high: float, how: str, **more: float) -> Metric:
        digits = (round(x, 5) for x in (value, low, high))
        first, second, third = digits
        return Metric(
            name=name, value=first, low=second, high=third, items=n, data=DATA, method=how, **more
        )

    return (
        metric(ACCURACY, own.rate, own.low, own.high, exact, teacher=taught),
        metric(CONTROL, alone.rate, alone.low, alone.high, exact, teacher=taught),
        metric(GAIN, *gain, drawn),
        Metric(name=RETAINED, value=round(retained, 5), items=n, data=DATA, method="no interval"),
        metric(ANSWERED, kept.rate, kept.low, kept.high, exact),
        metric(WRONG, wrong.rate, wrong.low, wrong.high, exact),
        Metric(
            name=ECE,
            value=round(expected_calibration_error(confidence, right), 5),
            items=n,
            data=DATA,
            method="15 bins, no interval",
        ),
    )


def resampled(values: NDArray[np.float64], groups: Sequence[str]) -> tuple[float, float, float]:
    """Return the mean of ``values`` with its percentile interval; whole groups are drawn."""
    _, place = np.unique(np.asarray(groups), return_inverse=True)
    sums, counts = np.bincount(place, weights=values), np.bincount(place)
    draw = np.random.default_rng(0)
    picked = draw.integers(len(sums), size=(_RESAMPLES, len(sums)))
    means = sums[picked].sum(1) / counts[picked].sum(1)
    low, high = np.quantile(means, (0.025, 0.975))
    return float(values.mean()), float(low), float(high)
