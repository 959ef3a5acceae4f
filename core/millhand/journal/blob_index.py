"""Which blobs there are, how large, since when: a table that can be made again from the files."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import NamedTuple

_VERSION = 1
_SCHEMA = """
CREATE TABLE blob (name TEXT PRIMARY KEY, class TEXT NOT NULL, bytes INTEGER NOT NULL,
                   stored INTEGER NOT NULL) WITHOUT ROWID;
CREATE INDEX blob_by_age ON blob (class, stored);
"""


class Blob(NamedTuple):
    """One file of the store."""

    name: str
    """File name, ``<sha256>.png`` or ``<sha256>.bin``."""
    keeping: str
    """What its retention goes by: a part's disposition, or ``document``."""
    size: int
    stored_utc_ns: int


class BlobIndex:
    """A SQLite file beside the blobs. Not thread-safe: its owner serialises.

    Raises (every method):
        sqlite3.Error: the file cannot be read or written now.
    """

    def __init__(self, path: Path) -> None:
        self.total_bytes = 0
        self._path = path
        try:
            self._connection = self._connect()
        except sqlite3.DatabaseError:  # damaged: nothing is lost by beginning again
            for suffix in ("", "-wal", "-shm"):
                path.with_name(path.name + suffix).unlink(missing_ok=True)
            self._connection = self._connect()
        self.total_bytes = self._sum()

    def add(self, blob: Blob) -> None:
        """Note a blob, in place of what was known of it."""
        before = self.get(blob.name)
        with self._connection:
            self._connection.execute("INSERT OR REPLACE INTO blob VALUES (?, ?, ?, ?)", blob)
        self.total_bytes += blob.size - (before.size if before else 0)

    def get(self, name: str) -> Blob | None:
        """Return what is known of a blob."""
        row = self._connection.execute("SELECT * FROM blob WHERE name = ?", (name,)).fetchone()
        return None if row is None else Blob(*row)

    def remove(self, blob: Blob) -> None:
        """Forget a blob."""
        with self._connection:
            gone = self._connection.execute("DELETE FROM blob WHERE name = ?", (blob.name,))
        if gone.rowcount:
            self.total_bytes -= blob.size

    def classes(self) -> list[str]:
        """Return the classes that have blobs."""
        return [row[0] for row in self._connection.execute("SELECT DISTINCT class FROM blob")]

    def oldest(self, keeping: str, *, before_utc_ns: int | None = None) -> Iterator[Blob]:
        """Yield the blobs of a class, oldest first; remove each before the next is taken."""
        while True:
            row = self._connection.execute(
                "SELECT * FROM blob WHERE class = ? AND stored < ? ORDER BY stored LIMIT 1",
                (keeping, 2**63 - 1 if before_utc_ns is None else before_utc_ns),
            ).fetchone()
            if row is None:
                return
            yield Blob(*row)

    def names(self) -> set[str]:
        """Return the names of all blobs."""
        return {row[0] for row in self._connection.execute("SELECT name FROM blob")}

    def replace(self, gone: Iterable[str], found: Iterable[Blob]) -> None:
        """Put right, in one transaction, what a comparison with the files has shown."""
        with self._connection:
            self._connection.executemany(
                "DELETE FROM blob WHERE name = ?", ((name,) for name in gone)
            )
            self._connection.executemany("INSERT OR REPLACE INTO blob VALUES (?, ?, ?, ?)", found)
        self.total_bytes = self._sum()

    def close(self) -> None:
        """Let go of the file."""
        self._connection.close()

    def _connect(self) -> sqlite3.Connection:
        connection = sqlite3.connect(self._path, timeout=5.0, check_same_thread=False)
        try:
            connection.execute("PRAGMA journal_mode=WAL")
            connection.execute("PRAGMA synchronous=NORMAL")
            (version,) = connection.execute("PRAGMA user_version").fetchone()
            if version != _VERSION:
                connection.execute("DROP TABLE IF EXISTS blob")
                connection.executescript(_SCHEMA)
                connection.execute(f"PRAGMA user_version={_VERSION}")
        except BaseException:
            connection.close()
            raise
        return connection

    def _sum(self) -> int:
        (total,) = self._connection.execute("SELECT coalesce(sum(bytes), 0) FROM blob").fetchone()
        return int(total)
