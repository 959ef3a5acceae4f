"""Choosing what to look at: half around defects, half elsewhere, the hard ones more often."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

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
    """A square of one example, in fine cells, and how far the picture is moved under the grid."""

    place: int
    corner: Corner
    side: int
    shift: tuple[int, int] = (0, 0)
    """Pixels down and right; what would come from outside repeats the border."""

    def cells(self, whole: NDArray[np.generic], unit: int = 1) -> NDArray[np.generic]:
        """Cut the square from cells ``(n, rows, columns)``, each ``unit`` fine cells wide."""
        (row, column), side = self.corner, self.side // unit
        top, left = row // unit, column // unit
        return whole[self.place, top : top + side, left : left + side]

    def pixels(self, picture: NDArray[Any]) -> NDArray[Any]:
        """Cut the square from a picture or mask ``(h, w, …)``, moved by the shift."""
        rows, columns = (
            np.clip(np.arange(self.side * CELL) + start * CELL - moved, 0, length - 1)
            for start, moved, length in zip(self.corner, self.shift, picture.shape, strict=False)
        )
        return picture[rows[:, None], columns]


class CropDealer:
    """Deals crops, and looks again at what was hard in the last review.

    Args:
        examples: what to choose from.
        side: pixels of a side.
        reach: most pixels that a picture is moved by, either way.
        random: source of all choices.
    """

    def __init__(
        self, examples: Examples, side: int, reach: int, random: np.random.Generator
    ) -> None:
        self._random = random
        self._reach = reach
        self._shape = examples.cells
        self._side = min(side // CELL, *self._shape)
        self._good = examples.good
        self._groups = [group for group in (examples.defective, self._good) if len(group)]
        self._hardness: NDArray[np.float32] | None = None
        self._marked = np.full((len(examples), 2), NOWHERE)
        for place in examples.defective:
            pixels = np.argwhere(examples.mask(place))
            if len(pixels):
                self._marked[place] = pixels.mean(axis=0) / CELL
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
        down, right = self._random.integers(-self._reach, self._reach + 1, 2)
        return Crop(place, (corner[0], corner[1]), self._side, (int(down), int(right)))

    def _start(self, focus: int, axis: int) -> int:
        room = self._shape[axis] - self._side
        if focus == NOWHERE:
            start = int(self._random.integers(0, room + 1))
        else:
            reach = max(0, self._side // 2 - GRID)
            start = focus - self._side // 2 + int(self._random.integers(-reach, reach + 1))
        return int(round(min(max(start, 0), room) / GRID) * GRID)
