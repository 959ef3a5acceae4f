"""After a restart: what the journal remembers, and what the PLC's answers say of what was open."""

from __future__ import annotations

from dataclasses import dataclass

import structlog

from millhand.contracts import EventArrived, Memory, PartTrigger
from millhand.engine.actuate import outcome_of
from millhand.engine.bindings import Confirm
from millhand.engine.cell import Cell
from millhand.engine.handshake import CommandChannel
from millhand.errors import Unavailable
from millhand.journal.entries import Entry, new_entry
from millhand.journal.journal import Journal
from millhand.journal.records import (
    Intent,
    ModeChange,
    Outcome,
    OutcomeStatus,
)
from millhand.messages import tr

log = structlog.get_logger(__name__)

_LOOK_BACK = 2_000
"""Newest intents and outcomes that are compared; older ones ended long ago."""
_JITTER = 32
"""Intents of neighbouring parts may be journalled in any order."""


@dataclass(frozen=True, slots=True)
class Remembered:
    """What an agent's last intents say."""

    memory: Memory
    last_seq: dict[str, int]
    """Trigger source to the last sequence number that has a disposition."""
    last_event: int


def remember(journal: Journal, agent: str) -> Remembered:
    """Read an agent's memory and its places in triggers and events."""
    memory: Memory | None = None
    last_seq: dict[str, int] = {}
    last_event = 0
    for entry in journal.read(kinds=("intent",), subject=agent, limit=64, newest_first=True):
        intent = entry.record
        if not isinstance(intent, Intent):
            continue
        if memory is None:
            memory = intent.memory_after
        trigger = intent.observation.trigger
        if isinstance(trigger, PartTrigger):
            known = last_seq.setdefault(trigger.source, trigger.trigger_seq)
            if known < trigger.trigger_seq <= known + _JITTER:
                last_seq[trigger.source] = trigger.trigger_seq
        elif isinstance(trigger, EventArrived):
            last_event = max(last_event, trigger.entry_seq)
    return Remembered(memory or {}, last_seq, last_event)


def last_mode(journal: Journal, agent: str) -> ModeChange | None:
    """Return the agent's last journalled change of mode."""
    entry = journal.last("mode", subject=agent)
    record = None if entry is None else entry.record
    return record if isinstance(record, ModeChange) else None


def last_command_id(journal: Journal) -> int:
    """Return the newest command id that an intent has, 0 where there is none."""
    before: int | None = None
    for _ in range(10):
        entries = journal.read(
            kinds=("intent",), before=before, limit=_LOOK_BACK, newest_first=True
        )
        for entry in entries:
            intent = entry.record
            if isinstance(intent, Intent) and intent.command is not None:
                return intent.command.id
        if len(entries) < _LOOK_BACK:
            return 0
        before = entries[-1].seq
    return 0


def open_intents(journal: Journal) -> list[Entry]:
    """Return the newest intents that have no outcome, oldest first."""
    outcomes = journal.read(kinds=("outcome",), limit=_LOOK_BACK, newest_first=True)
    ended = {entry.id for entry in outcomes}
    all_known = len(outcomes) < _LOOK_BACK
    since = 0 if all_known else outcomes[-1].seq
    intents = journal.read(kinds=("intent",), after=since, limit=_LOOK_BACK, newest_first=True)
    return [entry for entry in reversed(intents) if entry.id not in ended]


async def adopt_command_ids(cell: Cell) -> None:
    """Go on above the ids in the PLC's answers, where the journal knows of fewer (a fresh one).

    A PLC ignores an id that it has seen, so that an id used twice would never be answered.
    """
    for channel in cell.channels.values():
        if channel.binding.confirm in (Confirm.ECHO, Confirm.SENSOR):
            answered = await _answers(channel)
            cell.last_command_id = max(cell.last_command_id, *answered, 0)


async def close_open_intents(cell: Cell) -> int:
    """Give every open intent its outcome from the PLC's answers; returns how many were open.

    An id that is not among the answers is *unknown*: its part took its default, and nothing is
    sent again.
    """
    entries = open_intents(cell.journal)
    rings: dict[str, dict[int, Outcome]] = {}
    for entry in entries:
        intent = entry.record
        assert isinstance(intent, Intent)
        outcome = await _outcome(cell, intent, rings)
        await cell.journal.append_durable(
            [new_entry(outcome, id=entry.id, subject=entry.subject, part=entry.part)]
        )
        if outcome.status is OutcomeStatus.UNKNOWN:
            cell.alarms.raise_("outcome_unknown", entry.subject, outcome.detail, decision=entry.id)
    return len(entries)


async def _outcome(cell: Cell, intent: Intent, rings: dict[str, dict[int, Outcome]]) -> Outcome:
    target = next((judged.target for judged in intent.judged if judged.writes), None)
    if target is None or not any(judged.ruling.allowed for judged in intent.judged):
        return Outcome(status=OutcomeStatus.NOT_SENT, detail=tr("The engine ended before."))
    channel = cell.channels.get(target)
    unknown = Outcome(
        status=OutcomeStatus.UNKNOWN,
        detail=tr("The engine ended before the answer came; it is not sent again."),
    )
    if intent.command is None or channel is None:
        return unknown
    if target not in rings:
        rings[target] = await _answers(channel)
    return rings[target].get(intent.command.id, unknown)


async def _answers(channel: CommandChannel) -> dict[int, Outcome]:
    try:
        ring = await channel.ring()
    except Unavailable as error:
        log.warning("answers_not_readable", channel=str(channel.binding.target), error=str(error))
        return {}
    return {
        answer.command_id: Outcome(status=outcome_of(answer.code), answer=answer)
        for answer in ring
        if answer.command_id
    }
