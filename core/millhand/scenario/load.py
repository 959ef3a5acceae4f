"""Loading a scenario: from a file or folder to checked models, or to all that is wrong with it."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from pydantic import SecretStr, ValidationError

from millhand.errors import ConfigError, Place, Problem
from millhand.messages import tr
from millhand.scenario import secrets
from millhand.scenario.document import LARGEST_FILE, Document, KeyPath, read_document
from millhand.scenario.problems import not_there, problems_of
from millhand.scenario.schema import ScenarioFile
from millhand.scenario.words import kind_of

FILE_NAME = "scenario.yaml"
_FREE_KEYS: tuple[KeyPath, ...] = (
    ("devices",),
    ("simulation",),
    ("agents",),
    ("journal",),
    ("console",),
)
"""Where options of adapters, plants and agents stand, which may need secrets."""
_NO_OPTIONS: frozenset[KeyPath] = frozenset(
    {
        ("tags",),
        ("triggers",),
        ("channels",),
        ("lease",),
        ("machine",),
        ("see",),
        ("may",),
        ("model",),
    }
)
"""Keys of a device or agent whose entries have names of their own: a tag may be called token."""


@dataclass(frozen=True, slots=True)
class Scenario:
    """A scenario that was loaded: its content, its folder, and where each part of it stands."""

    file: ScenarioFile
    path: Path
    """The file it was read from."""
    sha256: str
    """Hash of the content as canonical JSON: comments and layout do not count."""
    document: Document = field(repr=False)

    @property
    def name(self) -> str:
        """The cell's name."""
        return self.file.name

    @property
    def folder(self) -> Path:
        """The folder that relative paths start from."""
        return self.path.parent

    def place(self, *path: str | int) -> Place:
        """Say where a key stands: ``place("agents", "inspector", "deadline")``.

        One text with dots does as well: ``place("agents.inspector.deadline")``.
        """
        return self.document.place(_split(path))

    def secret(self, reference: str) -> SecretStr:
        """Read the secret behind ``file:…`` or ``env:…``.

        Raises:
            ConfigError: it cannot be had; the message never holds the secret.
        """
        return secrets.resolve(reference, self.folder)

    @property
    def journal_url(self) -> str | None:
        """The journal's database, its secret read; None for the SQLite file in ``journal.folder``.

        Raises:
            ConfigError: the secret cannot be had.
        """
        url = self.file.journal.url
        if url is not None and secrets.is_reference(url):
            return self.secret(url).get_secret_value()
        return url

    def device_options(self, device: str) -> dict[str, Any]:
        """The adapter's own options of a device, with its secrets read.

        Raises:
            ConfigError: a secret cannot be had.
        """
        return self._filled(self.file.devices[device].options)

    def simulation_options(self) -> dict[str, Any]:
        """The simulated plant's own options, with its secrets read; empty without a simulation.

        Raises:
            ConfigError: a secret cannot be had.
        """
        if self.file.simulation is None:
            return {}
        return self._filled(self.file.simulation.options)

    def _filled(self, options: dict[str, Any]) -> dict[str, Any]:
        filled: dict[str, Any] = secrets.fill(options, lambda text, _path: self.secret(text))
        return filled


def _split(path: KeyPath) -> KeyPath:
    if len(path) == 1 and isinstance(path[0], str):
        return tuple(path[0].split("."))
    return path


def load(path: str | Path) -> Scenario:
    """Load a scenario from its file, or from the ``scenario.yaml`` in a folder.

    Raises:
        ConfigError: it cannot be read or something in it is wrong; carries every problem found.
    """
    path = Path(path)
    try:
        if path.is_dir():
            path = path / FILE_NAME
        if path.stat().st_size > LARGEST_FILE:
            raise _whole(
                path,
                tr("The file is too large."),
                tr("at most 1 MB"),
                tr("Split it into several cells."),
            )
        text = path.read_bytes().decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise _whole(
            path,
            tr("The file is no UTF-8 text (byte {n}).", n=error.start + 1),
            tr("UTF-8"),
            tr("Save it as UTF-8 in your editor."),
        ) from error
    except (OSError, ValueError) as error:
        why = error.strerror if isinstance(error, OSError) else str(error)
        raise _whole(
            path,
            tr("The file cannot be read: {why}.", why=why),
            tr("a scenario.yaml, or a folder that holds one"),
            tr("Give the path of the scenario's file or folder."),
        ) from error
    return load_text(text, path)


def load_text(text: str, path: str | Path = FILE_NAME) -> Scenario:
    """Load a scenario from text; ``path`` says where it is supposed to lie.

    Raises:
        ConfigError: something in it is wrong; carries every problem found.
    """
    path = Path(path)
    document = read_document(text, str(path))
    if not isinstance(document.data, dict):
        raise _whole(
            path,
            tr("The file holds {kind}.", kind=kind_of(document.data)),
            tr("a scenario, which begins with millhand: 1"),
            tr("Begin with the keys millhand, name, devices and agents."),
        )
    problems = [_literal_secret(document, where) for where in _literal_secrets(document)]
    try:
        file = ScenarioFile.model_validate(document.data)
    except ValidationError as error:
        problems += problems_of(error, ScenarioFile, document)
        raise ConfigError.of(_ordered(problems)) from None
    if problems:
        raise ConfigError.of(_ordered(problems))
    return Scenario(file, path, _fingerprint(document.data), document)


def _fingerprint(data: Any) -> str:
    text = json.dumps(data, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    return hashlib.sha256(text.encode()).hexdigest()


def _literal_secrets(document: Document) -> list[KeyPath]:
    return [
        path
        for root in _FREE_KEYS
        for path, value in secrets.values_in(document.at(root), root)
        if path[2:3] not in _NO_OPTIONS and secrets.is_literal(path, value)
    ]


def _literal_secret(document: Document, path: KeyPath) -> Problem:
    return Problem(
        document.place(path),
        tr("A secret stands in the file itself."),
        tr("a reference: file:secrets/NAME, or env:NAME"),
        tr("Put it into a file that only its user may read, and change it: it was seen here."),
    )


def _ordered(problems: list[Problem]) -> tuple[Problem, ...]:
    return tuple(
        sorted(problems, key=lambda found: (found.place.line or 0, found.place.column or 0))
    )


def _whole(path: Path, message: str, expected: str, mend: str) -> ConfigError:
    return ConfigError.of((not_there(str(path), message, expected, mend),))
