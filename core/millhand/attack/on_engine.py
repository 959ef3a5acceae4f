"""Attacks on the engine's process, its clock and its disk."""

from __future__ import annotations

import asyncio
import contextlib
import os
import random
import signal
from pathlib import Path

from millhand.attack.arena import Arena
from millhand.attack.attack import Finding, NotApplicable, broken, judged
from millhand.contracts import AnswerCode
from millhand.journal.records import OutcomeStatus
from millhand.messages import tr

_STANDS = "T"
_DAY_S = 86_400.0


class KillEngine:
    """``kill -9`` at a random instant, while parts are under way."""

    title = tr("The engine is killed (kill -9) and started again")
    promise = 1

    async def run(self, arena: Arena) -> Finding:
        """Kill, start again, compare."""
        await arena.settled_parts(2)
        await asyncio.sleep(random.uniform(0, 0.3))  # noqa: S311 - a moment, not a secret
        await arena.end_engine(signal.SIGKILL)
        before = arena.journal.head
        said = await arena.start_engine()
        await arena.recovered()
        whole = arena.journal.verify().ok
        kept = arena.journal.head > before
        return judged(
            said == "up" and whole and kept,
            tr("journal: durable before anything is sent"),
            tr("{count} entries before the kill are all there; the chain is whole", count=before),
        )


class FreezeBeforeWrite:
    """The engine stands still between its last check and the first byte of a command."""

    title = tr("The engine freezes between its last check and the write")
    promise = 3

    async def run(self, arena: Arena) -> Finding:
        """Freeze until the command is stale, thaw, and see what the PLC makes of it."""
        arena.require_control()
        await arena.settled_parts(1)
        await arena.order(write="freeze")
        await arena.until(lambda: _state_of(arena.pid) == _STANDS)
        seen = len(arena.plant.answers())
        await asyncio.sleep(1.5)
        asleep = arena.plant.answers()[seen:]
        with contextlib.suppress(ProcessLookupError):
            os.kill(arena.pid, signal.SIGCONT)
        await arena.recovered()
        stale = [one for one in asleep if one.code is AnswerCode.ACCEPTED]
        defaults = sum(one.code is AnswerCode.DEFAULTED for one in asleep)
        refused = [
            one.code.name.lower() for one in arena.plant.answers()[seen:] if one.code.refused
        ]
        return judged(
            not stale,
            tr("PLC: valid_until and lease"),
            tr(
                "while it stood, {defaults} parts took their default; refused after the thaw: "
                "{refused}",
                defaults=defaults,
                refused=", ".join(sorted(set(refused))) or "-",
            ),
        )


class FreezeEngine:
    """The whole engine stands still for longer than its lease."""

    title = tr("The engine freezes for longer than its lease")
    promise = 6

    async def run(self, arena: Arena) -> Finding:
        """Freeze and thaw."""
        arena.require_control()
        await arena.settled_parts(1)
        async with arena.frozen(arena.pid):
            await asyncio.sleep(0.6)  # commands under way are answered, the lease lapses
            seen = len(arena.plant.answers())
            await asyncio.sleep(2.0)
            asleep = arena.plant.answers()[seen:]
        await arena.recovered()
        accepted = sum(one.code is AnswerCode.ACCEPTED for one in asleep)
        defaults = sum(one.code is AnswerCode.DEFAULTED for one in asleep)
        return judged(
            accepted == 0 and defaults > 0,
            tr("PLC: lease"),
            tr("{defaults} parts took their default, none passed by a stale command",
               defaults=defaults),
        )  # fmt: skip


class ClockJump:
    """The computer's clock jumps a day ahead, then two days back."""

    title = tr("The clock jumps a day ahead and two days back")
    promise = 9

    async def run(self, arena: Arena) -> Finding:
        """Shift the process's wall clock while parts come."""
        try:
            for shift in (_DAY_S, -_DAY_S):
                await arena.order(clock_s=shift)
                await arena.recovered()
        finally:
            await arena.order(clock_s=0.0)
        entries = arena.entries()
        ordered = [entry.seq for entry in entries] == sorted(entry.seq for entry in entries)
        confirmed = sum(one.status is OutcomeStatus.CONFIRMED for one in arena.outcomes())
        return judged(
            ordered and confirmed > 0,
            tr("deadlines by the monotonic clock, order by number"),
            tr("{count} results were accepted under wrong clocks", count=confirmed),
        )


class DiskFull:
    """Not a byte more can be written to any file."""

    title = tr("The disk takes nothing more")
    promise = 9

    async def run(self, arena: Arena) -> Finding:
        """Forbid the process to make any file longer (RLIMIT_FSIZE), then allow it again."""
        arena.require_control()
        try:
            import resource

            limit, prlimit = resource.RLIMIT_FSIZE, resource.prlimit
        except (ImportError, AttributeError) as error:
            raise NotApplicable(tr("This system has no such limit.")) from error
        await arena.settled_parts(1)
        soft, hard = prlimit(arena.pid, limit)
        prlimit(arena.pid, limit, (1, hard))
        try:
            await asyncio.sleep(0.6)  # what was durable before is sent
            seen = len(arena.plant.answers())
            await asyncio.sleep(2.0)
            full = arena.plant.answers()[seen:]
        finally:
            prlimit(arena.pid, limit, (soft, hard))
        await arena.recovered()
        with contextlib.suppress(TimeoutError):  # it is written once the disk takes something again
            await arena.alarm("journal_unavailable", within_s=5)
        accepted = sum(one.code is AnswerCode.ACCEPTED for one in full)
        raised = "journal_unavailable" in arena.alarms()
        return judged(
            accepted == 0 and bool(full) and raised,
            tr("no action without a durable intent"),
            tr(
                "{accepted} commands while the disk was full, {count} parts at the gate; alarm "
                "afterwards: {raised}",
                accepted=accepted,
                count=len(full),
                raised=tr("yes") if raised else tr("no"),
            ),
        )


class SecondEngine:
    """Another engine is started on the same journal."""

    title = tr("A second engine is started beside the first")
    promise = 2

    async def run(self, arena: Arena) -> Finding:
        """Start it; the first one must go on."""
        first = arena.take_engine()
        try:
            said = await arena.start_engine()
            await arena.end_engine()
        finally:
            arena.put_engine(first)
        await arena.recovered()
        if said == "up":
            return broken(tr("journal: one writer"), tr("two engines ran at once"))
        return judged("journal" in said, tr("journal: one writer"), said.removeprefix("error "))


def _state_of(pid: int) -> str:
    """Return the letter that Linux has for a process's state."""
    try:
        text = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8")
    except FileNotFoundError as error:
        raise NotApplicable(tr("This system does not say how a process is.")) from error
    return text.rpartition(")")[2].split()[0]
