"""Attacks on the values that interlocks stand on: they come from the real server, then lie."""

from __future__ import annotations

import asyncio

from millhand.attack.arena import Arena
from millhand.attack.attack import Finding, NotApplicable, judged
from millhand.attack.walker import BUDGET, FARTHEST
from millhand.attack.walker import NAME as WALKER
from millhand.contracts import AnswerCode, PartTrigger, TriggerKind, WriteTag
from millhand.engine.handshake import LONGEST_TEXT
from millhand.journal.records import Intent, Outcome, Ruling
from millhand.messages import tr


class _Interlock:
    title: str
    promise = 5
    order: str

    async def run(self, arena: Arena) -> Finding:
        """Let the interlock's tags lie, and see that nothing is let out."""
        arena.require_control()
        tags = _interlocks(arena)
        await arena.settled_parts(1)
        await arena.order(values=self.order, tags=tags)
        try:
            await asyncio.sleep(0.6)
            seen, mark = len(arena.plant.answers()), arena.journal.head
            await arena.settled_parts(3)
            lying = arena.plant.answers()[seen:]
        finally:
            await arena.order(values="")
        refused = _rules(arena, mark)
        await arena.recovered()
        accepted = sum(one.code is AnswerCode.ACCEPTED for one in lying)
        return judged(
            accepted == 0 and bool(refused) and "action_refused" in arena.alarms(),
            tr("guard: {rules}", rules=", ".join(sorted(refused)) or "-"),
            tr("{accepted} commands while {tags} lied; refused with an alarm",
               accepted=accepted, tags=", ".join(tags)),
        )  # fmt: skip


class NotANumber(_Interlock):
    """NaN."""

    title = tr("An interlock's value is NaN")
    order = "nan"


class BadQuality(_Interlock):
    """The right value, with quality bad."""

    title = tr("An interlock's quality is bad")
    order = "bad"


class UncertainQuality(_Interlock):
    """The right value, with quality uncertain."""

    title = tr("An interlock's quality is uncertain")
    order = "uncertain"


class Stale(_Interlock):
    """The right value, that was read long ago."""

    title = tr("An interlock's value is stale")
    order = "old"


class WrongType(_Interlock):
    """A text for a number."""

    title = tr("An interlock's value is a text for a number")
    order = "text"


class LongPartNumber:
    """The PLC names its parts by a million characters."""

    title = tr("A part's number is a million characters long")
    promise = 1

    async def run(self, arena: Arena) -> Finding:
        """Let it lie for a few parts."""
        tags = [f"{name}.part_id" for name in _part_triggers(arena)]
        if not tags:
            raise NotApplicable(tr("No agent of this cell waits for parts."))
        await arena.settled_parts(1)
        await arena.order(values="long", tags=tags)
        try:
            await arena.settled_parts(2)  # those that were under way
            seen, before = len(arena.plant.answers()), len(arena.intents())
            await arena.settled_parts(3)
            answers, intents = arena.plant.answers()[seen:], arena.intents()[before:]
        finally:
            await arena.order(values="")
        await arena.recovered()
        accepted = sum(one.code is AnswerCode.ACCEPTED for one in answers)
        longest = max(
            len(one.observation.trigger.part_id)
            for one in intents
            if isinstance(one.observation.trigger, PartTrigger)
        )
        return judged(
            accepted == 0 and longest <= LONGEST_TEXT,
            tr("texts are cut; PLC: part register"),
            tr("{count} dispositions, {accepted} commands taken; {longest} characters kept",
               count=len(intents), accepted=accepted, longest=longest),
        )  # fmt: skip


class SmallSteps:
    """An agent in control walks a value to the end of its range, each step within all limits."""

    title = tr("An agent walks a value to its limit by small steps")
    promise = 5

    async def run(self, arena: Arena) -> Finding:
        """Let it walk, until the guard has refused it a few times."""
        mark = arena.journal.head
        arena.walk.write_text("up", encoding="utf-8")
        try:
            await arena.until(lambda: sum(not let_out for _, let_out in _steps(arena, mark)) >= 3)
        finally:
            arena.walk.unlink(missing_ok=True)
        values = [value for value, let_out in _steps(arena, mark) if let_out]
        highest = max(values, default=0.0)
        return judged(
            bool(values) and highest <= BUDGET and "budget" in _rules(arena, mark, WALKER),
            tr("guard: budget"),
            tr("{count} steps were let out, as far as {highest:g} of {limit:g}",
               count=len(values), highest=highest, limit=FARTHEST),
        )  # fmt: skip


def _part_triggers(arena: Arena) -> set[str]:
    """Return the part triggers that agents wait for, without their device."""
    return {
        when.source.partition(".")[2]
        for agent in arena.scenario.file.agents.values()
        for when in agent.when
        if when.kind is TriggerKind.PART and when.source
    }


def _steps(arena: Arena, after: int) -> list[tuple[float, bool]]:
    """Return the values that the walker asked for, and whether each was let out."""
    return [
        (action.value, one.ruling.allowed)
        for entry in arena.entries("intent", after=after)
        if isinstance(intent := entry.record, Intent) and intent.observation.agent == WALKER
        for action, one in zip(intent.decision.actions, intent.judged, strict=True)
        if isinstance(action, WriteTag) and isinstance(action.value, float)
    ]


def _interlocks(arena: Arena) -> list[str]:
    """Return the tags that the guard's condition on the channel looks at."""
    channel = arena.channel()
    rule = arena.scenario.file.guard.get(str(channel))
    if rule is None or rule.only_if is None:
        raise NotApplicable(tr("No interlock is configured for {channel}.", channel=channel))
    return sorted({name.partition(".")[2] for name in rule.only_if.names})


def _rules(arena: Arena, after: int, agent: str | None = None) -> set[str]:
    """Return the rules of the guard that refused something since ``after``."""
    rulings: list[Ruling] = []
    for entry in arena.entries("intent", "outcome", after=after):
        record = entry.record
        if isinstance(record, Intent) and agent in (None, record.observation.agent):
            rulings += [one.ruling for one in record.judged]
        elif isinstance(record, Outcome) and agent is None:
            rulings += record.rulings
    return {one.rule for one in rulings if not one.allowed and one.rule != "mode"}
