"""From differing pixels to boxes that a person can look at."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

CELL = 4
"""Pixels; marks in neighbouring cells belong together."""
MARGIN = 10
"""Pixels around the marks: people draw boxes with some of what is around."""

Cell = tuple[int, int]


@dataclass(frozen=True, slots=True)
class Box:
    """Where something differs: left and top inside, right and bottom just outside."""

    left: int
    top: int
    right: int
    bottom: int
    strength: float
    """Most differing pixels in a window."""

    def __str__(self) -> str:
        return f"x {self.left}, y {self.top}, {self.right - self.left}x{self.bottom - self.top}"


def boxes(counts: NDArray[np.uint8], above: float, margin: int = MARGIN) -> list[Box]:
    """Return the boxes of what differs, the strongest first.

    Args:
        counts: ``(height, width)``: at each differing pixel how many others are near; else 0.
        above: a box must hold a pixel with a higher count.
        margin: pixels added on all sides, within the picture.
    """
    height, width = counts.shape
    rows, columns = np.nonzero(counts)
    cells: dict[Cell, list[int]] = {}
    for place, cell in enumerate(zip(rows // CELL, columns // CELL, strict=True)):
        cells.setdefault((int(cell[0]), int(cell[1])), []).append(place)
    found = []
    for group in _groups(cells):
        places = [place for cell in group for place in cells[cell]]
        ys, xs = rows[places], columns[places]
        strength = float(counts[ys, xs].max())
        if strength > above:
            found.append(
                Box(
                    left=max(0, int(xs.min()) - margin),
                    top=max(0, int(ys.min()) - margin),
                    right=min(width, int(xs.max()) + 1 + margin),
                    bottom=min(height, int(ys.max()) + 1 + margin),
                    strength=strength,
                )
            )
    return sorted(found, key=lambda box: -box.strength)


def _groups(cells: dict[Cell, list[int]]) -> Iterator[list[Cell]]:
    """Yield cells that touch, also by a corner."""
    left = set(cells)
    while left:
        group, waiting = [], [left.pop()]
        while waiting:
            row, column = cell = waiting.pop()
            group.append(cell)
            around = {(row + down, column + right) for down in (-1, 0, 1) for right in (-1, 0, 1)}
            waiting.extend(near := around & left)
            left -= near
        yield group
