"""A folder of pictures or arrays as data to distil from."""

from __future__ import annotations

import hashlib
import re
import warnings
from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np
from PIL import Image, UnidentifiedImageError

from millhand.distil.dataset import Arrays, Item, Shelf
from millhand.distil.plan import DistilPlan, FolderUse
from millhand.errors import ConfigError
from millhand.messages import tr
from millhand.models.arrays import BadArrays, read_arrays
from millhand.models.manifest import Source

PIXEL_LIMIT = 100_000_000
PICTURES = frozenset({".png", ".jpg", ".jpeg", ".bmp", ".tif", ".tiff", ".webp"})
ARRAYS = ".npz"


class FolderSource:
    """Every picture gives ``image: (H, W, 3) uint8, RGB``; every ``.npz`` gives its arrays.

    Implements :class:`millhand.distil.dataset.DataSource`.
    """

    def __init__(self, use: FolderUse, base: Path, folder: Path | None = None) -> None:
        self._use = use
        self._root = base / use.folder if folder is None else folder
        self._items = tuple(self._find())

    def items(self) -> Sequence[Item]:
        """List all items in the order of their paths."""
        return self._items

    def read(self, item: Item) -> Arrays:
        """Read one item.

        Raises:
            ConfigError: the file is damaged, or is not what was listed.
        """
        path = self._root / item.id
        data = path.read_bytes()
        if hashlib.sha256(data).hexdigest() != item.sha256:
            raise ConfigError(tr("{path} changed while it was distilled from.", path=path))
        try:
            return read_arrays(data) if path.suffix == ARRAYS else {"image": _picture(path)}
        except (BadArrays, UnidentifiedImageError, OSError, ValueError, Warning) as error:
            raise ConfigError(
                tr("{path} cannot be read: {why}.", path=path, why=error),
                mend=tr("Remove the file, or copy it again."),
            ) from error

    def sources(self) -> Sequence[Source]:
        """State the folder as one source with the hash over its items' hashes."""
        hashes = "".join(sorted(item.sha256 for item in self._items))
        return (
            Source(
                name=self._use.folder,
                licence=self._use.licence,
                sha256=hashlib.sha256(hashes.encode()).hexdigest(),
                items=len(self._items),
                recipe=self._use.recipe,
            ),
        )

    def _find(self) -> Iterator[Item]:
        if not self._root.is_dir():
            raise ConfigError(
                tr("There is no data folder {path}.", path=self._root),
                mend=tr("Make it as its recipe says: {recipe}", recipe=self._use.recipe or "-"),
            )
        kinds = PICTURES | {ARRAYS}
        paths = (p for p in self._root.glob(self._use.pattern) if p.suffix.lower() in kinds)
        for path in sorted(paths):
            name = path.relative_to(self._root).as_posix()
            yield Item(
                id=name,
                group=_named(self._use.group, name, "group"),
                label=_named(self._use.label, name, "label"),
                shelf=_shelf(self._use.shelf, name) if self._use.shelf else None,
                sha256=hashlib.sha256(path.read_bytes()).hexdigest(),
            )


def plan_data(plan: DistilPlan, base: Path, folder: Path | None = None) -> FolderSource:
    """Open the data that a plan names; ``base`` is the folder of the plan's file.

    Args:
        plan: names the folder and how to read it.
        base: the folder of the plan's file.
        folder: in the place of the folder that the plan names.

    Raises:
        ConfigError: it names none, or they are not there.
    """
    if plan.data is None:
        raise ConfigError(
            tr("The plan {name} names no data.", name=plan.name),
            mend=tr("Add “data: {folder: …, licence: …}” to it."),
        )
    return FolderSource(plan.data, base, folder)


def _named(expression: str, name: str, group: str) -> str:
    found = re.fullmatch(expression, name)
    if found is None or group not in found.groupdict():
        raise ConfigError(
            tr("The plan's expression for {group} does not fit {name}.", group=group, name=name),
            mend=tr("Match the whole relative path, with (?P<{group}>…).", group=group),
        )
    return found[group] or ""


def _shelf(expression: str, name: str) -> Shelf:
    word = _named(expression, name, "shelf")
    try:
        return Shelf(word)
    except ValueError:
        raise ConfigError(
            tr("The plan's expression for shelf finds “{word}” in {name}.", word=word, name=name),
            mend=tr("Choose from: {names}.", names=", ".join(Shelf)),
        ) from None


def _picture(path: Path) -> np.ndarray[tuple[int, ...], np.dtype[np.uint8]]:
    with warnings.catch_warnings():
        warnings.simplefilter("error", Image.DecompressionBombWarning)
        with Image.open(path) as picture:
            if picture.width * picture.height > PIXEL_LIMIT:
                raise ValueError(tr("it has more than {n} pixels", n=PIXEL_LIMIT))
            return np.asarray(picture.convert("RGB"), dtype=np.uint8)
