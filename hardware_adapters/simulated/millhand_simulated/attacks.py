"""Attacks that only the plant can make: its PLC stands still, lies, loses its memory, is spoken to.

They reach `millhand attack` by the hook ``millhand_attacks``, as a stranger's would.
"""

from __future__ import annotations

import asyncio
import os
import signal
from collections import Counter
from contextlib import suppress

from msgspec.structs import replace

from millhand.attack import Finding, NotApplicable, held, judged
from millhand.attack.arena import Arena
from millhand.contracts import Answer, AnswerCode, Command, Disposition
from millhand.errors import Unavailable
from millhand.journal.records import Cause, Intent
from millhand.messages import tr

_PASSES = (Disposition.PASS, Disposition.PASS_FLAGGED)
_FOREIGN_ID = 1_900_000_000
"""Far above the numbers that an engine gives in a run."""
_TRIES = 6
_ANSWERED_S = 3.0


def _count(answers: list[Answer], *codes: AnswerCode) -> int:
    return sum(one.code in codes for one in answers)


def _purged(answers: list[Answer]) -> int:
    """Return how many parts the largest purge took off: their defaults share a tick."""
    ticks = Counter(one.plc_tick for one in answers if one.code is AnswerCode.DEFAULTED)
    most = max(ticks.values(), default=0)
    return most if most > 1 else 0


def _missed(arena: Arena) -> list[Intent]:
    return [one for one in arena.intents() if one.cause is Cause.MISSED]


# --- the machine ---


class EmergencyStop:
    """The emergency stop is pressed while parts are under way."""

    title = tr("The emergency stop is pressed")
    promise = 5

    async def run(self, arena: Arena) -> Finding:
        """Press it, and release it."""
        arena.require_control()
        await arena.settled_parts(1)
        async with arena.fault("EStop"):
            await asyncio.sleep(0.5)  # what was under way is answered
            seen = len(arena.plant.answers())
            await asyncio.sleep(1.0)
            stopped = arena.plant.answers()[seen:]
        await arena.recovered()
        accepted = _count(stopped, AnswerCode.ACCEPTED, AnswerCode.EXECUTED)
        purged = _purged(arena.answers())
        return judged(
            accepted == 0 and purged > 0,
            tr("guard: interlock; PLC: state"),
            tr("no command while it was pressed; {purged} parts took their default", purged=purged),
        )


class DroppedTrigger:
    """A trigger is never shown; the sequence number jumps."""

    title = tr("A trigger is lost: the sequence jumps")
    promise = 3

    async def run(self, arena: Arena) -> Finding:
        """Hide one trigger."""
        async with arena.fault("DropTrigger"):
            await arena.until(lambda: bool(_missed(arena)))
        missed = _missed(arena)
        wrong = [one for one in missed if one.disposition in _PASSES or one.command is not None]
        return judged(
            bool(missed) and not wrong,
            tr("one disposition for each trigger"),
            tr("{count} missed, journalled as not decidable", count=len(missed)),
        )


class DuplicatedTrigger:
    """The same part comes twice."""

    title = tr("A part's trigger comes twice")
    promise = 2

    async def run(self, arena: Arena) -> Finding:
        """Let one part come twice; the books find a command that had two effects."""
        async with arena.fault("DuplicateTrigger"):
            await arena.settled_parts(4)
        ids = [one.observation.trigger.part_id for one in arena.intents()]  # type: ignore[union-attr]
        twice = sorted({part for part in ids if ids.count(part) > 1})
        numbers = [one.command.id for one in arena.intents() if one.command is not None]
        return judged(
            bool(twice) and len(numbers) == len(set(numbers)),
            tr("a command's number is used once"),
            tr("{parts} came twice; each time a disposition and a number of its own",
               parts=", ".join(twice)),
        )  # fmt: skip


