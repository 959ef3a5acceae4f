"""The journal of one cell, as its one writer has it: append, follow, prune; and read it."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Callable, Collection, Sequence
from concurrent.futures import Future
from pathlib import Path
from threading import Lock
from types import TracebackType
from typing import TYPE_CHECKING, Self
from weakref import WeakSet

from millhand.errors import ConfigError, MillhandError, NotAllowed, Unavailable
from millhand.journal.answers import Answer, LoopAnswer, Unattended
from millhand.journal.cursors import Cursor, Follower
from millhand.journal.entries import Entry, NewEntry, new_entry
from millhand.journal.readable import Listener
from millhand.journal.stored import StoredJournal
from millhand.journal.urls import checked_synchronous, store_of
from millhand.messages import tr

if TYPE_CHECKING:
    from millhand.journal.records import Pruned
    from millhand.journal.signing import SigningKey
    from millhand.journal.witness import Witness
    from millhand.journal.writer import Writer


class Journal(StoredJournal):
    """One cell's append-only record in a SQLite file or a PostgreSQL database.

    A context manager; opening and closing block. ``append`` and all reading may be called from any
    thread. What an ``append`` has answered is on disk.

    Args:
        url: path of a SQLite file, or ``sqlite:///…``, or ``postgresql://user@host/database``.
        cell: whose chain this is; several cells may share a database.
        synchronous: SQLite's word for how a commit reaches the disk. Anything less than
            ``FULL`` loses acknowledged entries in a power cut.
        segment_entries: after so many entries (and at each start) a checkpoint seals the segment.
        key: signs each checkpoint, and heads of the chain as it grows.
        witness: file that gets the signed heads; see :class:`~millhand.journal.witness.Witness`.

    Raises:
        ConfigError: the URL or ``synchronous`` is not understood.
    """

    def __init__(
        self,
        url: str | Path,
        *,
        cell: str,
        synchronous: str = "FULL",
        segment_entries: int = 100_000,
        key: SigningKey | None = None,
        witness: Path | None = None,
    ) -> None:
        if not cell:
            raise ConfigError(tr("The journal needs the name of its cell."))
        super().__init__(cell)
        self.boot = 0
        """Counts the starts of this cell's engine, from 1; 0 before opening and when read only."""
        self.recovered_from: Path | None = None
        """Where a corrupt file was moved to when this journal was opened: raise an alarm."""
        self._url = url
        self._synchronous = checked_synchronous(synchronous)
        self._segment_entries = segment_entries
        self._key = key
        self._witness_file = witness
        self._witness: Witness | None = None
        self._writer: Writer | None = None
        self._head = 0
        self._lock = Lock()
        self._listeners: WeakSet[Listener] = WeakSet()

    # --- life ---

    def open(self) -> Self:
        """Become the cell's one writer; migrate, recover and start the writer's thread.

        Raises:
            NotAllowed: another process writes it.
            ConfigError: a newer version wrote it, or it is something else than a journal.
            Unavailable: it cannot be reached or written now.
        """
        from millhand.journal.writer import Writer

        store = store_of(self._url, self._cell, self._synchronous)
        store.open()
        try:
            tail = store.tail()
        except BaseException:
            store.close()
            raise
        self._store = store
        self._head = tail.head.seq
        self.boot = tail.boot + 1 if tail.head.seq else store.first_boot
        self.recovered_from = store.recovered_from
        self._writer = Writer(
            store,
            tail=tail,
            boot=self.boot,
            segment_entries=self._segment_entries,
            sign=None if self._key is None else self._key.sign,
            publish=self._publish,
        )
        if self._key is not None and self._witness_file is not None:
            from millhand.journal.witness import Witness

            if self.recovered_from is not None:
                _beside(self._witness_file, self.recovered_from)
            self._witness = Witness(self._key, self._witness_file)
            self.listen(self._witness)
        return self

    @classmethod
    def open_readonly(cls, url: str | Path, *, cell: str | None = None) -> Journal:
        """Open for reading beside the engine that writes it, or without one.

        Args:
            url: as for the journal.
            cell: may be left out where the database holds only one.

        Raises:
            ConfigError: its schema is another version's, or the cell must be named.
            Unavailable: it is not there, damaged, or cannot be reached.
        """
        journal = cls(url, cell=cell or "?")
        store = store_of(url, cell or "", journal._synchronous)
        try:
            store.open_readonly()
        except BaseException:
            store.close()
            raise
        journal._store = store
        journal._cell = store.cell
        return journal

    def close(self) -> None:
        """Commit what waits and let go; followers and cursors end. Blocks; may be repeated."""
        if self._store is None or self._closed:
            return
        if self._writer is not None:
            self._writer.stop()
        with self._lock:
            self._closed = True
            listeners = list(self._listeners)
        for listener in listeners:
            listener.end()
        self._store.close()

    def __enter__(self) -> Self:
        return self if self._store is not None else self.open()

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    # --- writing ---

    def append(self, entries: Sequence[NewEntry]) -> Future[list[Entry]]:
        """Append entries, all or none, one after the other, in one commit; from any thread.

        The future is done when they are on disk. It fails with
        :class:`~millhand.errors.Unavailable` when the commit failed; the entries are then not to
        be relied on, though after a lost connection they may be there. A call cancelled before its
        turn writes nothing.
        """
        answer: Future[list[Entry]] = Future()
        self._submit(entries, answer)
        return answer

    def append_unattended(
        self, entries: Sequence[NewEntry], on_failure: Callable[[BaseException], None]
    ) -> None:
        """Append entries that nobody waits for, the cheapest way; from any thread.

        Args:
            entries: all or none, in one commit.
            on_failure: told, by the writer's thread, that they are not to be relied on.
        """
        self._submit(entries, Unattended(on_failure))

    def durable(self, entries: Sequence[NewEntry]) -> asyncio.Future[list[Entry]]:
        """Append at once; await the future where the entries must be on disk. For a loop's thread.

        Raises (by the future):
            Unavailable: the commit failed.
        """
        answer = LoopAnswer()
        self._submit(entries, answer)
        return answer.future

    async def append_durable(self, entries: Sequence[NewEntry]) -> list[Entry]:
        """Append and return the entries when they are on disk.

        Raises:
            Unavailable: the commit failed.
        """
        return await self.durable(entries)

    @property
    def fault(self) -> str:
        """Why the last commit failed, for a person; empty while all is well."""
        return self._writer.fault if self._writer is not None else ""

    @property
    def witness_fault(self) -> str:
        """Why the last signed head could not be exported; empty while all is well."""
        return self._witness.fault if self._witness is not None else ""

    def prune(self, older_than_utc_ns: int, *, keep_from: int | None = None) -> Pruned | None:
        """Remove the sealed segments that are older, and say so in the chain first. Blocks.

        The checkpoint that seals the newest of them stays, so that the rest is still proven. What
        an engine that ended on the way has left is removed too.

        Args:
            older_than_utc_ns: segments sealed before this go.
            keep_from: no entry from this number on is removed.

        Returns:
            What was removed; None where nothing is old enough.

        Raises:
            Unavailable: the journal cannot be written now.
        """
        from millhand.journal.pruning import prune

        return prune(self, self._stored(), self._say_pruned, older_than_utc_ns, keep_from)

    def _say_pruned(self, pruned: Pruned) -> None:
        name = f"{self.cell}.{self.boot}.pruned.{pruned.last_seq}"
        self.append([new_entry(pruned, id=name, subject=self.cell)]).result()

    # --- reading ---

    @property
    def head(self) -> int:
        """Sequence number of the last durable entry, 0 for none. Reads the store when read only."""
        return self._head if self._writer is not None else super().head

    @property
    def live(self) -> bool:
        """Whether this process writes it."""
        return self._writer is not None

    def follow(
        self, after: int = 0, kinds: Collection[str] | None = None, capacity: int = 1024
    ) -> Follower:
        """Watch: stored entries after ``after``, then live ones; a slow watcher gets gaps.

        Call it in a running event loop.
        """
        return Follower(self, after, kinds, capacity)

    def cursor(self, after: int = 0, kinds: Collection[str] | None = None) -> Cursor:
        """Read on and on from ``after``, missing nothing. Call it in a running event loop."""
        return Cursor(self, after, kinds)

    def listen(self, listener: Listener) -> int:
        """Tell ``listener`` of all entries after the sequence number returned, while it lives."""
        with self._lock:
            self._listeners.add(listener)
            if self._closed:
                listener.end()
            head = self._head
        return head if self._writer is not None else self.head

    # --- inside ---

    def _publish(self, entries: Sequence[Entry]) -> None:
        """Make durable entries known; called by the writer's thread."""
        with self._lock:
            self._head = entries[-1].seq
            for listener in self._listeners:
                listener.hear(entries)

    def _submit(self, entries: Sequence[NewEntry], answer: Answer) -> None:
        if self._writer is None or self._closed:
            answer.set_exception(self._not_writing())
        else:
            self._writer.submit(entries, answer)

    def _not_writing(self) -> MillhandError:
        if self._store is not None and not self._closed:
            return NotAllowed(tr("The journal is open for reading only."))
        return Unavailable(tr("The journal is not open."))


def _beside(witness: Path, moved: Path) -> None:
    """Move the exported heads of a damaged journal aside under the same stamp: evidence."""
    stamp = moved.name[moved.name.rindex(".corrupt-") :]
    with contextlib.suppress(OSError):
        witness.rename(witness.with_name(witness.name + stamp))
