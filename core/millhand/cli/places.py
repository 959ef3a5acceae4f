"""Finding the journal that a person means: by scenario, folder, file or URL."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click

from millhand.errors import ConfigError
from millhand.messages import tr

if TYPE_CHECKING:
    from collections.abc import Callable

    from millhand.journal.journal import Journal

F = TypeVar("F", bound="Callable[..., Any]")


@dataclass(frozen=True, slots=True)
class JournalPlace:
    """Where a journal lies, and where its pictures and answers lie."""

    target: str | Path
    """Database URL or SQLite file."""
    folder: Path
    """The folder that pictures and the inbox for answers lie in."""
    cell: str | None = None

    def open(self) -> Journal:
        """Open it for reading.

        Raises:
            Unavailable: there is none, or it cannot be read now.
        """
        from millhand.journal.journal import Journal

        return Journal.open_readonly(self.target, cell=self.cell)

    @property
    def blobs(self) -> Path:
        """The folder of pictures and documents."""
        from millhand.journal.places import BLOBS

        return self.folder / BLOBS

    @property
    def inbox(self) -> Path:
        """The folder in which people's answers wait for the engine."""
        from millhand.journal.places import INBOX

        return self.folder / INBOX


def find_journal(where: str, cell: str | None = None) -> JournalPlace:
    """Find the journal behind a scenario, a folder, a SQLite file or a database URL.

    A scenario that has become invalid does not hide its journal, as long as that lies in the
    usual place.

    Raises:
        ConfigError: nothing like that is there.
    """
    from millhand.journal.places import FILE_NAME

    if "://" in where:
        return JournalPlace(where, Path(), cell)
    path = Path(where)
    if path.is_dir() and (path / FILE_NAME).is_file():
        return JournalPlace(path / FILE_NAME, path, cell)
    if path.is_dir() or path.suffix in (".yaml", ".yml"):
        return _of_scenario(path, cell)
    if path.is_file():
        return JournalPlace(path, path.parent, cell)
    raise ConfigError(
        tr("There is no journal at {path}.", path=path),
        mend=tr("Name a scenario, the folder of a run, a journal file or a database URL."),
    )


def _of_scenario(path: Path, cell: str | None) -> JournalPlace:
    from millhand.journal.places import FILE_NAME, journal_folder, journal_target
    from millhand.scenario.load import load

    usual = (path if path.is_dir() else path.parent) / "journal"
    try:
        scenario = load(path)
        return JournalPlace(
            journal_target(scenario), journal_folder(scenario), cell or scenario.name
        )
    except ConfigError:
        if (usual / FILE_NAME).is_file():
            return JournalPlace(usual / FILE_NAME, usual, cell)
        raise


def where_argument(command: F) -> F:
    """Add the argument WHERE and the option ``--cell`` to a command that reads a journal."""
    command = click.option(
        "--cell", help=tr("The cell, where a database holds several."), metavar="NAME"
    )(command)
    return click.option(
        "--at",
        "where",
        default=".",
        show_default=True,
        metavar="WHERE",
        type=click.Path(),
        help=tr("Scenario, folder of a run, journal file, or database URL."),
    )(command)
