"""Data for distilling: items, their physical parts, and shelves that never mix.

An item belongs to a *group*, the physical part it was taken from. A group is never on two
shelves. Which shelf a group lies on depends on the group's name alone, so that it stays there
when the data grow: what was sealed for the test yesterday is not trained on tomorrow.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping, Sequence
from enum import StrEnum
from typing import Any, Protocol

from msgspec import Struct
from numpy.typing import NDArray
from pydantic import BaseModel, ConfigDict, Field, model_validator

from millhand.contracts.codec import to_json
from millhand.errors import ConfigError
from millhand.messages import tr
from millhand.models.manifest import Source

Arrays = Mapping[str, NDArray[Any]]


class Shelf(StrEnum):
    """What an item may be used for."""

    TRAIN = "train"
    """To fit, with its label."""
    POOL = "pool"
    """To fit, with the teacher's answers only."""
    CALIBRATION = "calibration"
    """To choose and to set thresholds."""
    TEST = "test"
    """Sealed: to measure, once."""


class Item(Struct, frozen=True, kw_only=True):
    """One thing to learn from: a picture, a document, a problem."""

    id: str
    group: str
    """The physical part, vendor or order it came from."""
    sha256: str
    label: str = ""
    shelf: Shelf | None = None
    """Where the source itself says what the item is for; else the split decides."""


class DataSource(Protocol):
    """Where items come from. Reading an item twice gives the same arrays."""

    def items(self) -> Sequence[Item]:
        """List all items, cheaply and without reading their content."""
        ...

    def read(self, item: Item) -> Arrays:
        """Read one item's arrays by name: ``{"image": (H, W, 3) uint8, RGB}``."""
        ...

    def sources(self) -> Sequence[Source]:
        """Say by what right and with what hashes the data are used; goes into the manifest."""
        ...


class Split(BaseModel):
    """Shares of the groups on each shelf; they sum to 1."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    train: float = Field(default=0.6, ge=0, le=1, description="Share to fit with labels.")
    pool: float = Field(default=0.0, ge=0, le=1, description="Share to fit on the teacher alone.")
    calibration: float = Field(default=0.2, ge=0, le=1, description="Share to set thresholds.")
    test: float = Field(default=0.2, ge=0, le=1, description="Share that is sealed.")
    salt: str = Field(default="", description="Change it to draw the shelves anew.")

    @model_validator(mode="after")
    def _whole(self) -> Split:
        if abs(self.train + self.pool + self.calibration + self.test - 1) > 1e-9:
            raise ValueError(tr("the shares must sum to 1"))
        return self

    def shelf(self, group: str) -> Shelf:
        """Return the shelf of ``group``: by its hash, whatever other groups there are."""
        digest = hashlib.sha256(f"{self.salt}\0{group}".encode()).digest()
        at, upto = int.from_bytes(digest[:8]) / 2**64, 0.0
        for shelf in (Shelf.TEST, Shelf.CALIBRATION, Shelf.POOL):
            upto += getattr(self, shelf.value)
            if at < upto:
                return shelf
        return Shelf.TRAIN


class Items(Sequence[Item]):
    """The items of one shelf, with a way to read them."""

    def __init__(self, source: DataSource, items: Sequence[Item]) -> None:
        self._source = source
        self._items = tuple(items)

    def __len__(self) -> int:
        return len(self._items)

    def __getitem__(self, index: Any) -> Any:
        return self._items[index]

    def read(self, item: Item) -> Arrays:
        """Read one item's arrays."""
        return self._source.read(item)

    def arrays(self) -> Iterator[tuple[Item, Arrays]]:
        """Yield each item with its arrays, one at a time."""
        for item in self._items:
            yield item, self._source.read(item)

    @property
    def fingerprint(self) -> str:
        """SHA-256 over ids, groups, labels and hashes of the items, whatever their order."""
        lines = sorted((i.id, i.group, i.label, i.sha256) for i in self._items)
        return hashlib.sha256(to_json(lines)).hexdigest()


class Dataset:
    """A source on its shelves. The test shelf is had only from a :class:`SealedTest`.

    Raises:
        ConfigError: a group lies on two shelves by the source's own word, an id stands twice,
            or a shelf with a share is empty.
    """

    def __init__(self, source: DataSource, split: Split) -> None:
        items = source.items()
        placed = _place(items, split)
        self._source = source
        self._shelves = {
            shelf: Items(source, [item for item in items if placed[item.group] is shelf])
            for shelf in Shelf
        }
        self.fingerprint = Items(source, items).fingerprint
        self.sources = tuple(source.sources())
        for shelf in Shelf:
            if getattr(split, shelf.value) and not self._shelves[shelf]:
                raise ConfigError(
                    tr("The data leave the shelf “{shelf}” empty.", shelf=shelf.value),
                    mend=tr("Add groups, or change the shares or the salt of the split."),
                )

    @property
    def train(self) -> Items:
        """Items to fit, with their labels."""
        return self._shelves[Shelf.TRAIN]

    @property
    def pool(self) -> Items:
        """Items to fit on the teacher's answers only."""
        return self._shelves[Shelf.POOL]

    @property
    def calibration(self) -> Items:
        """Items to choose and to set thresholds."""
        return self._shelves[Shelf.CALIBRATION]

    def sealed(self) -> Items:
        """The test shelf, for :class:`millhand.distil.sealed.SealedTest` alone."""
        return self._shelves[Shelf.TEST]


def _place(items: Sequence[Item], split: Split) -> dict[str, Shelf]:
    if len({item.id for item in items}) != len(items):
        raise ConfigError(tr("Two items of the data have the same id."))
    placed: dict[str, Shelf] = {}
    for item in items:
        shelf = item.shelf or split.shelf(item.group)
        if placed.setdefault(item.group, shelf) is not shelf:
            raise ConfigError(
                tr("The group {group} would lie on two shelves.", group=item.group),
                mend=tr("Pictures of one physical part belong on one shelf: sort them by part."),
            )
    return placed
