"""The shelf of a plan as arrays on disk: pictures, and which cells are marked defective.

Files lie in the MVTec layout, or in several folders that do: ``…/train/good/x.png`` and
``…/test/good/x.png`` are good, ``…/test/<kind>/x.png`` is defective and
``…/ground_truth/<kind>/x_mask.png`` marks where. A picture and its mask belong to one group, so
that no shelf gets one without the other.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

import numpy as np
from numpy.typing import NDArray

from millhand.distil.dataset import Item, Items
from millhand.errors import ConfigError
from millhand.messages import tr
from millhand_quality.inspect.distil.config import CELL, TEACHER_CELL
from millhand_quality.inspect.pictures import Pixels, Shape

GOOD = "good"
MASKS = "ground_truth"


@dataclass(frozen=True, slots=True)
class Examples:
    """Pictures of one size with their marks."""

    pictures: NDArray[np.uint8]
    """``(n, height, width, 3)``, RGB, on disk."""
    masks: NDArray[np.uint8]
    """``(n, height, width / 8)``: the marked pixels, eight to a byte."""
    kinds: tuple[str, ...]
    """``good`` or the defect's name."""
    ids: tuple[str, ...]

    def __len__(self) -> int:
        return len(self.kinds)

    @property
    def cells(self) -> tuple[int, int]:
        """Rows and columns of cells."""
        return self.masks.shape[1] // CELL, self.masks.shape[2] * 8 // CELL

    def mask(self, place: int) -> NDArray[np.bool_]:
        """Return the marked pixels ``(height, width)`` of one picture."""
        return np.unpackbits(self.masks[place], axis=1).astype(bool)

    def marks(self, places: Sequence[int]) -> NDArray[np.uint8]:
        """Return how many pixels of each cell are marked, 0 to 16: ``(n, rows, columns)``."""
        return np.stack([marked(self.mask(place)) for place in places])

    @property
    def good(self) -> NDArray[np.int64]:
        """Places of the good pictures."""
        return np.array([n for n, kind in enumerate(self.kinds) if kind == GOOD], np.int64)

    @property
    def defective(self) -> NDArray[np.int64]:
        """Places of the others."""
        return np.array([n for n, kind in enumerate(self.kinds) if kind != GOOD], np.int64)

    @property
    def frame(self) -> Shape:
        """Size of the pictures."""
        return Shape.of(self.pictures[0])


@dataclass(frozen=True, slots=True)
class Pair:
    """A picture and its mask, where it is defective."""

    picture: Item
    mask: Item | None

    @property
    def kind(self) -> str:
        """``good`` or the defect's name: the folder it lies in."""
        return PurePosixPath(self.picture.id).parent.name


def pairs(items: Sequence[Item]) -> list[Pair]:
    """Match pictures with their masks.

    Raises:
        ConfigError: a defective picture has no mask, or no picture is there.
    """
    masks = {item.id: item for item in items if PurePosixPath(item.id).parts[-3:-2] == (MASKS,)}
    found = []
    for item in items:
        path = PurePosixPath(item.id)
        if item.id in masks:
            continue
        above = path.parent.parent.parent
        mask = masks.get(str(above / MASKS / path.parent.name / f"{path.stem}_mask.png"))
        if mask is None and path.parent.name != GOOD:
            raise ConfigError(
                tr("The defective picture {name} has no mask on its shelf.", name=item.id),
                mend=tr("Add its mask, and let the plan's “group” name both alike."),
            )
        found.append(Pair(item, mask))
    if not found:
        raise ConfigError(tr("A shelf of the plan holds no pictures."))
    return found


def read_examples(items: Items, file: Path, step: Callable[[float], None]) -> Examples:
    """Read a shelf into the file ``file`` (``.npy``), which stays mapped.

    Args:
        items: pictures and masks of a shelf.
        file: where the pixels are kept; they may not fit into memory.
        step: told the fraction done.

    Raises:
        ConfigError: sizes differ or do not fit the grid, a file cannot be read, or a defective
            picture has no mask.
    """
    found = pairs(items)
    frame = _frame(items.read(found[0].picture)["image"])
    shape = (len(found), frame.height, frame.width, frame.channels)
    pictures = np.lib.format.open_memmap(file, "w+", np.uint8, shape)
    masks = np.zeros((len(found), frame.height, frame.width // 8), np.uint8)
    for place, pair in enumerate(found):
        pictures[place] = _of_size(items.read(pair.picture)["image"], frame, pair.picture)
        if pair.mask is not None:
            mask = _of_size(items.read(pair.mask)["image"], frame, pair.mask)
            masks[place] = np.packbits(mask.max(axis=2) > 0, axis=1)
        step((place + 1) / len(found))
    return Examples(
        pictures,
        masks,
        tuple(pair.kind for pair in found),
        tuple(pair.picture.id for pair in found),
    )


def marked(mask: NDArray[np.bool_]) -> NDArray[np.uint8]:
    """Count the marked pixels of each cell of a mask ``(h, w)``."""
    height, width = mask.shape
    cells = mask.reshape(height // CELL, CELL, width // CELL, CELL)
    return np.asarray(cells.sum(axis=(1, 3)), np.uint8)


def _frame(pixels: Pixels) -> Shape:
    frame = Shape.of(pixels)
    if frame.height % (2 * TEACHER_CELL) or frame.width % (2 * TEACHER_CELL):
        raise ConfigError(
            tr("The student cannot be fitted to pictures of {shape}.", shape=frame),
            mend=tr("Height and width must be multiples of {cell}.", cell=2 * TEACHER_CELL),
        )
    return frame


def _of_size(pixels: Pixels, frame: Shape, item: Item) -> Pixels:
    if Shape.of(pixels) != frame:
        raise ConfigError(
            tr(
                "{path} is {own}, the others are {shape}.",
                path=item.id,
                own=Shape.of(pixels),
                shape=frame,
            ),
            mend=tr("A fixed camera gives one size: take it out, or resize all."),
        )
    return pixels