class UnknownProduct:
    """The PLC names a product that no model is listed for."""

    title = tr("The PLC names an unknown product")
    promise = 13

    async def run(self, arena: Arena) -> Finding:
        """Name it for one part."""
        by = [
            choice.by
            for agent in arena.scenario.file.agents.values()
            for choice in agent.model.values()
            if choice.by is not None
        ]
        if not by:
            raise NotApplicable(tr("No model of this cell depends on the product."))
        async with arena.fault("UnknownProduct"):
            await arena.alarm("unknown_product")
        found = [one for one in arena.intents() if str(one.cause) == "unknown_product"]
        passed = [one for one in found if one.disposition in _PASSES]
        return judged(
            bool(found) and not passed,
            tr("no model, not decidable"),
            tr("{count} parts not decidable, none passed", count=len(found)),
        )


class WrongWay:
    """A part takes another way at the gate than the gate points."""

    title = tr("A part takes the wrong way at the gate")
    promise = 3

    async def run(self, arena: Arena) -> Finding:
        """Let one go astray: the PLC must stop, and nothing be claimed as executed."""
        await arena.settled_parts(1)
        async with arena.fault("WrongWay"):
            await arena.until(lambda: _purged(arena.answers()) > 0)
        await arena.recovered()
        purged = _purged(arena.answers())
        return judged(
            purged > 0, tr("PLC: gate sensor"), tr("the PLC stopped; {count} purged", count=purged)
        )


class StuckSensor:
    """The gate's sensors see nothing any more."""

    title = tr("The gate's sensor is stuck")
    promise = 3

    async def run(self, arena: Arena) -> Finding:
        """Blind it until the PLC has stopped."""
        await arena.settled_parts(1)
        async with arena.fault("SensorStuck"):
            await arena.until(lambda: _purged(arena.answers()) > 0)
        await arena.recovered()
        purged = _purged(arena.answers())
        return judged(
            purged > 0,
            tr("PLC: gate not confirmed"),
            tr("the PLC stopped; {count} parts took their default", count=purged),
        )


# --- the PLC ---


class FrozenAnswers:
    """Commands are taken, and the answers are not shown."""

    title = tr("The PLC's answers stay away")
    promise = 2

    async def run(self, arena: Arena) -> Finding:
        """Hide them: the outcome must be unknown and nothing sent again."""
        arena.require_control()
        await arena.settled_parts(1)
        async with arena.fault("FreezeAnswers"):
            await arena.alarm("outcome_unknown")
        await arena.recovered()
        unknown = sum(str(one.status) == "unknown" for one in arena.outcomes())
        return judged(
            unknown > 0,
            tr("unknown is never sent again"),
            tr("{count} outcomes unknown, with an alarm; no number twice", count=unknown),
        )


class FrozenScan:
    """The PLC's task stands still while its server goes on answering."""

    title = tr("The PLC's program stands still, its server answers")
    promise = 8

    async def run(self, arena: Arena) -> Finding:
        """Freeze the task for a second and a half."""
        await arena.settled_parts(1)
        async with arena.fault("FreezeScan"):
            seen = len(arena.plant.answers())
            await asyncio.sleep(1.5)
            answered = len(arena.plant.answers()) - seen
        await arena.recovered()
        return judged(
            answered <= 1,
            tr("deadline; unknown is never sent again"),
            tr("no answer meanwhile; it goes on by itself"),
        )


class FrozenPlc:
    """The PLC's whole process stands still (SIGSTOP)."""

    title = tr("The PLC freezes in the middle of its work")
    promise = 8

    async def run(self, arena: Arena) -> Finding:
        """Freeze it for two seconds."""
        pid = arena.plant.pid
        if pid is None:
            raise NotApplicable(tr("The plant has no process of its own."))
        await arena.settled_parts(1)
        async with arena.frozen(pid):
            await asyncio.sleep(2.0)
        await arena.recovered()
        return held(
            tr("time-out is unknown; reconnect"),
            tr("alarms: {alarms}", alarms=", ".join(sorted(arena.alarms())) or "-"),
        )


