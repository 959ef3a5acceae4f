"""A shelf as squares on disk, and the views of them that teacher and students see."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from millhand.distil.dataset import Item, Items
from millhand.errors import ConfigError
from millhand.messages import tr
from millhand_quality.classify.crop import cut
from millhand_quality.classify.distil.config import GOOD, SIDE
from millhand_quality.classify.distil.labelled import Labelled
from millhand_quality.inspect.distil.examples import MASKS

MARGIN = 24
"""Pixels kept around a square on each side, so that a view may be moved."""
STORED = SIDE + 2 * MARGIN


class Squares(Labelled):
    """Squares ``(n, STORED, STORED, 3) uint8``, RGB, with room around them."""

    __slots__ = ()

    def middle(self) -> NDArray[np.uint8]:
        """Return the squares themselves, ``(n, SIDE, SIDE, 3)``."""
        return np.ascontiguousarray(self.stored[:, MARGIN:-MARGIN, MARGIN:-MARGIN])


def read_squares(items: Items, file: Path, step: Callable[[float], None]) -> Squares:
    """Read a shelf into ``file`` (``.npy``), or take it from there where it was read before.

    A picture with a mask is cut around what is marked; a good picture around a place that its
    hash draws; a picture of :data:`SIDE` pixels or less is taken whole.

    Raises:
        ConfigError: a file cannot be read, a defective picture has no mask and is larger than a
            square, or there is nothing on the shelf.
    """
    masks = {item.id: item for item in items if f"/{MASKS}/" in f"/{item.id}"}
    shown = [item for item in items if item.id not in masks]
    if not shown:
        raise ConfigError(tr("A shelf of the plan holds no pictures."))
    labels = tuple(item.label for item in shown)
    groups = tuple(item.group for item in shown)
    if file.exists():
        return Squares(np.load(file, mmap_mode="r"), labels, groups)
    pixels = np.empty((len(shown), STORED, STORED, 3), np.uint8)
    for place, item in enumerate(shown):
        pixels[place] = _square(items, item, masks)
        step((place + 1) / len(shown))
    fresh = file.with_suffix(".part")
    with fresh.open("wb") as out:
        np.save(out, pixels)
    fresh.replace(file)
    return Squares(pixels, labels, groups)


def _square(items: Items, item: Item, masks: dict[str, Item]) -> NDArray[np.uint8]:
    whole = items.read(item)["image"]
    if max(whole.shape[:2]) <= SIDE:
        return cut(whole, whole.shape[0] // 2, whole.shape[1] // 2, STORED)
    mask = masks.get(_mask_of(item.id))
    if mask is not None:
        rows, columns = np.nonzero(items.read(mask)["image"].max(axis=2))
        if len(rows):
            place = _nearest(rows, columns)
            return cut(whole, *place, STORED)
    if item.label != GOOD:
        raise ConfigError(
            tr("The defective picture {name} has no mask on its shelf.", name=item.id),
            mend=tr("Add its mask, or cut squares of {side} pixels from it.", side=SIDE),
        )
    drawn = hashlib.sha256(item.sha256.encode()).digest()
    row = SIDE // 2 + int.from_bytes(drawn[:4]) % (whole.shape[0] - SIDE + 1)
    column = SIDE // 2 + int.from_bytes(drawn[4:8]) % (whole.shape[1] - SIDE + 1)
    return cut(whole, row, column, STORED)


def _nearest(rows: NDArray[np.int64], columns: NDArray[np.int64]) -> tuple[int, int]:
    """Return the marked pixel nearest to the mark's middle: a bent crack's middle is bare."""
    away = (rows - rows.mean()) ** 2 + (columns - columns.mean()) ** 2
    place = int(away.argmin())
    return int(rows[place]), int(columns[place])


def _mask_of(name: str) -> str:
    """Return the path of a picture's mask in the MVTec layout."""
    parts = name.split("/")
    if len(parts) < 3:
        return ""
    above, kind, stem = parts[:-3], parts[-2], parts[-1].rpartition(".")[0]
    return "/".join([*above, MASKS, kind, f"{stem}_mask.png"])


@dataclass(frozen=True, slots=True)
class Ways:
    """How views differ from the squares that they show."""

    shift: int
    exposure: float
    turns: bool

    def view(self, squares: NDArray[np.uint8], draw: np.random.Generator) -> NDArray[np.uint8]:
        """Return a view of each square ``(n, STORED, STORED, 3)`` as ``(n, SIDE, SIDE, 3)``."""
        shown = np.empty((len(squares), SIDE, SIDE, 3), np.uint8)
        for place, square in enumerate(squares):
            top, left = MARGIN + draw.integers(-self.shift, self.shift + 1, 2)
            seen = square[top : top + SIDE, left : left + SIDE]
            if self.turns:
                seen = np.rot90(seen, int(draw.integers(4)))
                seen = seen[:, ::-1] if draw.integers(2) else seen
            gain = 1 + draw.uniform(-self.exposure, self.exposure)
            shown[place] = np.clip(seen * gain, 0, 255)
        return shown
