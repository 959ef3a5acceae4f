"""Attacks on the values that interlocks stand on: they come from the real server, then lie."""

from __future__ import annotations

import asyncio

from millhand.attack.arena import Arena
from millhand.attack.attack import Finding, NotApplicable, judged
from millhand.contracts import AnswerCode
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


def _interlocks(arena: Arena) -> list[str]:
    """Return the tags that the guard's condition on the channel looks at."""
    channel = arena.channel()
    rule = arena.scenario.file.guard.get(str(channel))
    if rule is None or rule.only_if is None:
        raise NotApplicable(tr("No interlock is configured for {channel}.", channel=channel))
    return sorted({name.partition(".")[2] for name in rule.only_if.names})


def _rules(arena: Arena, after: int) -> set[str]:
    """Return the rules of the guard that refused something since ``after``."""
    rulings: list[Ruling] = []
    for entry in arena.entries("intent", "outcome", after=after):
        record = entry.record
        if isinstance(record, Intent):
            rulings += [one.ruling for one in record.judged]
        elif isinstance(record, Outcome):
            rulings += record.rulings
    return {one.rule for one in rulings if not one.allowed and one.rule != "mode"}
