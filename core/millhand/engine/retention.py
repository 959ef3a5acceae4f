"""Keeps the journal as long as the scenario says: old segments go, what must outlive them stays."""

from __future__ import annotations

import asyncio
from collections.abc import Collection
from time import monotonic_ns, time_ns

import structlog

from millhand.engine.cell import Cell
from millhand.journal.entries import new_entry
from millhand.journal.records import ModeChange, Pruned
from millhand.messages import tr

log = structlog.get_logger(__name__)

_EVERY_S = 3600.0
_JUMP_NS = 3600 * 1_000_000_000
"""A wall clock that moved so far from the monotonic one has jumped."""
_PATIENCE_NS = 24 * _JUMP_NS
"""Nothing is removed for so long after a jump: a person may set the clock right."""


class Retention:
    """Removes sealed segments that are older than ``keep_s``, looking once an hour."""

    def __init__(self, cell: Cell, agents: Collection[str], keep_s: float) -> None:
        self._cell = cell
        self._agents = agents
        self._keep_ns = round(keep_s * 1e9)
        self._offset_ns = time_ns() - monotonic_ns()
        self._jumped_ns: int | None = None

    async def run(self) -> None:
        """Look for ever."""
        while True:
            if self._clock_can_be_trusted():
                await asyncio.to_thread(self.prune)
            await asyncio.sleep(_EVERY_S)

    def prune(self) -> Pruned | None:
        """Remove what is old enough now. Blocks.

        Raises:
            Unavailable: the journal cannot be written now.
        """
        journal = self._cell.journal
        older_than_ns = time_ns() - self._keep_ns
        newest = [
            entry.seq
            for agent in self._agents
            for entry in journal.read(kinds=("intent",), subject=agent, limit=1, newest_first=True)
        ]
        self._carry_modes_over(older_than_ns)
        # An agent's newest intent holds its memory and its place in the PLC's count.
        pruned = journal.prune(older_than_ns, keep_from=min(newest, default=None))
        if pruned is not None:
            log.info("journal_pruned", first=pruned.first_seq, last=pruned.last_seq)
        return pruned

    def _carry_modes_over(self, older_than_ns: int) -> None:
        """Say again what mode an agent is in, and who raised it, before the old entry may go."""
        journal = self._cell.journal
        for agent in self._agents:
            entry = journal.last("mode", subject=agent)
            if entry is None or entry.at_utc_ns >= older_than_ns:
                continue
            change = entry.record
            if not isinstance(change, ModeChange):
                continue
            reason = tr("carried over from entry {seq}", seq=entry.seq)
            again = ModeChange(
                agent=agent, before=change.now, now=change.now, by=change.by, reason=reason
            )
            name = f"{journal.cell}.{journal.boot}.mode.{entry.seq}"
            journal.append([new_entry(again, id=name, subject=agent)]).result()

    def _clock_can_be_trusted(self) -> bool:
        now_ns = monotonic_ns()
        offset_ns = time_ns() - now_ns
        jump_ns, self._offset_ns = offset_ns - self._offset_ns, offset_ns
        name = self._cell.name
        if abs(jump_ns) > _JUMP_NS:
            self._jumped_ns = now_ns
            text = tr("The clock jumped by {hours:.1f} h; nothing is removed for a day.",
                      hours=jump_ns / 3.6e12)  # fmt: skip
            self._cell.alarms.raise_("clock_jumped", name, text)
        if self._jumped_ns is not None and now_ns - self._jumped_ns < _PATIENCE_NS:
            return False
        self._cell.alarms.clear("clock_jumped", name)
        return True
