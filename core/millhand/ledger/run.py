"""A run as its journal tells it: entries read once and put together part by part."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Protocol

from msgspec import Struct
from msgspec.structs import replace

from millhand.contracts.command import AnswerCode
from millhand.contracts.decision import ControlPoint
from millhand.contracts.modes import Mode
from millhand.contracts.triggers import PartTrigger
from millhand.journal.records import (
    Alarm,
    AlarmState,
    Cause,
    Drifted,
    Gate,
    Intent,
    ModeChange,
    ModelMoved,
    Outcome,
    OutcomeStatus,
    Record,
    Review,
    Started,
)


class Entry(Protocol):
    """What the ledger needs of a journal entry."""

    @property
    def id(self) -> str:
        """What the entry is about; an outcome carries its intent's."""
        ...

    @property
    def at_utc_ns(self) -> int:
        """When it was written, by the wall clock."""
        ...

    @property
    def record(self) -> Record:
        """What it holds; decoding may be dear, so it is asked for once."""
        ...


class PartLife(Struct, frozen=True, kw_only=True):
    """What the journal knows of one triggered part: its intent, how that ended, the gate."""

    id: str
    """The decision's id."""
    trigger: PartTrigger
    intent: Intent
    outcome: Outcome | None = None
    gate: AnswerCode | None = None
    remarks: dict[str, str] = {}
    """What agents that only watch said of it, by agent."""

    @property
    def part_id(self) -> str:
        """The PLC's name for the part."""
        return self.trigger.part_id

    @property
    def product(self) -> str | None:
        """The product that was set up."""
        return self.intent.observation.product or self.trigger.product

    @property
    def stages_ns(self) -> dict[str, int]:
        """All stages of the intent and its outcome, in nanoseconds from the trigger."""
        after = self.outcome.stages_ns if self.outcome else {}
        return {**self.intent.stages_ns, **after}


class Unbound(Struct, frozen=True, kw_only=True):
    """A decision that is bound to no part, such as a plan: its figures, and how it ended."""

    id: str
    at_utc_ns: int
    agent: str
    mode: Mode
    cause: Cause
    reason: str
    scores: dict[str, float]
    asked: bool
    """Whether it asked for something to be done, beyond telling others of it."""
    status: OutcomeStatus | None = None
    """None while it has not ended."""


PartKey = tuple[str, int, str]
"""Source, number and name of a part's trigger."""


class ChartedPoint(Struct, frozen=True, kw_only=True):
    """A point of a control chart with the figures of its decision, at the first of its charts."""

    point: ControlPoint
    scores: dict[str, float]


@dataclass(slots=True)
class Run:
    """All that the ledger and the report need of a run, without the journal."""

    started: Started | None = None
    first_utc_ns: int = 0
    last_utc_ns: int = 0
    decisions: int = 0
    """Intents of all agents, also of those that only watch."""
    parts: list[PartLife] = field(default_factory=list)
    """Parts in the journal's order, each once."""
    unbound: list[Unbound] = field(default_factory=list)
    """Decisions with scores that are bound to no part, such as plans, in the journal's order."""
    modes: dict[str, Mode] = field(default_factory=dict)
    """Agent to its mode at the end."""
    alarms: Counter[str] = field(default_factory=Counter)
    """Alarms raised, by name."""
    charts: dict[str, list[ChartedPoint]] = field(default_factory=dict)
    """Control charts by their names, each with its points in the journal's order."""
    busy_ns: int = 0
    """How long agents and models worked, of all decisions."""
    answers: int = 0
    """What people have answered."""
    changes: list[tuple[int, ModelMoved | Drifted]] = field(default_factory=list)
    """When models moved or their certificates changed, in UTC nanoseconds."""


def read_run(entries: Iterable[Entry]) -> Run:
    """Read the last run out of a cell's entries: all from the engine's last start on.

    Where several agents judged the same part, the one that was closest to control counts.
    """
    run = Run()
    intents: dict[PartKey, tuple[str, PartTrigger, Intent]] = {}
    remarks: dict[PartKey, dict[str, str]] = {}
    unbound: list[Unbound] = []
    outcomes: dict[str, Outcome] = {}
    gates: dict[str, AnswerCode] = {}
    for entry in entries:
        record = entry.record
        match record:
            case Started():
                run = Run(started=record, first_utc_ns=entry.at_utc_ns)
                intents, remarks, unbound, outcomes, gates = {}, {}, [], {}, {}
            case Intent():
                run.decisions += 1
                run.busy_ns += record.stages_ns.get("model", 0)
                _note_intent(intents, remarks, entry.id, record)
                _note_points(run.charts, record)
                _note_unbound(unbound, entry, record)
            case Outcome():
                outcomes[entry.id] = record
            case Gate():
                gates[record.answer.part_id] = record.answer.code
            case Review():
                run.answers += 1
            case ModelMoved() | Drifted():
                run.changes.append((entry.at_utc_ns, record))
            case ModeChange():
                run.modes[record.agent] = record.now
            case Alarm(state=AlarmState.ACTIVE):
                run.alarms[record.name] += 1
            case _:
                pass
        run.first_utc_ns = run.first_utc_ns or entry.at_utc_ns
        run.last_utc_ns = entry.at_utc_ns
    run.parts = [
        PartLife(
            id=decision,
            trigger=trigger,
            intent=intent,
            outcome=outcomes.get(decision),
            gate=gates.get(trigger.part_id),
            remarks=remarks.get(key, {}),
        )
        for key, (decision, trigger, intent) in intents.items()
    ]
    run.unbound = [
        replace(one, status=outcomes[one.id].status if one.id in outcomes else None)
        for one in unbound
    ]
    return run


def _note_intent(
    intents: dict[PartKey, tuple[str, PartTrigger, Intent]],
    remarks: dict[PartKey, dict[str, str]],
    decision: str,
    intent: Intent,
) -> None:
    trigger = intent.observation.trigger
    if not isinstance(trigger, PartTrigger):
        return
    key = (trigger.source, trigger.trigger_seq, trigger.part_id)
    if intent.disposition is None:
        if intent.decision.reason:
            remarks.setdefault(key, {})[intent.observation.agent] = intent.decision.reason
        return
    other = intents.get(key)
    if other is None or intent.mode.rank > other[2].mode.rank:
        intents[key] = (decision, trigger, intent)


def _note_unbound(unbound: list[Unbound], entry: Entry, intent: Intent) -> None:
    if isinstance(intent.observation.trigger, PartTrigger) or not intent.decision.scores:
        return
    unbound.append(
        Unbound(
            id=entry.id,
            at_utc_ns=entry.at_utc_ns,
            agent=intent.observation.agent,
            mode=intent.mode,
            cause=intent.cause,
            reason=intent.decision.reason,
            scores=intent.decision.scores,
            asked=bool(intent.judged),
        )
    )


def _note_points(charts: dict[str, list[ChartedPoint]], intent: Intent) -> None:
    scores = intent.decision.scores
    for found in intent.decision.explanations:
        if isinstance(found, ControlPoint):
            points = charts.setdefault(found.chart, [])
            points.append(ChartedPoint(point=found, scores=scores))
            scores = {}
