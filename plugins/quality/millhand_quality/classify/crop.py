"""A square cut from a picture around a place."""

from __future__ import annotations

import numpy as np

from millhand_quality.inspect.pictures import Pixels


def cut(pixels: Pixels, row: int, column: int, side: int) -> Pixels:
    """Return ``(side, side, 3) uint8`` around a place; beyond the picture's edge it is mirrored.

    Args:
        pixels: ``(h, w, c) uint8`` with one or three channels; grey becomes three alike.
        row: of the middle, in pixels.
        column: likewise.
        side: pixels of a side.
    """
    if pixels.shape[2] == 1:
        pixels = np.repeat(pixels, 3, axis=2)
    top, left = row - side // 2, column - side // 2
    rows = _mirrored(np.arange(top, top + side), pixels.shape[0])
    columns = _mirrored(np.arange(left, left + side), pixels.shape[1])
    return np.ascontiguousarray(pixels[rows][:, columns])


def _mirrored(
    places: np.ndarray[tuple[int], np.dtype[np.int64]], size: int
) -> np.ndarray[tuple[int], np.dtype[np.int64]]:
    """Fold places beyond either edge back into ``0 … size − 1``."""
    around = np.abs(places) % max(1, 2 * size - 2)
    return np.where(around < size, around, 2 * size - 2 - around)
