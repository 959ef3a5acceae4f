"""Choosing what to look at in a step: half around defects, half elsewhere, the hard ones more often."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from millhand_quality.inspect.distil.config import CELL, TEACHER_CELL
from millhand_quality.inspect.distil.examples import Examples

Corner = tuple[int, int]
GRID = TEACHER_CELL // CELL
"""Corners lie on the teacher's grid, in fine cells."""
UNIFORM = 0.5
"""Share of draws that take every example alike; the others follow how hard it was last time."""
HARDEST = 1.0
"""Loss above which an example counts as no harder, or what nobody can see would be all we look at."""


@dataclass(frozen=True, slots=True)
class Crop:
    """A square of one example; the corner and side in fine cells."""

    place: int
    corner: Corner
    side: int

    def cells(self, whole: NDArray[np.generic], unit: int = 1) -> NDArray[np.generic]:
        """Cut the square from an array of cells ``(n, rows, columns)``, ``unit`` fine cells each."""
        (row, column), side = self.corner, self.side // unit
        top, left = row // unit, column // unit
        return whole[self.place, top : top + side, left : left + side]

    def pixels(self, whole: NDArray[np.uint8]) -> NDArray[np.uint8]:
        """Cut the square from pictures ``(n, h, w, c)``."""
        (row, column), side = self.corner, self.side * CELL
        top, left = row * CELL, column * CELL
        return whole[self.place, top : top + side, left : left + side]


class CropDealer:
    """Deals crops and remembers how hard each example was, and where.

    Args:
        examples: what to choose from.
        side: pixels of a side.
        random: source of all choices.
    """

    def __init__(self, examples: Examples, side: int, random: np.random.Generator) -> None:
        self._random = random
        self._shape = examples.marks.shape[1:]
        self._side = min(side // CELL, *self._shape)
        self._groups = [group for group in (examples.defective, examples.good) if len(group)]
        self._hardness = np.full(len(examples), HARDEST)
        self._focus = np.full((len(examples), 2), -1)
        for place in examples.defective:
            marked = np.argwhere(examples.marks[place])
            if len(marked):
                self._focus[place] = marked.mean(axis=0)

    def deal(self, count: int) -> list[Crop]:
        """Return crops, by turns around a defect and of a good picture."""
        return [self._draw(self._groups[turn % len(self._groups)]) for turn in range(count)]

    def learnt(self, crops: Sequence[Crop], losses: Sequence[float]) -> None:
        """Remember how hard each crop was."""
        for crop, loss in zip(crops, losses, strict=True):
            self._hardness[crop.place] = min(loss, HARDEST)

    def _draw(self, group: NDArray[np.int64]) -> Crop:
        place = int(self._random.choice(group))
        if self._random.random() >= UNIFORM:
            few = self._random.choice(group, size=4)
            place = int(few[self._hardness[few].argmax()])
        corner = [self._start(place, axis) for axis in (0, 1)]
        return Crop(place, (corner[0], corner[1]), self._side)

    def _start(self, place: int, axis: int) -> int:
        room = self._shape[axis] - self._side
        focus = int(self._focus[place, axis])
        if focus < 0:
            start = int(self._random.integers(0, room + 1))
        else:
            third = self._side // 3
            start = focus - self._side // 2 + int(self._random.integers(-third, third + 1))
        return round(min(max(start, 0), room) / GRID) * GRID
