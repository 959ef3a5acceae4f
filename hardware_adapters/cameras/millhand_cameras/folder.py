"""A folder of pictures as a camera."""

from __future__ import annotations

import re
from pathlib import Path
from typing import ClassVar

import numpy as np
from pydantic import BaseModel

from millhand.errors import ConfigError
from millhand.messages import tr
from millhand_cameras.camera import FileCamera
from millhand_cameras.config import FolderConfig
from millhand_cameras.decode import SUFFIXES, read_picture
from millhand_cameras.source import Ended, Picture

_DIGITS = re.compile(r"(\d+)")


class FolderCamera(FileCamera):
    """Shows the pictures in a folder, one at each trigger."""

    Config: ClassVar[type[BaseModel]] = FolderConfig

    def __init__(self, name: str, config: FolderConfig) -> None:
        super().__init__(name, lambda: FolderSource(config))


class FolderSource:
    """The pictures of a folder, in order. The folder is looked at again at each round.

    Raises:
        ConfigError: the folder is not there or holds no picture.
    """

    def __init__(self, config: FolderConfig) -> None:
        self._config = config
        self._round = 0
        self._at = 0
        self._files = self._list()
        if not self._files:
            raise ConfigError(
                tr(
                    "There are no pictures {pattern} in {folder}.",
                    pattern=config.pattern,
                    folder=config.path,
                ),
                mend=tr("Put PNG, JPEG, BMP, TIFF or WebP files there."),
            )

    def next(self) -> Picture:
        """Read the next picture; see :class:`millhand_cameras.source.Source`."""
        if self._at == len(self._files):
            self._begin_again()
        path = self._files[self._at]
        self._at += 1
        origin = path.relative_to(self._config.path).as_posix()
        return read_picture(path, origin, self._config)

    def close(self) -> None:
        """Hold nothing open between pictures: nothing to let go."""

    def _begin_again(self) -> None:
        if self._config.at_end == "loop":
            self._round += 1
            self._at = 0
            try:
                self._files = self._list()
            except ConfigError as error:
                self._files = []
                raise Ended(error.message, mend=error.mend) from error
        if self._at == len(self._files):
            raise Ended(
                tr("There are no more pictures in {folder}.", folder=self._config.path),
                mend=tr("Use at_end: loop to begin again after the last."),
            )

    def _list(self) -> list[Path]:
        folder = self._config.path
        try:
            if not folder.is_dir():
                raise ConfigError(
                    tr("There is no folder {folder}.", folder=folder),
                    mend=tr("Give the path of a folder with pictures."),
                )
            found = [p for p in folder.glob(self._config.pattern) if p.suffix.lower() in SUFFIXES]
        except OSError as error:
            raise ConfigError(
                tr("The folder {folder} cannot be read: {error}.", folder=folder, error=error),
                mend=tr("Let the engine's user read it."),
            ) from error
        found.sort(key=lambda path: natural(path.relative_to(folder).as_posix()))
        if self._config.order == "random":
            order = np.random.default_rng([self._config.seed, self._round]).permutation(len(found))
            return [found[index] for index in order]
        return found


def natural(name: str) -> list[tuple[int, str]]:
    """Return a key that sorts numbers in names by value: ``2.png`` before ``10.png``."""
    parts = _DIGITS.split(name)
    return [(int(part), part) if part.isdecimal() else (-1, part) for part in parts]
