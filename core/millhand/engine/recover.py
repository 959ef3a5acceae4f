"""After a restart: what the journal remembers, and what the PLC's answers say of what was open."""

from __future__ import annotations

import asyncio
import contextlib
from collections import defaultdict, deque
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from time import monotonic_ns

import structlog

from millhand.contracts import Answer, DeliverRecord, EventArrived, Link, Memory, PartTrigger
from millhand.engine.cell import Cell
from millhand.engine.effects import outcome_of
from millhand.engine.handshake import CommandChannel
from millhand.engine.outbox import let_out_records
from millhand.engine.supervision import Child
from millhand.errors import Unavailable
from millhand.feedback.stages import Standing, standing_of
from millhand.guard import Change, Limits
from millhand.journal.entries import Entry, new_entry
from millhand.journal.journal import Journal
from millhand.journal.records import (
    Cause,
    Intent,
    Judged,
    ModeChange,
    Outcome,
    OutcomeStatus,
)
from millhand.messages import tr

log = structlog.get_logger(__name__)

_LOOK_BACK = 2_000
"""Newest intents and outcomes that are compared; older ones ended long ago."""
_JITTER = 64
"""Intents of so many neighbouring parts may be journalled in any order."""
_RECENT = 2 * _JITTER
_PAGES = 100
_RING_RETRY_S = 0.02
_JOURNAL_RETRY_S = 1.0
_CONNECT_S = 3.0
"""How long starting waits for the PLCs' answers."""
_WRITTEN_LATER = frozenset({Cause.MISSED, Cause.UNRECORDED})
"""Causes of intents that were written after their parts had gone, whole ranges at once."""


@dataclass(frozen=True, slots=True)
class Remembered:
    """What an agent's last intents say."""

    memory: Memory
    last_seq: dict[str, int]
    """Trigger source to the last sequence number that has a disposition."""
    unsettled: dict[str, list[int]]
    """Trigger source to sequence numbers before that which have none: the engine ended while
    their parts were queued or being decided."""
    last_event: int


def remember(journal: Journal, agent: str) -> Remembered:
    """Read an agent's memory and its places in triggers and events."""
    memory: Memory | None = None
    counts: dict[str, _Count] = defaultdict(_Count)
    last_event = 0
    for intent in _recent_intents(journal, agent):
        if memory is None:
            memory = intent.memory_after
        trigger = intent.observation.trigger
        if isinstance(trigger, PartTrigger):
            counts[trigger.source].take(trigger, missed=intent.cause in _WRITTEN_LATER)
        elif isinstance(trigger, EventArrived):
            last_event = max(last_event, trigger.entry_seq)
    return Remembered(
        memory=memory or {},
        last_seq={source: max(count.seqs) for source, count in counts.items()},
        unsettled={source: count.holes for source, count in counts.items()},
        last_event=last_event,
    )


def _recent_intents(journal: Journal, agent: str) -> Iterator[Intent]:
    """Yield an agent's newest intents first, until enough of them were written in their time."""
    before: int | None = None
    in_time = 0
    for _ in range(_PAGES):
        page = journal.read(
            kinds=("intent",), subject=agent, before=before, limit=_RECENT, newest_first=True
        )
        for entry in page:
            intent = entry.record
            if isinstance(intent, Intent):
                in_time += intent.cause not in _WRITTEN_LATER
                yield intent
        if in_time >= _JITTER or len(page) < _RECENT:
            return
        before = page[-1].seq


class _Count:
    """One trigger source's newest sequence numbers, up to where the PLC began to count anew."""

    def __init__(self) -> None:
        self.seqs: set[int] = set()
        self._last: PartTrigger | None = None
        self._over = False

    @property
    def holes(self) -> list[int]:
        """Numbers between the known ones that no intent has."""
        return sorted(set(range(min(self.seqs), max(self.seqs))) - self.seqs)

    def take(self, trigger: PartTrigger, *, missed: bool) -> None:
        """Take the next older trigger. Neighbours may have been journalled in any order."""
        self._over = self._over or self._is_of_another_count(trigger, missed)
        if not self._over:
            self.seqs.add(trigger.trigger_seq)
            self._last = self._last if missed else trigger

    def _is_of_another_count(self, trigger: PartTrigger, missed: bool) -> bool:
        seq, last = trigger.trigger_seq, self._last
        if not self.seqs:
            return False
        if seq in self.seqs or seq > max(self.seqs) + _JITTER:
            return True
        if missed or last is None:
            return False
        return seq > last.trigger_seq and trigger.detected_utc_ns < last.detected_utc_ns


def last_mode(journal: Journal, agent: str) -> ModeChange | None:
    """Return the agent's last journalled change of mode."""
    entry = journal.last("mode", subject=agent)
    record = None if entry is None else entry.record
    return record if isinstance(record, ModeChange) else None


def models_standing(journal: Journal, agent: str) -> Standing:
    """Return which of an agent's models is live, which was before, and which is a candidate."""
    return standing_of(journal.read(kinds=("model",), subject=agent, limit=None), agent)


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


def changes_let_out(
    journal: Journal, limits: Mapping[str, Limits], now_utc_ns: int
) -> dict[str, list[Change]]:
    """Return what earlier engines have let out within the limits' windows, oldest first.

    Small steps with a restart after each must not walk a value away. Ages go by the wall clock, the
    only one that outlives a restart; an entry from the future counts as of now.
    """
    windows = {target: _longest_window_ns(limit) for target, limit in limits.items()}
    reach_ns = max(windows.values(), default=0)
    found: dict[str, list[Change]] = defaultdict(list)
    before: int | None = None
    while reach_ns:
        page = journal.read(kinds=("intent",), before=before, limit=_LOOK_BACK, newest_first=True)
        for entry in page:
            age_ns = max(0, now_utc_ns - entry.at_utc_ns)
            if age_ns >= reach_ns:
                return {target: changes[::-1] for target, changes in found.items()}
            for judged in _let_out(journal, entry):
                if age_ns < windows.get(judged.target, 0):
                    change = Change(monotonic_ns() - age_ns, judged.step or 0.0)
                    found[judged.target].append(change)
        if len(page) < _LOOK_BACK:
            break
        before = page[-1].seq
    return {target: changes[::-1] for target, changes in found.items()}


