"""The trunk's features of a shelf, as deviations from good parts: computed once, kept on disk."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from millhand.errors import ConfigError
from millhand.messages import tr
from millhand_quality.inspect.detector import COARSE_TAPS, FINE_TAPS
from millhand_quality.inspect.distil.config import CELL
from millhand_quality.inspect.distil.examples import Examples
from millhand_quality.inspect.distil.marks_training import Deviations
from millhand_quality.inspect.features import FeatureExtractor, InputPlan, Taps, channels_of
from millhand_quality.inspect.heads.diagonal import DiagonalHead, fit_diagonal
from millhand_quality.inspect.heads.marks import deviations
from millhand_quality.inspect.pictures import Pixels
from millhand_quality.inspect.trunk import Array

SCALED_ON = 1_000
"""Most good pictures that say where features of good parts lie."""
AT_ONCE = 64


@dataclass(frozen=True, slots=True)
class Scales:
    """Where features of good parts lie, on both grids."""

    fine: DiagonalHead
    coarse: DiagonalHead


class MarksFeatures:
    """Computes what the net for marked defects reads.

    Args:
        plan: size of pictures and of the trunk's input.
        beside: further levels to compute for each picture.

    Raises:
        ConfigError: the trunk would see shrunk pictures, whose cells the marks do not fit.
    """

    def __init__(self, plan: InputPlan, beside: Iterable[Taps] = ()) -> None:
        if (plan.height, plan.width) != (plan.frame.height, plan.frame.width):
            raise ConfigError(
                tr("The student “quality.marks” has to see pictures as large as they are."),
                mend=tr(
                    "Set the teacher's “size” to {size}, or shrink the pictures.",
                    size=max(plan.frame.height, plan.frame.width),
                ),
            )
        assert plan.grid(FINE_TAPS) == (plan.height // CELL, plan.width // CELL)
        self._plan = plan
        levels = dict.fromkeys((FINE_TAPS, COARSE_TAPS, *beside))
        self._extractor = FeatureExtractor(plan, levels)

    def __call__(self, pixels: Pixels) -> dict[Taps, Array]:
        """Return features of one picture by level, ``(1, channels, rows, columns)``."""
        return {taps: array[None] for taps, array in self._extractor(pixels).items()}

    def shelf(
        self, examples: Examples, folder: Path, tell: Callable[[float], None]
    ) -> tuple[Scales, Deviations]:
        """Compute those of all examples; their good ones set the scales."""
        fine, coarse = (
            np.lib.format.open_memmap(
                folder / f"level{taps[0]}.npy",
                "w+",
                np.float16,
                (len(examples), channels_of(taps), *self._plan.grid(taps)),
            )
            for taps in (FINE_TAPS, COARSE_TAPS)
        )
        for place, pixels in enumerate(examples.pictures):
            found = self._extractor(np.ascontiguousarray(pixels))
            fine[place], coarse[place] = found[FINE_TAPS], found[COARSE_TAPS]
            tell((place + 1) / len(examples))
        good = examples.good[:SCALED_ON]
        return (
            Scales(_measured(fine, good), _measured(coarse, good)),
            Deviations(fine, coarse),
        )


def _measured(features: NDArray[np.float16], good: NDArray[np.int64]) -> DiagonalHead:
    """Fit the scale on good pictures and turn all features into deviations where they lie."""
    scale = fit_diagonal(features[good].astype(np.float32))
    for start in range(0, len(features), AT_ONCE):
        part = slice(start, start + AT_ONCE)
        features[part] = deviations(features[part].astype(np.float32), scale)
    return scale
