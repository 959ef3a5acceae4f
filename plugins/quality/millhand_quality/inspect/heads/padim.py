"""PaDiM (Defard et al. 2021) for few pictures: a Gaussian with covariance for each cell, shrunk.

A cell's covariance is ``w`` of its own and ``1 - w`` of what is expected before any picture is
seen, with ``w = n / (n + 30)``: half the mean of the 3 by 3 cells around it, half the one pooled
over all cells. Features are first rotated and scaled so that the pooled covariance is the
identity, and only the directions of largest variance are kept, so that a cell's matrix is small;
what the kept directions leave over counts with the pooled covariance. The cells' matrices are
kept in 16 bits, which halves a package; run times turn them into 32 once, when they load it.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from millhand_quality.inspect.heads.diagonal import (
    record_mean_of_channels,
    record_residual,
    without_drift,
)
from millhand_quality.inspect.network import FLOAT, Recorder
from millhand_quality.inspect.trunk import Array

PRIOR_PICTURES = 30.0
DIRECTIONS = 48
"""Most directions with a covariance of their own in each cell."""
RIDGE = 0.1
"""Share of the identity mixed into the pooled correlation before it is inverted."""


@dataclass(frozen=True, slots=True)
class PadimHead:
    """Mahalanobis distance, a channel's share."""

    kind: ClassVar[str] = "padim"

    mean: Array
    """``(channels, rows, columns)``."""
    whitening: Array
    """``(channels, channels)``: rows are directions, largest variance first."""
    own: Array
    """``(rows, columns, directions, directions)``: roots of the cells' inverse covariances, as
    exact as 16 bits are."""

    def distances(self, features: Array) -> Array:
        """Return ``(n, rows, columns)`` for features ``(n, channels, rows, columns)``."""
        residuals = without_drift(features - self.mean)
        white = residuals.transpose(2, 3, 1, 0)
        white = self.whitening @ white
        kept = self.own.shape[-1]
        inner = self.own @ white[:, :, :kept]
        rest = white[:, :, kept:]
        total = (inner * inner).sum(axis=2) + (rest * rest).sum(axis=2)
        return np.asarray(total.transpose(2, 0, 1) / np.float32(white.shape[2]), np.float32)

    def record(self, recorder: Recorder, features: str) -> str:
        """Write the same for one picture."""
        channels, rows, columns = self.mean.shape
        kept = self.own.shape[-1]
        residual = record_residual(recorder, features, self.mean, "padim")
        white = recorder.node(
            "Conv",
            [residual, recorder.constant("padim.whitening", self.whitening[:, :, None, None])],
            "padim.white",
            kernel_shape=[1, 1],
        )
        sizes = recorder.integers("padim.split", kept, channels - kept)
        first, rest = recorder.nodes("Split", [white, sizes], ["padim.kept", "padim.rest"], axis=1)
        cells = recorder.node("Transpose", [first], "padim.cells", perm=[2, 3, 1, 0])
        inner = recorder.node("MatMul", [record_roots(recorder, self.own), cells], "padim.inner")
        squared = recorder.node("Mul", [inner, inner], "padim.inner_squared")
        axes = recorder.integers("padim.axes", 2, 3)
        kept_sum = recorder.node("ReduceSum", [squared, axes], "padim.kept_sum", keepdims=0)
        shape = recorder.integers("padim.shape", 1, 1, rows, columns)
        kept_sum = recorder.node("Reshape", [kept_sum, shape], "padim.kept_map")
        rest_squared = recorder.node("Mul", [rest, rest], "padim.rest_squared")
        rest_mean = record_mean_of_channels(recorder, rest_squared, "padim.rest_mean")
        share = recorder.constant("padim.share", np.array((channels - kept) / channels, np.float32))
        rest_part = recorder.node("Mul", [rest_mean, share], "padim.rest_part")
        scale = recorder.constant("padim.scale", np.array(1 / channels, np.float32))
        kept_part = recorder.node("Mul", [kept_sum, scale], "padim.kept_part")
        return recorder.node("Add", [kept_part, rest_part], "padim.distance")


def record_roots(recorder: Recorder, own: Array) -> str:
    """Write the cells' matrices in 16 bits, of which 32 are made as the graph is loaded."""
    kept = recorder.constant("padim.own", own.astype(np.float16))
    return recorder.node("Cast", [kept], "padim.roots", to=FLOAT)


def mean_of_neighbours(covariance: Array) -> Array:
    """Average ``(rows, columns, d, d)`` over 3 by 3 cells, the border repeated."""
    for axis in (0, 1):
        first, last = covariance.take([0], axis), covariance.take([-1], axis)
        before = np.concatenate([first, covariance], axis).take(range(covariance.shape[axis]), axis)
        after = np.concatenate([covariance, last], axis).take(
            range(1, covariance.shape[axis] + 1), axis
        )
        covariance = (before + covariance + after) / np.float32(3)
    return covariance


def pooled_whitening(residuals: Array) -> Array:
    """Return the matrix that makes the covariance pooled over all cells the identity."""
    channels = residuals.shape[1]
    flat = residuals.transpose(1, 0, 2, 3).reshape(channels, -1).astype(np.float64)
    covariance = flat @ flat.T / flat.shape[1]
    deviation = np.sqrt(np.maximum(np.diag(covariance), 1e-9))
    correlation = covariance / np.outer(deviation, deviation)
    correlation = (1 - RIDGE) * correlation + RIDGE * np.eye(channels)
    values, vectors = np.linalg.eigh(correlation)
    order = np.argsort(values)[::-1]
    matrix = (vectors[:, order] / np.sqrt(values[order])).T / deviation
    return np.asarray(matrix, np.float32)


def fit_padim(features: Array) -> PadimHead:
    """Fit on features of good pictures ``(n, channels, rows, columns)``, ``n`` at least 2."""
    count, channels = features.shape[:2]
    mean = features.mean(axis=0)
    residuals = without_drift(features - mean)
    whitening = pooled_whitening(residuals)
    kept = min(DIRECTIONS, channels - 1)
    cells = residuals.transpose(2, 3, 0, 1) @ whitening[:kept].T
    covariance = np.asarray(cells.swapaxes(2, 3) @ cells / np.float32(count - 1), np.float32)
    weight = np.float32(count / (count + PRIOR_PICTURES))
    expected = (mean_of_neighbours(covariance) + np.eye(kept, dtype=np.float32)) / 2
    shrunk = weight * covariance + (1 - weight) * expected
    own = np.linalg.inv(np.linalg.cholesky(shrunk))
    return PadimHead(
        mean=np.asarray(mean, np.float32),
        whitening=whitening,
        own=own.astype(np.float16).astype(np.float32),
    )
