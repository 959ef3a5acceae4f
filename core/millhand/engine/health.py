"""How the cell is: links that are down, a loop that was held up, checkpoints not exported."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from time import monotonic

from millhand.contracts import Health, Link
from millhand.engine.cell import Cell
from millhand.engine.runner import AgentRunner
from millhand.engine.watchdog import Blocked
from millhand.messages import tr

_EVERY_S = 0.2
_BLOCKED_STANDS_S = 10.0
"""How long the alarm of a blocked loop stands after the last time."""


class HealthWatch:
    """Raises and clears the alarms of what is wrong with the cell itself."""

    def __init__(self, cell: Cell, runners: Mapping[str, AgentRunner]) -> None:
        self._cell = cell
        self._runners = runners
        self._blocked_at: dict[str, float] = {}
        """Who held up the loop, and when last."""

    async def run(self) -> None:
        """Look again and again, for ever."""
        while True:
            self._watch_links()
            self._watch_witness()
            self._clear_blocked()
            await asyncio.sleep(_EVERY_S)

    def blocked(self, blocked: Blocked) -> None:
        """Say who held up the loop: the watchdog has seen it."""
        cell = self._cell
        known = [*self._runners, *cell.devices]
        owner = next(
            (name for name in known if blocked.task.startswith(f"{name}.")),
            blocked.task or cell.name,
        )
        text = tr(
            "{owner} held up the engine for {ms:.0f} ms ({where}).",
            owner=owner,
            ms=blocked.seconds * 1e3,
            where=blocked.where or tr("unknown where"),
        )
        cell.alarms.raise_("loop_blocked", owner, text)
        self._blocked_at[owner] = monotonic()

    def _watch_links(self) -> None:
        alarms = self._cell.alarms
        for name, device in self._cell.devices.items():
            health: Health = device.health()
            if health.link in (Link.DOWN, Link.REFUSED):
                text = tr("{device} is {link}: {detail}", device=name,
                          link=health.link.value, detail=health.words)  # fmt: skip
                alarms.raise_("device_down", name, text)
            elif health.link is Link.UP:
                alarms.clear("device_down", name)

    def _watch_witness(self) -> None:
        cell = self._cell
        fault = cell.journal.witness_fault
        if fault:
            text = tr("Signed checkpoints cannot be exported: {reason}", reason=fault)
            cell.alarms.raise_("checkpoint_not_exported", cell.name, text)
        else:
            cell.alarms.clear("checkpoint_not_exported", cell.name)

    def _clear_blocked(self) -> None:
        for owner, since in list(self._blocked_at.items()):
            if monotonic() - since > _BLOCKED_STANDS_S:
                del self._blocked_at[owner]
                self._cell.alarms.clear("loop_blocked", owner)
