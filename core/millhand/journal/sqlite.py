"""The journal in a SQLite file: one engine writes, anybody may read."""

from __future__ import annotations

import contextlib
import errno
import os
import shutil
import sqlite3
import time
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from filelock import FileLock, Timeout
from sqlalchemy import Connection, Engine, NullPool, PoolProxiedConnection, QueuePool, create_engine
from sqlalchemy import event as listen
from structlog import get_logger

from millhand.errors import ConfigError, NotAllowed, Unavailable
from millhand.journal.entries import Entry
from millhand.journal.migrate import migrate
from millhand.journal.schema import VERSION_TABLE
from millhand.journal.store import Size, Store, insert_statement
from millhand.messages import tr

log = get_logger(__name__)

SYNCHRONOUS = ("OFF", "NORMAL", "FULL", "EXTRA")

_BUSY_TIMEOUT_S = 5.0
_CHECK_LIMIT_BYTES = 64 * 2**20
"""Up to this size every page is checked at open (about 0.1 s); above, only what is read."""
_PAGES_WHEN_IDLE = 1_000
_PAGES_AT_MOST = 8_000
"""Pages in the write-ahead log at which they are copied back: when nobody waits, and anyway."""
_PAGES_A_COMMIT = 8
_PAGE_BYTES = 4096
_SHARED_MEMORY_BYTES = 32_768
_NO_SHARED_MEMORY = {sqlite3.SQLITE_IOERR, sqlite3.SQLITE_CANTOPEN, sqlite3.SQLITE_FULL}
_DAMAGE = {sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB}


