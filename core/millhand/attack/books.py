"""The books of engine and PLC, held against each other after every attack.

Whatever was done to the cell, these must be so:

1. every command that the PLC took has a durable intent with the same number, part and result;
2. no command was taken twice;
3. no part passed the gate unless an agent had decided *OK* for it (or the PLC bypassed the cell,
   because nobody was in control);
4. every trigger that the PLC counted has one disposition, and none has two.
"""

from __future__ import annotations

from collections import Counter

from millhand.attack.arena import Arena
from millhand.contracts import Answer, AnswerCode, Disposition, PartTrigger, Verdict
from millhand.journal.entries import Entry
from millhand.journal.records import Cause, Intent
from millhand.messages import tr

_PASSES = frozenset({Disposition.PASS, Disposition.PASS_FLAGGED})
_TAKEN = frozenset({AnswerCode.ACCEPTED, AnswerCode.EXECUTED})


def wrong_in(arena: Arena, *, forged: frozenset[int] = frozenset()) -> list[str]:
    """Return what is wrong since the attack began, each in a sentence; nothing where all is right.

    Args:
        arena: the attacked cell.
        forged: numbers of commands that the attacker wrote past the engine.
    """
    given = arena.answers()  # before the intents: each was durable before its answer came
    entries = arena.entries("intent", after=0)
    intents = [entry.record for entry in entries if isinstance(entry.record, Intent)]
    return [*_commands(given, intents, forged), *_triggers(arena, entries)]


def _commands(given: list[Answer], intents: list[Intent], forged: frozenset[int]) -> list[str]:
    by_id = {one.command.id: one for one in intents if one.command is not None}
    found = []
    taken: Counter[int] = Counter()
    answers = [one for one in given if one.code in _TAKEN]
    accepted = {one.command_id for one in answers if one.code is AnswerCode.ACCEPTED}
    for answer in answers:
        if answer.command_id in forged:
            continue
        intent = by_id.get(answer.command_id)
        if intent is None and answer.command_id not in accepted:
            continue  # taken before the attack began
        if intent is None or intent.command is None:
            found.append(tr("Command {id} was taken and has no intent.", id=answer.command_id))
            continue
        if answer.code is AnswerCode.ACCEPTED:
            taken[answer.command_id] += 1
        if intent.command.part_id != answer.part_id:
            found.append(tr("Command {id} hit the part {part}.", id=answer.command_id,
                            part=answer.part_id))  # fmt: skip
        if answer.code is AnswerCode.EXECUTED and intent.disposition in _PASSES:
            found += _passed(intent, answer.part_id)
    found += [tr("Command {id} was taken twice.", id=one) for one, n in taken.items() if n > 1]
    return found


def _passed(intent: Intent, part: str) -> list[str]:
    decided = intent.cause is Cause.DECIDED and intent.decision.verdict is Verdict.OK
    return [] if decided else [tr("Part {part} passed and was never found OK.", part=part)]


def _triggers(arena: Arena, entries: list[Entry]) -> list[str]:
    """Every trigger has one disposition: the numbers are without holes and come once.

    A PLC that has lost its memory counts anew, within another session of the same engine.
    """
    keys = Counter(
        (
            (entry.boot, intent.observation.trigger.epoch) if arena.restarted_plc else (0, 0),
            intent.observation.agent,
            intent.observation.trigger.trigger_seq,
        )
        for entry in entries
        if isinstance(intent := entry.record, Intent)
        and isinstance(intent.observation.trigger, PartTrigger)
    )
    found = [
        tr("Trigger {seq} has {count} dispositions.", seq=key[2], count=count)
        for key, count in keys.items()
        if count > 1
    ]
    seen = {key[2] for key in keys}
    if seen and not arena.restarted_plc:
        holes = sorted(set(range(min(seen), max(seen) - _UNDER_WAY)) - seen)
        if holes:
            found.append(tr("Triggers {holes} have no disposition.", holes=holes[:10]))
    return found


_UNDER_WAY = 12
"""The newest parts may still be under way when the books are compared."""
