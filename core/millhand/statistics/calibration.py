"""Confidences that mean what they say: temperature scaling, and how far off they are.

Guo, Pleiss, Sun and Weinberger, "On calibration of modern neural networks", ICML 2017.
"""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import ArrayLike, NDArray

_GOLDEN = (math.sqrt(5) - 1) / 2
_LOG_RANGE = (math.log(0.05), math.log(50.0))
_STEPS = 60


def fit_temperature(logits: ArrayLike, labels: ArrayLike) -> float:
    """Return the temperature that makes held-out labels most probable; logits are divided by it.

    The negative log-likelihood has one minimum along the inverse temperature, which a golden
    section finds between 0.05 and 50. It moves no answer, only how sure each is.

    Args:
        logits: (n, classes) of items that the model was not trained on.
        labels: (n,) the right classes, as whole numbers.

    Raises:
        ValueError: shapes do not fit, there is no item, or a value is not finite.
    """
    scores, right = _checked(logits, labels)
    low, high = _LOG_RANGE

    def loss(log_temperature: float) -> float:
        return negative_log_likelihood(scores / math.exp(log_temperature), right)

    left, middle = high - _GOLDEN * (high - low), low + _GOLDEN * (high - low)
    at_left, at_middle = loss(left), loss(middle)
    for _ in range(_STEPS):
        if at_left <= at_middle:
            high, middle, at_middle = middle, left, at_left
            left = high - _GOLDEN * (high - low)
            at_left = loss(left)
        else:
            low, left, at_left = left, middle, at_middle
            middle = low + _GOLDEN * (high - low)
            at_middle = loss(middle)
    return math.exp((low + high) / 2)


def negative_log_likelihood(logits: ArrayLike, labels: ArrayLike) -> float:
    """Return the mean negative log-likelihood of the labels, in nats."""
    scores, right = _checked(logits, labels)
    return float(-_log_softmax(scores)[np.arange(len(right)), right].mean())


def softmax(logits: ArrayLike) -> NDArray[np.float64]:
    """Return probabilities, (n, classes)."""
    return np.exp(_log_softmax(np.asarray(logits, np.float64)))


def expected_calibration_error(confidence: ArrayLike, right: ArrayLike, bins: int = 15) -> float:
    """Return how far confidence lies from the share that is right, on average over equal bins.

    Args:
        confidence: (n,) between 0 and 1, of the answer given.
        right: (n,) bool, whether that answer is right.
        bins: number of equally wide bins.

    Raises:
        ValueError: lengths differ, there is no item, or a confidence is out of range.
    """
    sure, true = np.asarray(confidence, np.float64), np.asarray(right, np.bool_)
    if sure.ndim != 1 or sure.shape != true.shape or not len(sure):
        raise ValueError(f"{sure.shape} confidences do not go with {true.shape} answers")
    if not ((sure >= 0) & (sure <= 1)).all():
        raise ValueError("confidence must lie between 0 and 1")
    which = np.minimum((sure * bins).astype(int), bins - 1)
    gap = np.bincount(which, weights=sure - true, minlength=bins)
    return float(np.abs(gap).sum() / len(sure))


def _log_softmax(scores: NDArray[np.float64]) -> NDArray[np.float64]:
    shifted = scores - scores.max(axis=1, keepdims=True)
    result: NDArray[np.float64] = shifted - np.log(np.exp(shifted).sum(axis=1, keepdims=True))
    return result


def _checked(logits: ArrayLike, labels: ArrayLike) -> tuple[NDArray[np.float64], NDArray[np.int64]]:
    scores, right = np.asarray(logits, np.float64), np.asarray(labels)
    if scores.ndim != 2 or right.shape != scores.shape[:1] or not len(right):
        raise ValueError(f"logits of shape {scores.shape} do not go with labels {right.shape}")
    if not np.isfinite(scores).all():
        raise ValueError("a logit is not finite")
    if right.min() < 0 or right.max() >= scores.shape[1]:
        raise ValueError("a label is not one of the classes")
    return scores, right.astype(np.int64)
