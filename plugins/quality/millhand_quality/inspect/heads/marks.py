"""What marked defects look like: a small net that reads the trunk's features beside the Gaussian.

The Gaussian knows what good parts look like and finds whatever differs; this has seen defects with
their marks and finds their like, however faint. It reads how far each feature lies from a good
part's, in standard deviations, on the grids of a fine and a coarse level::

    fine    3x3 ─┐
    coarse  1x1, enlarged ─┤ + what is known of each cell, ReLU
                           └─ 3x3, ReLU ─ 1x1 + what is known of each cell ─ logit of each cell

It is learnt in :mod:`millhand_quality.inspect.distil.marks`, which needs torch; this does not.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from millhand_quality.inspect.heads.diagonal import DiagonalHead, record_residual
from millhand_quality.inspect.network import Recorder
from millhand_quality.inspect.trunk import Array

FARTHEST = 12.0
"""Standard deviations at which a feature is cut off."""


@dataclass(frozen=True, slots=True)
class Marks:
    """A learnt reading of features. Logits become heat by ``max(0, logit - low) * scale``."""

    fine_scale: DiagonalHead
    """Where good parts' fine features lie."""
    coarse_scale: DiagonalHead
    fine: tuple[Array, Array]
    """Weight ``(w, channels, 3, 3)`` and bias."""
    coarse: Array
    """Weight ``(w, channels, 1, 1)``."""
    known: Array
    """``(1, w, rows, columns)``, on the fine grid."""
    join: tuple[Array, Array]
    """Weight ``(w, w, 3, 3)`` and bias."""
    logit: tuple[Array, Array]
    """Weight ``(1, w, 1, 1)`` and bias."""
    cells: Array
    """``(1, 1, rows, columns)``, added to the logits."""
    low: float
    """Logit of the worst cell of an ordinary good picture: from there on heat is added."""
    scale: float
    """Heat for one more logit."""

    def heat(self, logits: Array) -> Array:
        """Turn logits into heat."""
        above: Array = np.maximum(logits - np.float32(self.low), 0)
        return above * np.float32(self.scale)

    def record(self, recorder: Recorder, fine: str, coarse: str) -> str:
        """Write it for one picture; return the name of a heat map ``(1, 1, rows, columns)``."""
        with recorder.scope("marks.fine"):
            x = record_deviations(recorder, fine, self.fine_scale)
        with recorder.scope("marks.coarse"):
            y = record_deviations(recorder, coarse, self.coarse_scale)
        with recorder.scope("marks"):
            x = _convolved(recorder, x, "near", *self.fine)
            y = _convolved(recorder, y, "far", self.coarse)
            x = recorder.node("Add", [x, _enlarged(recorder, y)], "both")
            x = recorder.node("Add", [x, recorder.constant("known", self.known)], "placed")
            x = recorder.node("Relu", [x], "seen")
            x = recorder.node("Relu", [_convolved(recorder, x, "join", *self.join)], "joined")
            x = _convolved(recorder, x, "logit", *self.logit)
            above = self.cells - np.float32(self.low)
            x = recorder.node("Add", [x, recorder.constant("cells", above)], "above")
            x = recorder.node("Relu", [x], "positive")
            scale = recorder.constant("scale", np.array(self.scale, np.float32))
            return recorder.node("Mul", [x, scale], "heat")


def record_deviations(recorder: Recorder, features: str, scale: DiagonalHead) -> str:
    """Write how many standard deviations each feature lies from a good part's, cut off."""
    residual = record_residual(recorder, features, scale.mean, "from")
    per_deviation = recorder.constant("per_deviation", scale.inverse_deviation[None])
    scaled = recorder.node("Mul", [residual, per_deviation], "deviations")
    low = recorder.constant("lowest", np.array(-FARTHEST, np.float32))
    high = recorder.constant("highest", np.array(FARTHEST, np.float32))
    return recorder.node("Clip", [scaled, low, high], "cut")


def deviations(features: Array, scale: DiagonalHead) -> Array:
    """Return the same for features ``(n, channels, rows, columns)``."""
    residuals = features - scale.mean
    residuals -= residuals.mean(axis=(2, 3), keepdims=True)
    return np.asarray(np.clip(residuals * scale.inverse_deviation, -FARTHEST, FARTHEST), np.float32)


def _convolved(
    recorder: Recorder, x: str, name: str, weight: Array, bias: Array | None = None
) -> str:
    constants = [recorder.constant(f"{name}.weight", weight)]
    if bias is not None:
        constants.append(recorder.constant(f"{name}.bias", bias))
    kernel = weight.shape[-1]
    return recorder.node(
        "Conv", [x, *constants], name, kernel_shape=[kernel, kernel], pads=[kernel // 2] * 4
    )


def _enlarged(recorder: Recorder, x: str) -> str:
    scales = recorder.constant("enlarge", np.array([1, 1, 2, 2], np.float32))
    return recorder.node(
        "Resize",
        [x, "", scales],
        "enlarged",
        mode="nearest",
        coordinate_transformation_mode="asymmetric",
        nearest_mode="floor",
    )