def _let_out(journal: Journal, entry: Entry) -> list[Judged]:
    """Return the actions of an intent that may have had an effect."""
    intent = entry.record
    if not isinstance(intent, Intent):
        return []
    allowed = [one for one in intent.judged if one.ruling.allowed]
    asked = [one for one in intent.judged if one.ruling.rule == "mode" and one.step is not None]
    if asked and any(
        isinstance(outcome.record, Outcome) and outcome.record.result is not None
        for outcome in journal.read(kinds=("outcome",), id=entry.id)
    ):
        return [*allowed, *asked]  # a person has approved them
    return allowed


def _longest_window_ns(limits: Limits) -> int:
    allowances = (limits.rate, limits.budget, limits.writes)
    return max((one.window_ns for one in allowances if one is not None), default=0)


async def close_open_intents(cell: Cell) -> dict[str, list[Entry]]:
    """Give the open intents whose end no PLC can tell their outcome; return the others.

    Returns:
        Channel to open intents whose commands its PLC may have answered, for :func:`reconcile`.
    """
    waiting: dict[str, list[Entry]] = defaultdict(list)
    for entry in open_intents(cell.journal):
        intent = entry.record
        assert isinstance(intent, Intent)
        target = next((judged.target for judged in intent.judged if judged.writes), None)
        if target is None or not any(judged.ruling.allowed for judged in intent.judged):
            detail = tr("The engine ended before.")
            await _close(cell, entry, Outcome(status=OutcomeStatus.NOT_SENT, detail=detail))
        elif records := let_out_records(intent):
            await _close(cell, entry, _waiting(records))
        elif intent.command is None or not _answers(cell, target):
            await _close(cell, entry, _unknown())
        else:
            waiting[target].append(entry)
    return waiting


def _answers(cell: Cell, target: str) -> bool:
    channel = cell.channels.get(target)
    return channel is not None and channel.binding.answers


async def start_reconciling(cell: Cell) -> None:
    """Take up what was open; a PLC that is away is waited for a moment, and read later."""
    waiting = await close_open_intents(cell)
    for target, channel in cell.channels.items():
        if channel.binding.answers:
            read = partial(reconcile, cell, channel, waiting.get(target, []))
            cell.supervisor.start(Child(f"{target}.reconcile", read))
    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout(_CONNECT_S):
            # A device's health tells nobody when it changes.
            while any(map(_may_come_soon, cell.channels.values())):  # noqa: ASYNC110
                await asyncio.sleep(0.005)


def _may_come_soon(channel: CommandChannel) -> bool:
    away = channel.device.health().link in (Link.DOWN, Link.REFUSED)
    return not channel.reconciled.is_set() and not away


async def reconcile(cell: Cell, channel: CommandChannel, entries: Sequence[Entry]) -> None:
    """Read a PLC's answers as soon as they can be read, and only then let commands out.

    Open intents end as the PLC says; one whose id is not there is *unknown*, its part took its
    default, and nothing is sent again. Command ids go on above those in the answers and the one
    in the command's record, where the journal knows of fewer (a fresh one): a PLC ignores an id
    that it has seen last, and an id names one command for ever.
    """
    while (ring := await _ring(channel)) is None:  # noqa: ASYNC110  a PLC calls nobody
        await asyncio.sleep(_RING_RETRY_S)
    answered = {answer.command_id: answer for answer in ring if answer.command_id}
    standing = await channel.standing_id()
    cell.last_command_id = max(cell.last_command_id, standing, *answered)
    open_still = deque(entries)
    while open_still:
        try:
            await _close(cell, open_still[0], _outcome(open_still[0], answered))
            open_still.popleft()
        except Unavailable:
            await asyncio.sleep(_JOURNAL_RETRY_S)
    channel.reconciled.set()


async def _ring(channel: CommandChannel) -> list[Answer] | None:
    try:
        return await channel.ring()
    except Unavailable:
        return None


def _outcome(entry: Entry, answered: Mapping[int, Answer]) -> Outcome:
    intent = entry.record
    assert isinstance(intent, Intent)
    answer = answered.get(intent.command.id) if intent.command is not None else None
    if answer is None:
        return _unknown()
    return Outcome(status=outcome_of(answer.code), answer=answer)


async def _close(cell: Cell, entry: Entry, outcome: Outcome) -> None:
    await cell.journal.append_durable(
        [new_entry(outcome, id=entry.id, subject=entry.subject, part=entry.part)]
    )
    if outcome.status is OutcomeStatus.UNKNOWN:
        cell.alarms.raise_("outcome_unknown", entry.subject, outcome.detail, decision=entry.id)


def _waiting(records: Sequence[DeliverRecord]) -> Outcome:
    detail = tr("The engine ended before the answer came; it is delivered again under its key.")
    keys = tuple(one.idempotency_key for one in records)
    return Outcome(status=OutcomeStatus.WAITING, detail=detail, waiting=keys)


def _unknown() -> Outcome:
    detail = tr("The engine ended before the answer came; it is not sent again.")
    return Outcome(status=OutcomeStatus.UNKNOWN, detail=detail)