class SQLiteStore(Store):
    """Entries in a file in WAL mode, beside it ``<name>.lock`` held by the one writer."""

    def __init__(self, path: Path, *, cell: str, synchronous: str = "FULL") -> None:
        super().__init__(str(path), cell)
        self._path = path
        self._synchronous = synchronous
        self._lock = FileLock(_beside(path, ".lock"), timeout=0, thread_local=False)
        self._writers: Engine | None = None
        self._pages_written = 0

    def open(self) -> None:
        """See :class:`Store`."""
        try:
            self._path.parent.mkdir(parents=True, exist_ok=True)
            self._lock.acquire()
        except Timeout as error:
            raise NotAllowed(
                tr("Another process writes to the journal {place}.", place=self.place),
                mend=tr("Stop that engine first; reading beside it is possible."),
            ) from error
        except OSError as error:
            raise self._unavailable(error) from error
        try:
            self._open_locked()
        except BaseException:
            self.close()
            raise

    def _open_locked(self) -> None:
        if self._path.exists() and self._is_damaged():
            self.first_boot = _boot_after(self._path, self.cell)
            self.recovered_from = self._move_aside()
            log.error("journal.corrupt", place=self.place, moved_to=str(self.recovered_from))
        self._writers = self._engine(read_only=False)
        self._readers = self._engine(read_only=True)
        with self._writer_errors(), self._writers.begin() as connection:
            migrate(connection, self.place)
        self._insert_sql = insert_statement(self._writers.dialect)

    def open_readonly(self) -> None:
        """See :class:`Store`."""
        if not self._path.is_file():
            raise Unavailable(
                tr("There is no journal {place}.", place=self.place),
                mend=tr("Check the path; the engine makes it when it first runs."),
            )
        self._readers = self._engine(read_only=True)
        self._ready_to_read()

    def size(self) -> Size:
        """See :class:`Store`."""
        used = 0
        for suffix in ("", "-wal", "-shm"):
            with contextlib.suppress(FileNotFoundError):
                used += _beside(self._path, suffix).stat().st_size
        return Size(used=used, free=shutil.disk_usage(self._path.parent).free)

    def maintain(self, *, idle: bool) -> None:
        """Copy the write-ahead log back after the answers are out, not inside somebody's commit."""
        limit = _PAGES_WHEN_IDLE if idle else _PAGES_AT_MOST
        if self._pages_written < limit or self._writer is None:
            return
        self._pages_written = 0
        connection = self._writer.driver_connection
        assert isinstance(connection, sqlite3.Connection)
        try:
            connection.execute("PRAGMA wal_checkpoint(PASSIVE)").fetchall()
        except sqlite3.Error as error:  # the next commit finds out what is wrong
            log.warning("journal.checkpoint_failed", place=self.place, reason=str(error))
            self.drop_writer()

    def append(self, entries: Sequence[Entry]) -> None:
        """See :class:`Store`."""
        try:
            super().append(entries)
        except Unavailable as error:
            if error.__cause__ is not None and _code(error.__cause__) in _DAMAGE:
                with contextlib.suppress(OSError):  # tells the next start
                    _beside(self._path, ".damaged").touch()
            raise
        self._pages_written += _PAGES_A_COMMIT + sum(
            1 + len(new.body) // _PAGE_BYTES for new in entries
        )

    def close(self) -> None:
        """See :class:`Store`."""
        super().close()
        if self._writers is not None:
            self._writers.dispose()
        self._lock.release()

    # --- connections ---

    def _engine(self, *, read_only: bool) -> Engine:
        def connect() -> sqlite3.Connection:
            return self._connect(read_only=read_only)

        if read_only:
            return create_engine("sqlite://", creator=connect, poolclass=QueuePool)
        engine = create_engine("sqlite://", creator=connect, poolclass=NullPool)
        # The driver's own idea of when a transaction begins leaves schema changes outside it.
        listen.listen(engine, "begin", _begin_immediate)
        return engine

    def _connect(self, *, read_only: bool) -> sqlite3.Connection:
        if not read_only:
            return self._opened("rwc", read_only=False)
        if not self._can_share_memory():
            return self._opened("ro&immutable=1", read_only=True)
        try:
            return self._opened("ro", read_only=True)
        except sqlite3.OperationalError as error:
            # A full disk has no room for the memory that readers share; a file that was closed in
            # good order can be read without.
            if _code(error) not in _NO_SHARED_MEMORY or self._has_log():
                raise
            return self._opened("ro&immutable=1", read_only=True)

    def _opened(self, mode: str, *, read_only: bool) -> sqlite3.Connection:
        connection = sqlite3.connect(
            f"{self._path.absolute().as_uri()}?mode={mode}",
            uri=True,
            timeout=_BUSY_TIMEOUT_S,
            isolation_level=None,
            check_same_thread=False,
        )
        try:
            self._prepare(connection, read_only=read_only)
        except BaseException:
            connection.close()
            raise
        return connection

    def _has_log(self) -> bool:
        """Whether committed entries may lie in the write-ahead log alone."""
        try:
            return _beside(self._path, "-wal").stat().st_size > 0
        except FileNotFoundError:
            return False

    def _prepare(self, connection: sqlite3.Connection, *, read_only: bool) -> None:
        if read_only:
            # Damaged text must reach the one who verifies, and not end the reading.
            connection.text_factory = _lenient_text
            connection.execute("PRAGMA schema_version").fetchone()  # it opens nothing before
            return
        (mode,) = connection.execute("PRAGMA journal_mode=WAL").fetchone()
        if mode != "wal":
            raise ConfigError(
                tr("The file system that holds {place} cannot share memory.", place=self.place),
                mend=tr("Put the journal on a local disk."),
            )
        connection.execute(f"PRAGMA synchronous={self._synchronous}")
        connection.execute(f"PRAGMA wal_autocheckpoint={2 * _PAGES_AT_MOST}")
        if self._synchronous in {"FULL", "EXTRA"}:  # macOS: flush the drive's cache as well
            connection.execute("PRAGMA fullfsync=ON")
            connection.execute("PRAGMA checkpoint_fullfsync=ON")

    def _can_share_memory(self) -> bool:
        """Whether readers can join the writer, or the file lies still on a read-only disk."""
        return _beside(self._path, "-shm").exists() or os.access(self._path.parent, os.W_OK)

    def _cleaners(self) -> Engine:
        assert self._writers is not None
        return self._writers

    def _connect_writer(self) -> PoolProxiedConnection:
        assert self._writers is not None
        return self._writers.raw_connection()

    def _begin(self, connection: Any) -> None:
        connection.execute("BEGIN IMMEDIATE")

    # --- damage ---

    def _is_damaged(self) -> bool:
        """Whether SQLite itself finds the file broken. An edited entry is no damage."""
        if _beside(self._path, ".damaged").exists():
            return True
        try:
            with contextlib.closing(self._connect(read_only=True)) as connection:
                _require_journal(connection, self.place)
                if self._path.stat().st_size > _CHECK_LIMIT_BYTES:
                    return False
                (found,) = connection.execute("PRAGMA quick_check(1)").fetchone()
                return bool(found != "ok")
        except sqlite3.Error as error:
            if _code(error) in _DAMAGE:
                return True
            raise self._unavailable(error) from error

    def _move_aside(self) -> Path:
        stamp = datetime.now(UTC).strftime("%Y%m%dT%H%M%S.%fZ")
        aside = _beside(self._path, f".corrupt-{stamp}")
        try:
            self._path.rename(aside)
            for suffix in ("-wal", "-shm"):
                with contextlib.suppress(FileNotFoundError):
                    _beside(self._path, suffix).rename(_beside(aside, suffix))
            _beside(self._path, ".damaged").unlink(missing_ok=True)
        except OSError as error:
            raise self._unavailable(error) from error
        return aside

    def _unavailable(self, error: BaseException) -> Unavailable:
        code = _code(error)
        number = error.errno if isinstance(error, OSError) else None
        if code in _DAMAGE:
            return Unavailable(
                tr("The journal {place} is damaged.", place=self.place),
                mend=tr("Restart the engine: it moves the file aside and starts a new one."),
            )
        if code == sqlite3.SQLITE_FULL or number == errno.ENOSPC or self._is_out_of_room(code):
            return Unavailable(
                tr("The disk that holds the journal {place} is full.", place=self.place),
                mend=tr("Free some space; writing goes on by itself."),
            )
        if code == sqlite3.SQLITE_READONLY or number in {errno.EROFS, errno.EACCES}:
            return Unavailable(
                tr("The journal {place} cannot be written to.", place=self.place),
                mend=tr("Check the owner of the file and whether its disk is read-only."),
            )
        return Unavailable(
            tr("The journal {place} does not work: {reason}.", place=self.place, reason=error)
        )

    def _is_out_of_room(self, code: int | None) -> bool:
        """Whether an unnamed error comes from a full disk: SQLite does not always say so."""
        if code not in _NO_SHARED_MEMORY:
            return False
        try:
            return shutil.disk_usage(self._path.parent).free < _SHARED_MEMORY_BYTES
        except OSError:
            return False


