"""Attacks on the processes that agents live in, and by a bad neighbour among them."""

from __future__ import annotations

import contextlib
import os
import signal

from millhand.attack.arena import Arena
from millhand.attack.attack import Finding, NotApplicable, judged
from millhand.attack.neighbour import NAME as NEIGHBOUR
from millhand.contracts import Disposition
from millhand.journal.records import Alarm, AlarmState, OutcomeStatus
from millhand.messages import tr

_PASSES = (Disposition.PASS, Disposition.PASS_FLAGGED)
_FAILED = ("agent_failed", "agent_degraded")
_FINE = 4
"""So many results must be accepted while the neighbour misbehaves."""
_FINE_S = 30.0
"""The time for it: the whole machine may be busy, with a bad neighbour and others."""


class KillWorkers:
    """All worker processes are killed at once."""

    title = tr("The agents' processes are killed")
    promise = 7

    async def run(self, arena: Arena) -> Finding:
        """Kill and wait until the cell works again."""
        pids = _workers(arena)
        await arena.settled_parts(1)
        for pid in pids:
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        await arena.settled_parts(2)
        await _all_well(arena)
        await arena.recovered()
        again = set(_workers(arena)) - set(pids)
        named = "agent_failed" in arena.alarms()
        return judged(
            bool(again) and named,
            tr("supervision: restart within a budget"),
            tr("{count} killed, {again} started again; named in an alarm: {named}",
               count=len(pids), again=len(again), named=tr("yes") if named else tr("no")),
        )  # fmt: skip


class FreezeWorkers:
    """All worker processes stand still and never answer."""

    title = tr("The agents' processes hang")
    promise = 7

    async def run(self, arena: Arena) -> Finding:
        """Freeze them and wait until the engine has replaced them."""
        await _all_well(arena)
        await arena.settled_parts(1)
        seen = len(arena.intents())
        pids = _workers(arena)
        for pid in pids:
            with contextlib.suppress(ProcessLookupError):  # a spare that was just replaced
                os.kill(pid, signal.SIGSTOP)
        await arena.alarm("agent_failed")
        hung = arena.intents()[seen:]
        await arena.recovered()
        for pid in pids:
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGCONT)
        passed = [one for one in hung[2:] if one.disposition in _PASSES]
        late = sum(str(one.cause) in ("late", "failed", "dropped") for one in hung)
        return judged(
            not passed and late > 0,
            tr("deadline; supervision"),
            tr("{late} parts were late and not passed; then the workers were replaced", late=late),
        )


class _Neighbour:
    title: str
    promise = 7
    order: str

    async def run(self, arena: Arena) -> Finding:
        """Let the neighbour misbehave, and watch the person's own agents."""
        await _all_well(arena)  # or else what comes is no new alarm
        arena.switch.write_text(self.order, encoding="utf-8")
        try:
            await arena.until(lambda: bool(self._named(arena)))
            after, parts = len(arena.outcomes()), len(arena.intents())
            with contextlib.suppress(TimeoutError):  # judged by what came
                await arena.until(lambda: self._fine(arena, after) >= _FINE, _FINE_S)
            fine, parts = self._fine(arena, after), len(arena.intents()) - parts
        finally:
            arena.switch.unlink(missing_ok=True)
        await _all_well(arena)
        return judged(
            fine >= _FINE,
            tr("isolation: a worker of its own"),
            tr("alarm: {alarm}; {fine} of {parts} results accepted meanwhile",
               alarm=", ".join(sorted(self._named(arena))), fine=fine, parts=parts),
        )  # fmt: skip

    def _fine(self, arena: Arena, after: int) -> int:
        """Return how many results the PLC has accepted."""
        return sum(one.status is OutcomeStatus.CONFIRMED for one in arena.outcomes()[after:])

    def _named(self, arena: Arena) -> set[str]:
        """Return the alarms that name the neighbour and nobody else."""
        alarms = _failures(arena, arena.mark)
        return {one.name for one in alarms if one.source == NEIGHBOUR and _stands(one)}


class NeighbourRaises(_Neighbour):
    """Another agent raises at every call."""

    title = tr("Another agent raises an error at every call")
    order = "raise"


class NeighbourExits(_Neighbour):
    """Another agent ends its interpreter."""

    title = tr("Another agent crashes its process")
    order = "exit"


class NeighbourSpins(_Neighbour):
    """Another agent holds a processor and never returns."""

    title = tr("Another agent never returns and burns the processor")
    order = "spin"


class NeighbourLeaks(_Neighbour):
    """Another agent takes more memory at every call."""

    title = tr("Another agent leaks memory until its limit")
    order = "leak"


async def _all_well(arena: Arena) -> None:
    """Wait until no agent has failed that did not come back."""

    def well() -> bool:
        last = {(one.source, one.name): one for one in _failures(arena, 0)}
        return not any(map(_stands, last.values()))

    await arena.until(well)


def _failures(arena: Arena, after: int) -> list[Alarm]:
    alarms = [entry.record for entry in arena.entries("alarm", after=after)]
    return [one for one in alarms if isinstance(one, Alarm) and one.name in _FAILED]


def _stands(alarm: Alarm) -> bool:
    return alarm.state is AlarmState.ACTIVE


def _workers(arena: Arena) -> list[int]:
    pids = arena.workers()
    if not pids:
        raise NotApplicable(tr("No agent of this cell has a process of its own."))
    return pids
