"""A first look at a page: which way up it lies and what it is written in, before it is read.

A few of its longest lines are recognised as they lie and, where they make no sense, turned by half.
Measured on rendered bills: tesseract's own test of orientation and script took 0.4 CPU-s, told
Chinese pages from Latin ones in a third of the cases, and turned one page in a hundred upside down.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray
from PIL import Image

Grey = NDArray[np.uint8]

_LONGEST = 640
"""Pixels of the longer side when lines are looked for: only the largest are needed."""
_LINES = 5
_FEWEST = 2
"""Lines without which nothing is told."""
_MAKES_SENSE = 0.85
"""Mean confidence from which on lines are not tried the other way up."""
_READABLE = 0.6
_UPWARDS = 1.5
"""A line this many times higher than wide runs up or down the page."""
_CJK = 0x2E7F
_CHINESE = 0.1
"""Share of a page's letters from which on it is in Chinese."""
_ENOUGH = 60
"""Letters without a mark that make a page plain Latin."""


class LineReader(Protocol):
    """Finds lines and reads one."""

    def corners(self, grey: Grey) -> list[NDArray[np.float32]]:
        """Return four corners ``(4, 2)``, in pixels, from the top left clockwise, of each line."""
        ...

    def sure_line(self, grey: Grey) -> tuple[str, float]:
        """Recognise one line; how sure it is, from 0 to 1."""
        ...


@dataclass(frozen=True, slots=True)
class Glance:
    """What a first look told."""

    quarters: int
    """How often the page must be turned by 90 degrees counterclockwise."""
    chinese: bool
    plain: bool = False
    """Latin letters without any mark: hardly Vietnamese."""


def glance(grey: Grey, reader: LineReader) -> Glance | None:
    """Look at a page, ``(height, width) uint8``; None where too little stands on it to tell."""
    shrink = max(grey.shape) / _LONGEST
    size = (round(grey.shape[1] / shrink), round(grey.shape[0] / shrink))
    small = np.asarray(Image.fromarray(grey).resize(size, Image.Resampling.BOX))
    found = sorted((one * shrink for one in reader.corners(small)), key=_length)[-_LINES:]
    if len(found) < _FEWEST:
        return None
    sideways = 2 * sum(_wide(one) * _UPWARDS < _high(one) for one in found) > len(found)
    lines = [cut for cut in (_cut(grey, one, sideways=sideways) for one in found) if cut.size]
    texts, sure = _read(lines, reader)
    half = False
    if sure < _MAKES_SENSE:
        other_texts, other_sure = _read([np.rot90(one, 2) for one in lines], reader)
        if other_sure > sure:
            texts, sure, half = other_texts, other_sure, True
    if sure < _READABLE:
        return None
    letters = [letter for letter in "".join(texts) if letter.isalpha()]
    chinese = sum(ord(letter) > _CJK for letter in letters)
    return Glance(
        quarters=sideways + 2 * half,
        chinese=chinese > _CHINESE * max(len(letters), 1),
        plain=len(letters) >= _ENOUGH and all(letter.isascii() for letter in letters),
    )


def _read(lines: Sequence[Grey], reader: LineReader) -> tuple[list[str], float]:
    """Read some lines; how sure they are in the mean."""
    read = [reader.sure_line(np.ascontiguousarray(one)) for one in lines]
    return [text for text, _ in read], sum(sure for _, sure in read) / max(len(read), 1)


def _wide(corners: NDArray[np.float32]) -> float:
    return float(np.linalg.norm(corners[1] - corners[0]))


def _high(corners: NDArray[np.float32]) -> float:
    return float(np.linalg.norm(corners[3] - corners[0]))


def _length(corners: NDArray[np.float32]) -> float:
    return max(_wide(corners), _high(corners))


def _cut(grey: Grey, corners: NDArray[np.float32], *, sideways: bool) -> Grey:
    """Cut a line out, level; one that runs upwards is turned by a quarter."""
    size = (max(round(_wide(corners)), 1), max(round(_high(corners)), 1))
    top_left, top_right, bottom_right, bottom_left = corners
    quad = np.concatenate([top_left, bottom_left, bottom_right, top_right]).tolist()
    cut = Image.fromarray(grey).transform(
        size, Image.Transform.QUAD, quad, Image.Resampling.BILINEAR
    )
    level: Grey = np.rot90(np.asarray(cut), int(sideways))
    return level
