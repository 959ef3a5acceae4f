"""What a journal's URL means: which store, and how a commit reaches the disk there."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from millhand.errors import ConfigError
from millhand.messages import tr

if TYPE_CHECKING:
    from millhand.journal.store import Store


def checked_synchronous(word: str) -> str:
    """Return SQLite's word in capitals.

    Raises:
        ConfigError: there is no such word.
    """
    known = ("OFF", "NORMAL", "FULL", "EXTRA")
    if word.upper() not in known:
        raise ConfigError(
            tr("synchronous is {word}; it may be {known}.", word=word, known=", ".join(known))
        )
    return word.upper()


def store_of(url: str | Path, cell: str, synchronous: str) -> Store:
    """Choose the store by its URL; SQLAlchemy is loaded here and not before.

    Raises:
        ConfigError: the URL is not understood, or names no place that lasts.
    """
    from millhand.journal.sqlite import SQLiteStore

    if isinstance(url, Path) or "://" not in url:
        path = Path(url)
    else:
        from sqlalchemy import make_url
        from sqlalchemy.exc import ArgumentError

        try:
            parsed = make_url(url)
        except ArgumentError as error:
            raise ConfigError(
                tr("The journal's URL cannot be understood: {url}", url=url)
            ) from error
        backend = parsed.get_backend_name()
        if backend == "postgresql":
            from millhand.journal.postgresql import PostgreSQLStore

            return PostgreSQLStore(parsed, cell=cell, synchronous=synchronous)
        if backend != "sqlite" or not parsed.database:
            raise ConfigError(
                tr("The journal can not lie in {url}.", url=parsed.render_as_string()),
                mend=tr("Name a file, or a PostgreSQL database as postgresql://user@host/name."),
            )
        path = Path(parsed.database)
    if str(path) == ":memory:":
        raise ConfigError(
            tr("The journal can not lie in memory: it would not be durable."),
            mend=tr("Name a file."),
        )
    return SQLiteStore(path, cell=cell, synchronous=synchronous)
