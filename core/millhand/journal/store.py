"""Where entries lie: what SQLite and PostgreSQL have in common."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple

from msgspec import Struct
from sqlalchemy import Connection, Engine, PoolProxiedConnection, delete, insert, select
from sqlalchemy.exc import DBAPIError
from sqlalchemy.exc import TimeoutError as PoolTimeout

from millhand.errors import ConfigError, MillhandError, NeedsPerson, Unavailable
from millhand.journal import questions
from millhand.journal.chain import GENESIS, ChainHead
from millhand.journal.entries import Entry, kind_of
from millhand.journal.migrate import require_newest
from millhand.journal.questions import Shape
from millhand.journal.records import Checkpoint
from millhand.journal.schema import entry
from millhand.messages import tr


class Tail(NamedTuple):
    """Where the next entry goes."""

    head: ChainHead
    boot: int
    """Of the last entry; 0 for none."""
    segment: int
    """Segments sealed so far."""
    segment_first_seq: int
    """First entry of the segment that is not sealed yet."""


class Size(Struct, frozen=True, kw_only=True):
    """How much room the journal takes and has, in bytes."""

    used: int
    free: int | None
    """On the disk that holds it; None where that is another machine's."""


class Filter(NamedTuple):
    """Which entries are asked for. Sequence bounds are exclusive."""

    after: int = 0
    before: int | None = None
    kinds: tuple[str, ...] | None = None
    subject: str | None = None
    part: str | None = None
    id: str | None = None

    @property
    def shape(self) -> Shape:
        """What is asked, without the values."""
        return Shape(
            kinds=None if self.kinds is None else len(self.kinds),
            before=self.before is not None,
            subject=self.subject is not None,
            part=self.part is not None,
            id=self.id is not None,
        )


