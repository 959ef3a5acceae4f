"""What could not be journalled, kept in order and written as soon as it can be.

While the disk is full or the database away, parts go by and take the PLC's default, alarms are
raised, gates answer. Nothing waits for these entries, and nothing is carried out without its own;
but each part still gets its one disposition, each alarm its line.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections import deque
from collections.abc import Sequence
from itertools import islice

from millhand.engine.alarms import Alarms
from millhand.errors import Unavailable
from millhand.journal.entries import NewEntry
from millhand.journal.journal import Journal
from millhand.messages import tr

_RETRY_S = 0.5
_BATCH = 200
_MOST = 20_000
"""Entries kept, some kilobytes each; beyond these the oldest are given up, with an alarm."""


class Unrecorded:
    """Keeps entries that could not be written, bounded. Lives on the engine's loop."""

    def __init__(self, journal: Journal, alarms: Alarms) -> None:
        self._journal = journal
        self._alarms = alarms
        self._waiting: deque[NewEntry] = deque()
        self._given_up = 0
        self._arrived = asyncio.Event()
        self._writing = asyncio.Lock()

    def __len__(self) -> int:
        return len(self._waiting)

    def keep(self, entries: Sequence[NewEntry]) -> None:
        """Keep entries whose commit failed."""
        self._waiting.extend(entries)
        self._arrived.set()
        if len(self._waiting) <= _MOST:
            return
        while len(self._waiting) > _MOST:
            self._waiting.popleft()
            self._given_up += 1
        text = tr("{count} entries could not be kept until the journal can be written.",
                  count=self._given_up)  # fmt: skip
        self._alarms.raise_("entries_lost", self._journal.cell, text)

    async def run(self) -> None:
        """Write what waits, for ever."""
        while True:
            self._arrived.clear()
            if not self._waiting:
                await self._arrived.wait()
            await asyncio.sleep(_RETRY_S)
            with contextlib.suppress(Unavailable):
                await self.flush()

    async def flush(self) -> None:
        """Write all that waits now.

        Raises:
            Unavailable: the journal can still not be written.
        """
        async with self._writing:
            while self._waiting:
                await self._write(list(islice(self._waiting, _BATCH)))
        self._alarms.clear("journal_unavailable", self._journal.cell)

    async def _write(self, batch: list[NewEntry]) -> None:
        given_up = self._given_up
        await self._journal.append_durable(batch)
        for _ in range(len(batch) - (self._given_up - given_up)):
            self._waiting.popleft()
