"""Bank and PaDiM together: the sum of both, each in units of its own ordinary good cell."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from millhand_quality.inspect.heads.bank import BankHead, fit_bank
from millhand_quality.inspect.heads.padim import PadimHead, fit_padim
from millhand_quality.inspect.network import Recorder
from millhand_quality.inspect.trunk import Array

FEWEST_TO_HALVE = 4


@dataclass(frozen=True, slots=True)
class FusedHead:
    """Half of each, scaled."""

    kind: ClassVar[str] = "fused"

    bank: BankHead
    padim: PadimHead
    bank_scale: float
    padim_scale: float

    def distances(self, features: Array) -> Array:
        """Return ``(n, rows, columns)`` for features ``(n, channels, rows, columns)``."""
        bank = self.bank.distances(features) * np.float32(self.bank_scale)
        return bank + self.padim.distances(features) * np.float32(self.padim_scale)

    def record(self, recorder: Recorder, features: str) -> str:
        """Write the same for one picture."""
        parts = []
        for head, factor in ((self.bank, self.bank_scale), (self.padim, self.padim_scale)):
            name = f"fused.{head.kind}"
            scale = recorder.constant(f"{name}.scale", np.array(factor, np.float32))
            parts.append(recorder.node("Mul", [head.record(recorder, features), scale], name))
        return recorder.node("Add", parts, "fused.distance")


def fit_fused(features: Array, seed: int = 0) -> FusedHead:
    """Fit on features of good pictures ``(n, channels, rows, columns)``, ``n`` at least 2.

    A head's scale is one over its median distance on the half of the pictures that it has not
    seen, both ways; on pictures that it has seen the bank's distances are nearly nothing. With
    too few pictures to halve, both count as they are.
    """
    if len(features) < FEWEST_TO_HALVE:
        return FusedHead(fit_bank(features, seed), fit_padim(features), 0.5, 0.5)
    halves = features[0::2], features[1::2]
    bank_seen, padim_seen = [], []
    for fitted, other in (halves, halves[::-1]):
        bank_seen.append(float(np.median(fit_bank(fitted, seed).distances(other))))
        padim_seen.append(float(np.median(fit_padim(fitted).distances(other))))
    return FusedHead(
        bank=fit_bank(features, seed),
        padim=fit_padim(features),
        bank_scale=float(0.5 / max(sum(bank_seen) / 2, 1e-6)),
        padim_scale=float(0.5 / max(sum(padim_seen) / 2, 1e-6)),
    )
