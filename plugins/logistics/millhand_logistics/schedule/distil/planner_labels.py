"""What planners said of plans, from the journal, as shops with the order that they want."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from millhand.contracts import Decision, Gantt
from millhand.errors import ConfigError
from millhand.journal.entries import Entry
from millhand.journal.records import AnswerKind, Intent, Review
from millhand.messages import tr
from millhand_logistics.schedule.agent import ScheduleAgent
from millhand_logistics.schedule.correction import corrected, read_correction, shown_plan
from millhand_logistics.schedule.distil.files import TAUGHT, Arrays, arrays_of

KINDS = ("intent", "review")
"""Kinds of entries that are needed."""

_TELLING = (AnswerKind.AGREE, AnswerKind.DISAGREE)


@dataclass(frozen=True, slots=True)
class Label:
    """One answer of a planner: a shop to learn from, or why it is none."""

    decision: str
    arrays: Arrays | None
    why_not: str = ""


def planner_labels(agent: ScheduleAgent, name: str, entries: Iterable[Entry]) -> Iterator[Label]:
    """Yield what people said of the plans of an agent; *don't know* says nothing.

    Args:
        agent: the planner, with the settings that it had.
        name: its name in the scenario.
        entries: of :data:`KINDS`, in the journal's order.
    """
    plans: dict[str, Intent] = {}
    for entry in entries:
        record = entry.record
        if isinstance(record, Intent) and entry.subject == name:
            plans[entry.id] = record
        elif isinstance(record, Review) and record.answer in _TELLING and record.decision in plans:
            yield _label(agent, plans[record.decision], record)


def _label(agent: ScheduleAgent, intent: Intent, review: Review) -> Label:
    try:
        floor = agent.floor(intent.observation)
        plan = shown_plan(floor, _picture(intent.decision))
        if review.answer is AnswerKind.DISAGREE:
            plan = corrected(floor, plan, read_correction(review.label))
    except ConfigError as error:
        return Label(review.decision, None, str(error))
    return Label(review.decision, {**arrays_of(floor.problem), TAUGHT: plan.sequence})


def _picture(decision: Decision) -> Gantt:
    shown = [one for one in decision.explanations if isinstance(one, Gantt)]
    if not shown:
        raise ConfigError(tr("The decision shows no plan."))
    return shown[-1]
