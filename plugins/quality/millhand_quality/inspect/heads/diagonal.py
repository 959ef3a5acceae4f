"""One Gaussian for each cell and feature: needs the fewest pictures and a fixed camera.

A cell's variance from a handful of pictures is mostly luck, so it is shrunk towards the mean
variance of its feature over all cells, as if that had been seen in :data:`PRIOR_PICTURES` more
pictures. The next part never lies quite as the last: the spread of the mean among a cell's
neighbours is added, so that edges, where a small shift changes much, are forgiven and plain
surfaces are not; the more pictures, the more of that their own variance shows already. The mean
residual of a feature over the picture is taken out first: lamp and oil shift whole pictures, a
defect does not.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from millhand_quality.inspect.network import Recorder
from millhand_quality.inspect.trunk import Array

PRIOR_PICTURES = 1.0
SHIFT_PICTURES = 5.0
"""At so many pictures half of the spread among neighbours is added."""
SMALLEST_VARIANCE = 1e-6


def shrunk_variance(features: Array) -> Array:
    """Return the variance ``(channels, rows, columns)``, shrunk towards the features' own."""
    count = len(features)
    variance = features.var(axis=0)
    pooled = variance.mean(axis=(1, 2), keepdims=True)
    shrunk = (count * variance + PRIOR_PICTURES * pooled) / (count + PRIOR_PICTURES)
    return np.asarray(np.maximum(shrunk, SMALLEST_VARIANCE), np.float32)


def spread_among_neighbours(mean: Array) -> Array:
    """Return the variance of ``(channels, rows, columns)`` within 3 by 3 cells."""
    around = _box_mean(mean)
    return np.maximum(_box_mean(mean * mean) - around * around, 0)


def _box_mean(x: Array) -> Array:
    """Average 3 by 3 cells, the border repeated."""
    padded = np.pad(x, ((0, 0), (1, 1), (1, 1)), mode="edge")
    rows, columns = x.shape[1:]
    total = np.zeros_like(x)
    for down in range(3):
        for right in range(3):
            total += padded[:, down : down + rows, right : right + columns]
    return total / np.float32(9)


def without_drift(residuals: Array) -> Array:
    """Take each feature's mean over the picture out of ``(n, channels, rows, columns)``."""
    drift: Array = residuals.mean(axis=(2, 3), keepdims=True)
    return residuals - drift


def record_residual(recorder: Recorder, features: str, mean: Array, name: str) -> str:
    """Write the difference to ``mean`` without its drift."""
    mean_name = recorder.constant(f"{name}.mean", mean[None])
    residual = recorder.node("Sub", [features, mean_name], f"{name}.residual")
    drift = recorder.node("GlobalAveragePool", [residual], f"{name}.drift")
    return recorder.node("Sub", [residual, drift], f"{name}.undrifted")


def record_mean_of_channels(recorder: Recorder, x: str, name: str) -> str:
    """Write the mean over the channels, kept as a dimension of one."""
    axis = recorder.integers("axis.1", 1)
    return recorder.node("ReduceMean", [x, axis], name, keepdims=1)


@dataclass(frozen=True, slots=True)
class DiagonalHead:
    """Mean squared deviation in standard deviations."""

    kind: ClassVar[str] = "diagonal"

    mean: Array
    """``(channels, rows, columns)``."""
    inverse_deviation: Array
    """Likewise."""

    def distances(self, features: Array) -> Array:
        """Return ``(n, rows, columns)`` for features ``(n, channels, rows, columns)``."""
        scaled = without_drift(features - self.mean) * self.inverse_deviation
        return np.asarray((scaled * scaled).mean(axis=1), np.float32)

    def record(self, recorder: Recorder, features: str) -> str:
        """Write the same for one picture."""
        residual = record_residual(recorder, features, self.mean, "diagonal")
        scale = recorder.constant("diagonal.scale", self.inverse_deviation[None])
        scaled = recorder.node("Mul", [residual, scale], "diagonal.scaled")
        squared = recorder.node("Mul", [scaled, scaled], "diagonal.squared")
        return record_mean_of_channels(recorder, squared, "diagonal.distance")


def fit_diagonal(features: Array) -> DiagonalHead:
    """Fit on features of good pictures ``(n, channels, rows, columns)``, ``n`` at least 2."""
    mean = features.mean(axis=0)
    unseen = np.float32(SHIFT_PICTURES / (len(features) + SHIFT_PICTURES))
    variance = shrunk_variance(without_drift(features - mean))
    variance += unseen * spread_among_neighbours(mean)
    return DiagonalHead(
        mean=np.asarray(mean, np.float32),
        inverse_deviation=np.asarray(1 / np.sqrt(variance), np.float32),
    )
