"""The journal's entries of a run, put together part by part."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Protocol

from msgspec import Struct

from millhand.contracts.command import AnswerCode
from millhand.contracts.triggers import PartTrigger
from millhand.journal.records import Gate, Intent, Outcome, Record


class Entry(Protocol):
    """What the ledger needs of a journal entry: its id, its place in time, what it holds."""

    @property
    def id(self) -> str: ...
    @property
    def at_utc_ns(self) -> int: ...
    @property
    def record(self) -> Record: ...


class PartLife(Struct, frozen=True, kw_only=True):
    """What the journal knows of one triggered part: its intent, how that ended, the gate."""

    id: str
    """The decision's id."""
    trigger: PartTrigger
    intent: Intent
    outcome: Outcome | None = None
    gate: AnswerCode | None = None

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


def part_lives(entries: Iterable[Entry]) -> list[PartLife]:
    """Collect the parts that got a disposition, in the journal's order.

    Intents of agents that only watch (no disposition) and those without a part are left out.
    """
    intents: dict[str, tuple[PartTrigger, Intent]] = {}
    outcomes: dict[str, Outcome] = {}
    gates: dict[str, AnswerCode] = {}
    for entry in entries:
        record = entry.record
        if isinstance(record, Intent):
            trigger = record.observation.trigger
            if isinstance(trigger, PartTrigger) and record.disposition is not None:
                intents[entry.id] = (trigger, record)
        elif isinstance(record, Outcome):
            outcomes[entry.id] = record
        elif isinstance(record, Gate):
            gates[record.answer.part_id] = record.answer.code
    return [
        PartLife(
            id=decision,
            trigger=trigger,
            intent=intent,
            outcome=outcomes.get(decision),
            gate=gates.get(trigger.part_id),
        )
        for decision, (trigger, intent) in intents.items()
    ]
