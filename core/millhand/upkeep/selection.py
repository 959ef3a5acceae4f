"""Which files of a scenario's folder a backup takes along: all that it needs, and no secret."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

from millhand.errors import ConfigError
from millhand.scenario import secrets
from millhand.scenario.load import Scenario
from millhand.upkeep.archive import LeftOut, Why

_PASSING = frozenset(
    {".git", ".hg", ".venv", "venv", "__pycache__", ".mypy_cache", ".ruff_cache", "node_modules"}
)
_SECRET_FOLDERS = frozenset({"secrets", ".ssh", ".gnupg"})
_SECRET_NAMES = frozenset({".env", ".netrc", ".pgpass"})
_KEY_SUFFIXES = frozenset({".key", ".p12", ".pfx", ".jks", ".kdbx"})
_KEY_MARK = b"PRIVATE KEY-----"
_LOOKED_THROUGH = 4 * 2**20
"""Bytes of a file that are searched for secrets; a model is larger and holds none."""
_SHORTEST = 6
"""Letters of a secret that is searched for; a shorter one would be found everywhere."""


class Selection:
    """Goes through a scenario's folder.

    Args:
        scenario: whose folder.
        without: a folder below it that is taken another way: the journal's.
    """

    def __init__(self, scenario: Scenario, without: Path) -> None:
        self.left_out: list[LeftOut] = []
        self._folder = scenario.folder
        self._without = without
        references = list(secret_references(scenario))
        self._referred = {
            os.path.normpath(scenario.folder / reference.removeprefix("file:"))
            for reference in references
            if reference.startswith("file:")
        }
        self._values = list(_secret_values(scenario, references))

    def files(self) -> Iterator[Path]:
        """Yield the files to take, in order of their names; ``left_out`` grows meanwhile."""
        yield from self._walk(self._folder)

    def _walk(self, folder: Path) -> Iterator[Path]:
        for path in sorted(folder.iterdir()):
            if path.absolute() == self._without.absolute():
                continue
            why = self._why_not(path)
            if why is not None:
                name = path.relative_to(self._folder).as_posix()
                self.left_out.append(LeftOut(name=name, why=why))
            elif path.is_dir():
                yield from self._walk(path)
            else:
                yield path

    def _why_not(self, path: Path) -> Why | None:
        if path.name in _PASSING:
            return Why.PASSING
        if path.is_symlink():
            return Why.LINK
        if path.is_dir():
            return Why.SECRET if path.name in _SECRET_FOLDERS else None
        if not path.is_file():
            return Why.LINK
        if path.name in _SECRET_NAMES or os.path.normpath(path) in self._referred:
            return Why.SECRET
        if path.suffix.lower() in _KEY_SUFFIXES:
            return Why.KEY
        with path.open("rb") as file:
            beginning = file.read(_LOOKED_THROUGH)
        if _KEY_MARK in beginning:
            return Why.KEY
        return Why.SECRET if any(value in beginning for value in self._values) else None


def secret_references(scenario: Scenario) -> Iterator[str]:
    """Yield every reference to a secret that stands in a scenario, each once."""
    found = (value for _, value in secrets.values_in(scenario.document.data))
    yield from dict.fromkeys(value for value in found if secrets.is_reference(value))


def _secret_values(scenario: Scenario, references: list[str]) -> Iterator[bytes]:
    """Yield the secrets that can be read here, to be searched for; never to be shown."""
    for reference in references:
        try:
            value = scenario.secret(reference).get_secret_value().encode()
        except ConfigError:
            continue
        if len(value) >= _SHORTEST:
            yield value
