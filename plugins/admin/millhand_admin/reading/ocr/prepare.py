"""What is done to a picture before it is recognised: light taken out, letters made large enough."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageFilter

Grey = NDArray[np.uint8]

_UNEVEN = 0.07
"""Spread of the paper's brightness, over its mean, from which on a picture is a photograph."""
_SMALL = 32
_STROKES = 40
"""No stroke of a letter is longer than this part of a page's longer side."""


def background(grey: Grey) -> NDArray[np.float32]:
    """Return the paper's brightness at every pixel, ``(height, width)``: what is without ink."""
    height, width = grey.shape
    shrink = max(1, min(height, width) // (_SMALL * 4))
    image = Image.fromarray(grey).reduce(shrink).filter(ImageFilter.MaxFilter(9))
    blurred = image.filter(ImageFilter.GaussianBlur(8))
    smooth = blurred.resize((width, height), Image.Resampling.BILINEAR)
    return np.maximum(np.asarray(smooth, np.float32), 1.0)


def is_photograph(grey: Grey) -> bool:
    """Tell a photograph, with its uneven light, from a flat scan."""
    paper = background(grey)
    return bool(paper.std() / paper.mean() > _UNEVEN)


def evened(grey: Grey) -> Grey:
    """Divide by the background, so that the paper is white everywhere."""
    divided = grey.astype(np.float32) / background(grey) * 255.0
    even: Grey = np.clip(divided, 0, 255).astype(np.uint8)
    return even


def without_rules(grey: Grey) -> Grey:
    """Paint over straight level and upright lines: letters that touch a table's rules are misread.

    Args:
        grey: a page, ``(height, width) uint8``, upright.
    """
    longest = max(40, max(grey.shape) // _STROKES)
    paper = background(grey)
    ink = grey < 0.72 * paper
    rules = _long(ink, longest) | _long(ink.T, longest).T
    if not rules.any():
        return grey
    wide = np.asarray(Image.fromarray(rules).convert("L").filter(ImageFilter.MaxFilter(3))) > 0
    return np.where(wide, paper, grey).astype(np.uint8)


def _long(ink: NDArray[np.bool_], longest: int) -> NDArray[np.bool_]:
    """Keep runs of ink down a column that are longer than ``longest``."""
    starts = ink.copy()
    reach = 1
    while reach < longest:  # what is left begins a run of `reach` pixels
        step = min(reach, longest - reach)
        starts[:-step] &= starts[step:]
        starts[-step:] = False
        reach += step
    runs = starts
    filled = 1
    while filled < longest:
        step = min(filled, longest - filled)
        grown = runs.copy()
        grown[step:] |= runs[:-step]
        runs = grown
        filled += step
    return runs


def enlarged(grey: Grey, factor: float) -> Grey:
    """Enlarge a picture."""
    height, width = grey.shape
    size = (round(width * factor), round(height * factor))
    return np.asarray(Image.fromarray(grey).resize(size, Image.Resampling.BICUBIC))
