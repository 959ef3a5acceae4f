"""How foreign a picture is as a whole, on features that the student computes anyway.

Features are averaged over coarse cells. How far each lies from good pictures', in standard
deviations and cut off so that a defect counts no more than its cells, is averaged over the
picture: lamp, focus, camera and product change many cells, a defect few.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from millhand_quality.inspect.distil.config import CELL, TEACHER_CELL
from millhand_quality.inspect.network import Recorder
from millhand_quality.inspect.trunk import Array

POOL = TEACHER_CELL // CELL
FARTHEST = 8.0
"""Standard deviations at which a feature is cut off."""
SPREAD_FLOOR = 0.25
"""Share of a channel's mean spread below which no cell's spread is believed."""


@dataclass(frozen=True, slots=True)
class NoveltyModel:
    """Where good pictures' features lie: ``(channels, h/16, w/16)`` each."""

    mean: Array
    per_spread: Array
    """One over the standard deviation."""

    def __call__(self, features: Array) -> NDArray[np.float32]:
        """Return the novelty ``(n,)`` of features ``(n, channels, h/4, w/4)``."""
        away = np.abs((pooled(features) - self.mean) * self.per_spread)
        cut = np.minimum(away, np.float32(FARTHEST))
        return np.asarray(cut.mean(axis=(1, 2, 3)), np.float32)

    def record(self, recorder: Recorder, features: str, output: str) -> None:
        """Write the same for one picture."""
        sides = [POOL, POOL]
        x = recorder.node(
            "AveragePool", [features], "novelty.pooled", kernel_shape=sides, strides=sides
        )
        x = recorder.node("Sub", [x, recorder.constant("novelty.mean", self.mean)], "novelty.from")
        scale = recorder.constant("novelty.per_spread", self.per_spread)
        x = recorder.node("Mul", [x, scale], "novelty.away")
        x = recorder.node("Abs", [x], "novelty.size")
        farthest = recorder.constant("novelty.farthest", np.array(FARTHEST, np.float32))
        x = recorder.node("Min", [x, farthest], "novelty.cut")
        flat = recorder.node("Reshape", [x, recorder.integers("novelty.flat", -1)], "novelty.all")
        recorder.node("ReduceMean", [flat, recorder.integers("axis.0", 0)], output, keepdims=1)


def pooled(features: Array) -> Array:
    """Average features ``(n, channels, h/4, w/4)`` over cells of 16 pixels."""
    count, channels, rows, columns = features.shape
    split = features.reshape(count, channels, rows // POOL, POOL, columns // POOL, POOL)
    return np.asarray(split.mean(axis=(3, 5)), np.float32)


def fit_novelty(averaged: Array) -> NoveltyModel:
    """Fit on features of good pictures, already :func:`pooled`."""
    spread = averaged.std(axis=0)
    floor = SPREAD_FLOOR * spread.mean(axis=(1, 2), keepdims=True) + np.float32(1e-4)
    return NoveltyModel(
        mean=np.asarray(averaged.mean(axis=0), np.float32),
        per_spread=np.asarray(1 / np.maximum(spread, floor), np.float32),
    )
