"""A memory bank (PatchCore, Roth et al. 2022): the distance to the nearest of 500 good cells.

It asks for no fixed camera: any cell may look like any other. The 500 are chosen greedily so that
every good cell lies near one of them.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from millhand_quality.inspect.network import Recorder
from millhand_quality.inspect.trunk import Array

BANK_SIZE = 500
CANDIDATES = 8_000
"""Cells among which the bank is chosen; more are thinned out at random."""
PROJECTION = 32
"""Dimensions in which the bank is chosen (random projection); distances use all."""


@dataclass(frozen=True, slots=True)
class BankHead:
    """Mean squared deviation from the nearest entry, in standard deviations of the features."""

    kind: ClassVar[str] = "bank"

    bank: Array
    """``(entries, channels)``, scaled."""
    scale: Array
    """``(channels,)``: one over each feature's deviation."""

    def distances(self, features: Array) -> Array:
        """Return ``(n, rows, columns)`` for features ``(n, channels, rows, columns)``."""
        count, channels, rows, columns = features.shape
        cells = features.transpose(0, 2, 3, 1).reshape(-1, channels) * self.scale
        half = 0.5 * (self.bank * self.bank).sum(axis=1)
        nearest = np.empty(len(cells), np.float32)
        for start in range(0, len(cells), 4096):
            part = cells[start : start + 4096]
            closeness = (part @ self.bank.T - half).max(axis=1)
            nearest[start : start + 4096] = (part * part).sum(axis=1) - 2 * closeness
        shares = np.maximum(nearest, 0) / np.float32(channels)
        return np.asarray(shares.reshape(count, rows, columns), np.float32)

    def record(self, recorder: Recorder, features: str) -> str:
        """Write the same for one picture."""
        channels = len(self.scale)
        scale = recorder.constant("bank.scale", self.scale[None, :, None, None])
        cells = recorder.node("Mul", [features, scale], "bank.scaled")
        half = 0.5 * (self.bank * self.bank).sum(axis=1)
        closeness = recorder.node(
            "Conv",
            [
                cells,
                recorder.constant("bank.entries", self.bank[:, :, None, None]),
                recorder.constant("bank.half", np.asarray(-half, np.float32)),
            ],
            "bank.closeness",
            kernel_shape=[1, 1],
        )
        axis = recorder.integers("axis.1", 1)
        nearest = recorder.node("ReduceMax", [closeness, axis], "bank.nearest", keepdims=1)
        squared = recorder.node("Mul", [cells, cells], "bank.squared")
        length = recorder.node("ReduceSum", [squared, axis], "bank.length", keepdims=1)
        two = recorder.constant("bank.two", np.array(2, np.float32))
        doubled = recorder.node("Mul", [nearest, two], "bank.doubled")
        difference = recorder.node("Sub", [length, doubled], "bank.difference")
        bounded = recorder.node("Relu", [difference], "bank.bounded")
        share = recorder.constant("bank.share", np.array(1 / channels, np.float32))
        return recorder.node("Mul", [bounded, share], "bank.distance")


def choose_spread(cells: Array, size: int, seed: int) -> list[int]:
    """Choose ``size`` rows greedily, each the farthest from those before (k-centre).

    Args:
        cells: ``(n, d)``.
        size: how many; all when there are no more.
        seed: of the first choice.
    """
    if len(cells) <= size:
        return list(range(len(cells)))
    first = int(np.random.default_rng(seed).integers(len(cells)))
    chosen = [first]
    lengths = (cells * cells).sum(axis=1)
    nearest = np.full(len(cells), np.inf, np.float32)
    for _ in range(size - 1):
        last = cells[chosen[-1]]
        nearest = np.minimum(nearest, lengths - 2 * (cells @ last) + last @ last)
        chosen.append(int(nearest.argmax()))
    return chosen


def fit_bank(features: Array, seed: int = 0) -> BankHead:
    """Fit on features of good pictures ``(n, channels, rows, columns)``."""
    channels = features.shape[1]
    cells = features.transpose(0, 2, 3, 1).reshape(-1, channels)
    scale = np.asarray(1 / np.maximum(cells.std(axis=0), 1e-3), np.float32)
    random = np.random.default_rng(seed)
    if len(cells) > CANDIDATES:
        cells = cells[np.sort(random.choice(len(cells), CANDIDATES, replace=False))]
    cells = np.asarray(cells * scale, np.float32)
    directions = random.standard_normal((channels, PROJECTION)).astype(np.float32)
    chosen = choose_spread(cells @ directions, BANK_SIZE, seed)
    return BankHead(bank=cells[chosen], scale=scale)
