"""Choosing what to look at: half around defects, half elsewhere, the hard ones more often."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from millhand_quality.inspect.distil.config import CELL, TEACHER_CELL
from millhand_quality.inspect.distil.examples import Examples

Corner = tuple[int, int]
GRID = TEACHER_CELL // CELL
"""Corners lie on the teacher's grid, in fine cells."""
NOWHERE = -1
UNIFORM = 0.5
"""Share of draws that take every example alike; the others take the hardest …"""
OF_SO_MANY = 6
"""… of so many."""
HARDEST = 1.0
"""Loss above which an example counts as no harder: what nobody can see must not draw all looks."""


@dataclass(frozen=True, slots=True)
class Crop:
    """A square of one example; the corner and side in fine cells."""

    place: int
    corner: Corner
    side: int

    def cells(self, whole: NDArray[np.generic], unit: int = 1) -> NDArray[np.generic]:
        """Cut the square from cells ``(n, rows, columns)``, each ``unit`` fine cells wide."""
        (row, column), side = self.corner, self.side // unit
        top, left = row // unit, column // unit
        return whole[self.place, top : top + side, left : left + side]

    def pixels(self, whole: NDArray[np.uint8]) -> NDArray[np.uint8]:
        """Cut the square from pictures ``(n, h, w, c)``."""
        (row, column), side = self.corner, self.side * CELL
        top, left = row * CELL, column * CELL
        return whole[self.place, top : top + side, left : left + side]


class CropDealer:
    """Deals crops, and looks again at what was hard in the last review.

    Args:
        examples: what to choose from.
        side: pixels of a side.
        random: source of all choices.
    """

    def __init__(self, examples: Examples, side: int, random: np.random.Generator) -> None:
        self._random = random
        self._shape = examples.marks.shape[1:]
        self._side = min(side // CELL, *self._shape)
        self._good = examples.good
        self._groups = [group for group in (examples.defective, self._good) if len(group)]
        self._hardness: NDArray[np.float32] | None = None
        self._marked = np.full((len(examples), 2), NOWHERE)
        for place in examples.defective:
            cells = np.argwhere(examples.marks[place])
            if len(cells):
                self._marked[place] = cells.mean(axis=0)
        self._worst = self._marked.copy()

    def deal(self, count: int) -> list[Crop]:
        """Return crops, by turns around a defect and of a good picture."""
        return [self._draw(self._groups[turn % len(self._groups)]) for turn in range(count)]

    def reviewed(self, hardness: NDArray[np.float32], worst: NDArray[np.int64]) -> None:
        """Learn how hard every example is, and where good pictures look worst.

        Args:
            hardness: loss of each example ``(n,)``.
            worst: row and column of each example's worst cell ``(n, 2)``.
        """
        self._hardness = np.minimum(hardness, HARDEST)
        self._worst[self._good] = worst[self._good]

    def _draw(self, group: NDArray[np.int64]) -> Crop:
        if self._hardness is None or self._random.random() < UNIFORM:
            place, focus = int(self._random.choice(group)), self._marked
        else:
            few = self._random.choice(group, size=OF_SO_MANY)
            place, focus = int(few[self._hardness[few].argmax()]), self._worst
        corner = [self._start(int(focus[place, axis]), axis) for axis in (0, 1)]
        return Crop(place, (corner[0], corner[1]), self._side)

    def _start(self, focus: int, axis: int) -> int:
        room = self._shape[axis] - self._side
        if focus == NOWHERE:
            start = int(self._random.integers(0, room + 1))
        else:
            reach = max(0, self._side // 2 - GRID)
            start = focus - self._side // 2 + int(self._random.integers(-reach, reach + 1))
        return int(round(min(max(start, 0), room) / GRID) * GRID)
