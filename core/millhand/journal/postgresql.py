"""The journal in PostgreSQL: many cells in one table, each with its own chain and one writer."""

from __future__ import annotations

from typing import Any

from sqlalchemy import URL, Engine, PoolProxiedConnection, create_engine, text
from sqlalchemy.dialects.postgresql.psycopg import PGDialect_psycopg

from millhand.errors import ConfigError, NotAllowed, Unavailable
from millhand.journal.migrate import migrate
from millhand.journal.store import Size, Store, insert_statement
from millhand.messages import tr

_LOCK_SQL = "hashtextextended('millhand/' || :name, 0)"
"""Key of the advisory lock of a cell; of the schema for the empty name."""
_CONNECT_TIMEOUT_S = 5
_SILENCE_MS = 10_000
"""Unanswered for so long, a connection is dead."""
_FULL = {"53100"}
_READ_ONLY = {"25006", "42501"}


class PostgreSQLStore(Store):
    """Entries in a shared database. The one writer of a cell holds an advisory lock."""

    def __init__(self, url: URL, *, cell: str, synchronous: str = "FULL") -> None:
        super().__init__(url.render_as_string(hide_password=True), cell)
        self._url = url.set(drivername="postgresql+psycopg")
        self._commit_mode = "on" if synchronous in {"FULL", "EXTRA"} else "off"

    def open(self) -> None:
        """See :class:`Store`."""
        try:
            with self._writer_errors():
                self._connect()
                self._migrate()
                self._writing()
        except BaseException:
            self.close()
            raise
        self._insert_sql = insert_statement(
            PGDialect_psycopg(paramstyle="format")  # type: ignore[no-untyped-call]
        )

    def open_readonly(self) -> None:
        """See :class:`Store`."""
        self._connect()
        self._ready_to_read()

    def size(self) -> Size:
        """See :class:`Store`."""
        with self.reading() as connection:
            used = connection.execute(text("SELECT pg_total_relation_size('entry')")).scalar_one()
        return Size(used=int(used), free=None)

    def maintain(self, *, idle: bool) -> None:
        """Nothing: the server does it."""

    def _connect(self) -> None:
        try:
            self._engine = create_engine(
                self._url,
                pool_pre_ping=True,
                connect_args={
                    "connect_timeout": _CONNECT_TIMEOUT_S,
                    "tcp_user_timeout": _SILENCE_MS,
                    "application_name": "millhand",
                },
            )
        except ImportError as error:
            raise ConfigError(
                tr("A journal in PostgreSQL needs the library psycopg."),
                mend=tr("pip install 'millhand[postgresql]'"),
            ) from error
        self._readers = self._engine.execution_options(isolation_level="AUTOCOMMIT")

    def _migrate(self) -> None:
        with self._engine.begin() as connection:
            connection.execute(text(f"SELECT pg_advisory_xact_lock({_LOCK_SQL})"), {"name": ""})
            migrate(connection, self.place)

    def _cleaners(self) -> Engine:
        return self._engine

    def _connect_writer(self) -> PoolProxiedConnection:
        writer = self._engine.raw_connection()
        try:
            cursor = writer.cursor()
            cursor.execute(f"SET synchronous_commit TO {self._commit_mode}")
            cursor.execute(
                f"SELECT pg_try_advisory_lock({_LOCK_SQL})".replace(":name", "%s"), (self.cell,)
            )
            (held,) = cursor.fetchone() or (False,)
            writer.commit()
        except BaseException:
            writer.invalidate()
            raise
        if held:
            return writer
        writer.invalidate()
        raise NotAllowed(
            tr(
                "Another process writes to cell {cell} of the journal {place}.",
                cell=self.cell,
                place=self.place,
            ),
            mend=tr("Stop that engine first; reading beside it is possible."),
        )

    def _begin(self, connection: Any) -> None:
        """The driver begins by itself."""

    def _unavailable(self, error: BaseException) -> Unavailable:
        state = getattr(error, "sqlstate", None)
        if state in _FULL:
            return Unavailable(
                tr("The disk that holds the journal {place} is full.", place=self.place),
                mend=tr("Free some space on the database server; writing goes on by itself."),
            )
        if state in _READ_ONLY:
            return Unavailable(
                tr("The journal {place} cannot be written to.", place=self.place),
                mend=tr("Check the rights of the database user, and that it is not a replica."),
            )
        return Unavailable(
            tr(
                "The journal {place} does not work: {reason}.",
                place=self.place,
                reason=" ".join(str(error).split()),
            )
        )