def _beside(path: Path, suffix: str) -> Path:
    return path.with_name(path.name + suffix)


def _code(error: BaseException) -> int | None:
    """Return SQLite's primary result code."""
    code = getattr(error, "sqlite_errorcode", None)
    return None if code is None else code & 0xFF


def _begin_immediate(connection: Connection) -> None:
    connection.exec_driver_sql("BEGIN IMMEDIATE")


def _lenient_text(raw: bytes) -> str:
    return raw.decode("utf-8", "surrogateescape")


def _require_journal(connection: sqlite3.Connection, place: str) -> None:
    """Refuse to make ourselves at home in somebody else's database."""
    tables = {
        name for (name,) in connection.execute("SELECT name FROM sqlite_master WHERE type='table'")
    }
    if tables and VERSION_TABLE not in tables:
        raise ConfigError(
            tr("{place} is a SQLite database, but not a journal.", place=place),
            mend=tr("Name another file."),
        )


def _boot_after(damaged: Path, cell: str) -> int:
    """Return a boot number never used before, so that ids do not repeat in the new journal."""
    try:
        with contextlib.closing(
            sqlite3.connect(f"{damaged.absolute().as_uri()}?mode=ro", uri=True)
        ) as old:
            (boot,) = old.execute("SELECT max(boot) FROM entry WHERE cell = ?", (cell,)).fetchone()
            return int(boot) + 1
    except (sqlite3.Error, TypeError):
        return int(time.time())
