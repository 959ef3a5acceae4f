"""A picture set upright: turned by quarters and by the angle at which its lines are sharpest."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from millhand_admin.reading.ocr.prepare import Grey, background
from millhand_admin.reading.page import Turn

_LONGEST = 700
"""Pixels of the longer side when the angle is looked for."""
_WIDEST = 8.0
_COARSE, _FINE = 1.0, 0.1
_LEVEL = 0.15
"""Degrees below which turning is not worth the blur."""


def straightened(grey: Grey, quarters: int = 0) -> tuple[Grey, Turn | None]:
    """Turn a picture upright.

    Args:
        grey: ``(height, width) uint8``.
        quarters: how often it is turned by 90 degrees counterclockwise first.

    Returns:
        The picture, and how it was turned; None where it was not.
    """
    upright: Grey = np.ascontiguousarray(np.rot90(grey, quarters)) if quarters % 4 else grey
    degrees = skew(upright)
    if abs(degrees) < _LEVEL:
        degrees = 0.0
        if not quarters % 4:
            return grey, None
    turn = Turn(quarters % 4, degrees, upright.shape[0] / upright.shape[1])
    return turned(grey, turn), turn


def turned(grey: Grey, turn: Turn) -> Grey:
    """Turn a picture; it keeps its size but for the quarters."""
    upright: Grey = np.ascontiguousarray(np.rot90(grey, turn.quarters))
    if not turn.degrees:
        return upright
    paper = int(np.percentile(upright, 80))
    image = Image.fromarray(upright).rotate(turn.degrees, Image.Resampling.BICUBIC, fillcolor=paper)
    return np.asarray(image)


def skew(grey: Grey) -> float:
    """Return by how many degrees, counterclockwise, the picture must be turned to be level.

    Where rows of ink and rows of paper differ most, lines are level (projection profile: W. Postl,
    "Detection of linear oblique structures and skew scan in digitized documents", ICPR 1986).
    """
    shrink = max(1, max(grey.shape) // _LONGEST)
    small = np.asarray(Image.fromarray(grey).reduce(shrink))
    ink = np.clip(1.0 - small / background(small) - 0.15, 0, 1).astype(np.float32)
    if ink.sum() < 50:
        return 0.0
    image = Image.fromarray(ink)
    coarse = np.arange(-_WIDEST, _WIDEST + 0.01, _COARSE)
    rough = float(coarse[int(np.argmax([_sharpness(image, angle) for angle in coarse]))])
    fine = np.arange(rough - _COARSE, rough + _COARSE + 0.01, _FINE)
    return float(fine[int(np.argmax([_sharpness(image, angle) for angle in fine]))])


def _sharpness(image: Image.Image, degrees: float) -> float:
    turned: NDArray[np.float32] = np.asarray(
        image.rotate(float(degrees), Image.Resampling.BILINEAR), np.float32
    )
    inner = turned[:, turned.shape[1] // 12 : -turned.shape[1] // 12]
    profile = inner.sum(axis=1)
    return float(np.square(np.diff(profile)).sum())
