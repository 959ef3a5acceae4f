"""The bus: reading the journal as it grows.

A :class:`Cursor` reads what is stored, ``where seq > position``: it misses nothing and holds
nothing, and whoever keeps its position goes on there after any pause. A :class:`Follower` is for
somebody who watches now: entries are handed over in memory, and to one who is too slow a
:class:`Gap` says what was left out.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections import deque
from collections.abc import Collection, Sequence
from threading import Lock
from typing import Self

from msgspec import Struct

from millhand.errors import Unavailable
from millhand.journal.entries import Entry
from millhand.journal.readable import Watched

_PAGE = 500
_POLL_S = 0.2
"""How often a reader in another process looks; there is nobody to wake it."""


class Gap(Struct, frozen=True):
    """Entries left out, because the follower was too slow or its journal is not this one."""

    first_seq: int
    last_seq: int


class Doorbell:
    """Wakes the one task that waits, from any thread."""

    def __init__(self) -> None:
        self._loop = asyncio.get_running_loop()
        self._rung = asyncio.Event()
        self._on_its_way = False

    def ring(self) -> None:
        """Wake it, or let it not sleep next time. Many rings wake once."""
        if self._on_its_way:
            return
        self._on_its_way = True
        with contextlib.suppress(RuntimeError):  # the loop is closed: nobody waits any more
            self._loop.call_soon_threadsafe(self._rung.set)

    async def wait(self, timeout_s: float | None = None) -> None:
        """Return after a ring, at the latest after ``timeout_s``."""
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(timeout_s):
                await self._rung.wait()
        # In this order: what rings from here on is heard next time.
        self._on_its_way = False
        self._rung.clear()


class Cursor:
    """Yields stored entries after ``position`` and then those to come, none left out.

    Belongs to one task. Ends when the journal is closed. Raises
    :class:`~millhand.errors.Unavailable` where the store cannot be read now; ask again later.
    """

    def __init__(
        self, journal: Watched, after: int = 0, kinds: Collection[str] | None = None
    ) -> None:
        self.position = after
        """Sequence number of the last entry handed out: keep it to go on from here."""
        self._journal = journal
        self._kinds = None if kinds is None else frozenset(kinds)
        self._page: deque[Entry] = deque()
        self._bell = Doorbell()
        journal.listen(self)

    def hear(self, entries: Sequence[Entry]) -> None:
        """See :class:`Listener`."""
        if self._kinds is None or any(entry.kind in self._kinds for entry in entries):
            self._bell.ring()

    def end(self) -> None:
        """See :class:`Listener`."""
        self._bell.ring()

    def __aiter__(self) -> Self:
        return self

    async def __anext__(self) -> Entry:
        while not self._page:
            self._page.extend(await _read(self._journal, self.position, None, self._kinds))
            if not self._page:
                await self._bell.wait(None if self._journal.live else _POLL_S)
        entry = self._page.popleft()
        self.position = entry.seq
        return entry


class Follower:
    """Yields stored entries after ``after``, then live ones as they are committed.

    Belongs to one task. At most ``capacity`` live entries wait for it; when more come, the oldest
    are dropped, and a :class:`Gap` stands in their place. Ends when the journal is closed.
    """

    def __init__(
        self,
        journal: Watched,
        after: int = 0,
        kinds: Collection[str] | None = None,
        capacity: int = 1024,
    ) -> None:
        self.dropped = 0
        """Entries left out so far because nobody took them in time."""
        self._journal = journal
        self._kinds = None if kinds is None else frozenset(kinds)
        self._capacity = capacity
        self._lock = Lock()
        self._waiting: deque[Entry] = deque()
        self._gap: Gap | None = None
        self._ended = False
        self._bell = Doorbell()
        self._joined = journal.listen(self)
        self._history: deque[Entry] = deque()
        self._position = after
        if after > self._joined:
            self._gap = Gap(self._joined + 1, after)
            self._position = self._joined

    def hear(self, entries: Sequence[Entry]) -> None:
        """See :class:`Listener`."""
        kinds = self._kinds
        with self._lock:
            for entry in entries:
                if kinds is not None and entry.kind not in kinds:
                    continue
                if len(self._waiting) >= self._capacity:
                    self._drop(self._waiting.popleft().seq)
                self._waiting.append(entry)
        self._bell.ring()

    def end(self) -> None:
        """See :class:`Listener`."""
        self._ended = True
        self._bell.ring()

    def __aiter__(self) -> Self:
        return self

    async def __anext__(self) -> Entry | Gap:
        while True:
            if self._history:
                entry = self._history.popleft()
                self._position = entry.seq
                return entry
            if self._position < self._joined:
                await self._read_history()
                continue
            item = self._take()
            if item is not None:
                return item
            if self._ended:
                raise StopAsyncIteration
            if self._journal.live:
                await self._bell.wait()
            else:
                await self._bell.wait(_POLL_S)
                self._joined = self._journal.head

    async def _read_history(self) -> None:
        page = await _read(self._journal, self._position, self._joined + 1, self._kinds)
        self._history.extend(page)
        if not page:
            self._position = self._joined

    def _take(self) -> Entry | Gap | None:
        with self._lock:
            if self._gap is not None:
                gap, self._gap = self._gap, None
                return gap
            return self._waiting.popleft() if self._waiting else None

    def _drop(self, seq: int) -> None:
        self.dropped += 1
        self._gap = Gap(self._gap.first_seq if self._gap else seq, seq)


async def _read(
    journal: Watched, after: int, before: int | None, kinds: Collection[str] | None
) -> list[Entry]:
    """Read a page without holding up the loop; end the iteration when the journal is closed."""
    try:
        return await asyncio.to_thread(journal.read, after, before=before, kinds=kinds, limit=_PAGE)
    except Unavailable:
        if journal.closed:
            raise StopAsyncIteration from None
        raise