class Store(ABC):
    """One cell's entries in a database.

    Reads may come from any thread. ``tail``, ``append`` and ``maintain`` belong to the writer's.
    All raise :class:`~millhand.errors.Unavailable` when the database cannot do it now.
    """

    def __init__(self, place: str, cell: str) -> None:
        self.place = place
        """Names the journal in messages, without secrets."""
        self.cell = cell
        self.recovered_from: Path | None = None
        """Where a corrupt database was moved to when this one was opened."""
        self.first_boot = 1
        """Number of the first boot in an empty journal."""
        self._readers: Engine | None = None
        self._writer: PoolProxiedConnection | None = None
        self._insert_sql = ""

    # --- what differs ---

    @abstractmethod
    def open(self) -> None:
        """Take the lock of the one writer, bring the schema up to date, be ready.

        Raises:
            NotAllowed: another process writes to it.
            ConfigError: a newer version wrote it, or it is no journal.
            Unavailable: it cannot be reached or written.
        """

    @abstractmethod
    def open_readonly(self) -> None:
        """Be ready to read beside the engine; nothing is created, migrated or repaired."""

    @abstractmethod
    def size(self) -> Size:
        """Say how much room it takes and has."""

    @abstractmethod
    def maintain(self, *, idle: bool) -> None:
        """Do what may be done between commits; ``idle`` if nobody waits. Never raises."""

    @abstractmethod
    def _cleaners(self) -> Engine:
        """Return an engine for removing entries beside the writer."""

    @abstractmethod
    def _connect_writer(self) -> PoolProxiedConnection:
        """Return a new connection that holds whatever makes its writer the only one."""

    @abstractmethod
    def _begin(self, connection: Any) -> None:
        """Begin a transaction on the driver's connection, where that must be said."""

    @abstractmethod
    def _unavailable(self, error: BaseException) -> Unavailable:
        """Turn a driver's error into ours."""

    # --- writing ---

    def append(self, entries: Sequence[Entry]) -> None:
        """Insert entries in one transaction; on return they are on disk, or it raised."""
        rows = [
            (
                new.cell,
                new.boot,
                new.seq,
                new.id,
                new.kind,
                new.subject,
                new.part,
                new.at_utc_ns,
                new.body.decode(),
                new.prev,
                new.hash,
            )
            for new in entries
        ]
        # Core's own execute costs 50 to 100 µs a statement, as much as all the rest of a commit:
        # the statement that Core compiled goes straight to the driver.
        with self._writer_errors():
            connection = self._writing().driver_connection
            assert connection is not None
            self._begin(connection)
            if len(rows) == 1:
                connection.cursor().execute(self._insert_sql, rows[0])
            else:
                connection.cursor().executemany(self._insert_sql, rows)
            connection.commit()

    def remove_before(self, seq: int, at_most: int) -> int:
        """Remove the oldest entries before ``seq``, so many at once; return how many. Blocks.

        From any thread but the writer's, beside it.
        """
        oldest = (
            select(entry.c.seq)
            .where(entry.c.cell == self.cell, entry.c.seq < seq)
            .order_by(entry.c.seq)
            .limit(at_most)
        )
        statement = delete(entry).where(entry.c.cell == self.cell, entry.c.seq.in_(oldest))
        try:
            with self._cleaners().begin() as connection:
                return connection.execute(statement).rowcount
        except DBAPIError as error:
            raise self._unavailable(error.orig or error) from error

    def tail(self) -> Tail:
        """Read where the chain ends, as the only one who may continue it."""
        with self._writer_errors():
            self._writing()
        last = self.select(Filter(), limit=1, newest_first=True)
        checkpoints = Filter(kinds=(kind_of(Checkpoint),))
        sealed = self.select(checkpoints, limit=1, newest_first=True)
        return Tail(
            head=head_of(self.cell, last),
            boot=last[0].boot if last else 0,
            segment=self._segment_sealed_by(sealed[0]) if sealed else 0,
            segment_first_seq=sealed[0].seq if sealed else 1,
        )

    def _segment_sealed_by(self, checkpoint: Entry) -> int:
        try:
            record = checkpoint.record
        except NeedsPerson:  # tampered with: the engine starts all the same, and verifying tells
            return self.count(Filter(kinds=(checkpoint.kind,)))
        return record.segment if isinstance(record, Checkpoint) else 0

    def drop_writer(self) -> None:
        """Forget the writer's connection; the next use makes a new one."""
        if self._writer is not None:
            writer, self._writer = self._writer, None
            writer.invalidate()

    def close(self) -> None:
        """Let go of everything."""
        if self._readers is not None:
            self._readers.dispose()
        self.drop_writer()

    def _writing(self) -> PoolProxiedConnection:
        if self._writer is None:
            self._writer = self._connect_writer()
        return self._writer

    @contextmanager
    def _writer_errors(self) -> Iterator[None]:
        """After any error of the driver the writer's connection is not trusted again."""
        try:
            yield
        except MillhandError:
            raise
        except Exception as error:
            self.drop_writer()
            cause = error.orig if isinstance(error, DBAPIError) and error.orig else error
            if self._is_drivers(cause):
                raise self._unavailable(cause) from cause
            raise

    def _is_drivers(self, error: BaseException) -> bool:
        return self._readers is not None and isinstance(
            error, self._readers.dialect.loaded_dbapi.Error
        )

    # --- reading ---

    def select(
        self, which: Filter, *, limit: int | None, newest_first: bool = False
    ) -> list[Entry]:
        """Return the entries asked for, in order of ``seq``."""
        if which.kinds is not None and not which.kinds:
            return []
        statement = questions.entries(
            which.shape, limited=limit is not None, newest_first=newest_first
        )
        with self.reading() as connection:
            rows = connection.execute(statement, self._values(which) | {"limit": limit})
            return [_entry(row) for row in rows]

    def count(self, which: Filter) -> int:
        """Count the entries asked for."""
        with self.reading() as connection:
            statement = questions.count(which.shape)
            return connection.execute(statement, self._values(which)).scalar_one()

    def _values(self, which: Filter) -> dict[str, object]:
        kinds = {f"wanted_{n}": kind for n, kind in enumerate(which.kinds or ())}
        return {"cell": self.cell, **which._asdict(), **kinds}

    @contextmanager
    def reading(self) -> Iterator[Connection]:
        """Lend a connection for reading."""
        assert self._readers is not None
        try:
            with self._readers.connect() as connection:
                yield connection
        except DBAPIError as error:
            raise self._unavailable(error.orig or error) from error
        except PoolTimeout as error:
            raise Unavailable(
                tr("The journal {place} has too many readers at once.", place=self.place)
            ) from error

    def _ready_to_read(self) -> None:
        """Check the schema, and find the cell where it was not named."""
        with self.reading() as connection:
            require_newest(connection, self.place)
            if self.cell:
                return
            cells = list(connection.execute(select(entry.c.cell).distinct()).scalars())
        if not cells:
            raise Unavailable(
                tr("The journal {place} holds nothing yet.", place=self.place),
                mend=tr("It begins with its cell's first entry. Start the cell, or try again."),
            )
        if len(cells) != 1:
            raise ConfigError(
                tr(
                    "The journal {place} holds {count} cells: {cells}.",
                    place=self.place,
                    count=len(cells),
                    cells=", ".join(sorted(cells)),
                ),
                mend=tr("Name the cell."),
            )
        self.cell = cells[0]


def head_of(cell: str, newest: Sequence[Entry]) -> ChainHead:
    """Return the chain's end, given the newest entry or nothing."""
    if not newest:
        return ChainHead(cell=cell, seq=0, hash=GENESIS)
    return ChainHead(cell=cell, seq=newest[0].seq, hash=newest[0].hash)


def insert_statement(dialect: Any) -> str:
    """Return the insert as the driver takes it, with positional parameters in column order."""
    return str(insert(entry).compile(dialect=dialect))


def _entry(row: Any) -> Entry:
    cell, boot, seq, id_, kind, subject, part, at, body, prev, digest = row
    # bytes only where somebody has tampered with the type of the column
    raw = body if isinstance(body, bytes) else str(body).encode("utf-8", "surrogateescape")
    return Entry(cell, boot, seq, id_, kind, subject, part, at, raw, prev, digest)