class KilledPlc:
    """The PLC is killed and comes back without its memory."""

    title = tr("The PLC is killed and starts again without memory")
    promise = 8

    async def run(self, arena: Arena) -> Finding:
        """Kill it, start it again at the same address."""
        pid = arena.plant.pid
        if pid is None:
            raise NotApplicable(tr("The plant has no process of its own."))
        arena.fresh_wanted = arena.restarted_plc = True
        os.kill(pid, signal.SIGKILL)
        await arena.alarm("device_down")
        with suppress(Unavailable):
            await arena.plant.revive()
        await arena.recovered()
        return held(
            tr("reconnect; numbers above the PLC's answers"),
            tr("results are accepted again; alarms: {alarms}",
               alarms=", ".join(sorted(arena.alarms()))),
        )  # fmt: skip


# --- an intruder on the network ---


class _Forged:
    title: str
    promise = 2
    rule: str

    async def run(self, arena: Arena) -> Finding:
        """Write a command record past the engine and see what the PLC answers.

        There is one record for all: where the engine writes its own before the PLC has looked, the
        intruder's was never seen, and is written again under another number.
        """
        arena.require_control()
        await arena.settled_parts(2)
        for number in range(_TRIES):
            command = await self.command(arena)
            found = await self._answer(replace(command, id=command.id + 10 * number), arena)
            if found is not None:
                break
        else:
            raise TimeoutError
        await arena.recovered()
        return judged(
            found.code.refused,
            self.rule,
            tr("the PLC answered: {code}", code=found.code.name.lower()),
        )

    async def _answer(self, command: Command, arena: Arena) -> Answer | None:
        arena.forged = arena.forged | {command.id}
        await arena.plant.command(command)
        found: list[Answer] = []

        def answered() -> bool:
            found[:] = [one for one in arena.answers() if self.is_about(one, command)]
            return bool(found)

        with suppress(TimeoutError):
            await arena.until(answered, _ANSWERED_S)
        return found[-1] if found else None

    async def command(self, arena: Arena) -> Command:
        """Return what the intruder writes."""
        raise NotImplementedError

    def is_about(self, answer: Answer, command: Command) -> bool:
        """Say whether an answer is to the intruder."""
        return answer.command_id == command.id


class ExpiredCommand(_Forged):
    """A command whose time is up."""

    title = tr("A command comes after its time")
    rule = tr("PLC: valid_until")

    async def command(self, arena: Arena) -> Command:
        """Let it be valid until some ticks ago, for the newest part."""
        tick = await arena.plant.tick()
        part = arena.entries("intent")[-1].part or "?"
        return Command(id=_FOREIGN_ID, part_id=part, result=1, valid_until=max(0, tick - 20))


class UnknownPart(_Forged):
    """A command for a part that is not on the conveyor."""

    title = tr("A command for a part that is not there")
    rule = tr("PLC: part register")

    async def command(self, arena: Arena) -> Command:
        """Name a part that never came, with a text that is no part number."""
        tick = await arena.plant.tick()
        return Command(
            id=_FOREIGN_ID + 1, part_id="'; DROP TABLE entry; --", result=1, valid_until=tick + 50
        )


class ForgedResult(_Forged):
    """A result code that does not exist."""

    title = tr("A command with a result that does not exist")
    rule = tr("PLC: range of results")

    async def command(self, arena: Arena) -> Command:
        """Write 99."""
        tick = await arena.plant.tick()
        part = arena.entries("intent")[-1].part or "?"
        return Command(id=_FOREIGN_ID + 2, part_id=part, result=99, valid_until=tick + 50)


class ReplayedCommand(_Forged):
    """A command that the PLC took is written a second time, under a number of its own."""

    title = tr("A command that was taken is replayed")
    rule = tr("PLC: a part is answered once")

    async def command(self, arena: Arena) -> Command:
        """Take the newest command that was taken, and ask for a pass."""
        taken = [one for one in arena.answers() if one.code is AnswerCode.ACCEPTED]
        if not taken:
            raise NotApplicable(tr("The PLC has taken no command."))
        tick = await arena.plant.tick()
        return Command(
            id=_FOREIGN_ID + 3, part_id=taken[-1].part_id, result=1, valid_until=tick + 50
        )
