"""One trigger on its way through the house."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field
from time import monotonic_ns

from millhand.contracts import PartTrigger, TagEdge, TimerTick, Trigger
from millhand.engine.observe import Gathered


@dataclass(slots=True)
class Work:
    """A trigger with what was gathered for it and when each stage ended."""

    id: str
    """The decision's id."""
    trigger: Trigger
    started_ns: int
    """Monotonic; all stages count from here."""
    deadline_ns: int
    """Monotonic; already less the worst polling delay."""
    gathering: asyncio.Task[None] | None = None
    found: Gathered | None = None
    failure: str = ""
    stages: dict[str, int] = field(default_factory=dict)
    durable: bool = False
    """Whether its intent is in the journal."""
    dropped: bool = False
    """Whether the queue had no room for it."""
    settled: asyncio.Event = field(default_factory=asyncio.Event)
    """Set once everything is over: acted and closed, or given up."""

    def stamp(self, stage: str) -> None:
        """Note the end of a stage."""
        self.stages[stage] = monotonic_ns() - self.started_ns

    @property
    def part_trigger(self) -> PartTrigger | None:
        """The trigger, where it is a part's."""
        return self.trigger if isinstance(self.trigger, PartTrigger) else None

    @property
    def part(self) -> str | None:
        """The part that the trigger is about."""
        return self.trigger.part_id if isinstance(self.trigger, PartTrigger) else None

    @property
    def left_s(self) -> float:
        """Seconds until the deadline, 0 once it has passed."""
        return max(0.0, (self.deadline_ns - monotonic_ns()) / 1e9)


def begun_ns(trigger: Trigger) -> int:
    """When what the trigger tells of happened, as near as it is known, monotonic."""
    match trigger:
        case PartTrigger(detected_monotonic_ns=begun):
            return begun
        case TagEdge(now=sample):
            return sample.received_monotonic_ns
        case TimerTick(due_monotonic_ns=begun):
            return begun
        case _:
            return monotonic_ns()
