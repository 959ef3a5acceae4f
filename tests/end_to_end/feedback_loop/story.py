"""What happened while the story was told, in figures."""

from __future__ import annotations

from dataclasses import dataclass, field

from millhand.contracts import PartTrigger
from millhand.journal.records import Intent


@dataclass
class Rate:
    """So many of so many."""

    count: int = 0
    of: int = 0

    def __str__(self) -> str:
        return f"{self.count} of {self.of}" + (f" ({self.count / self.of:.1%})" if self.of else "")


@dataclass
class Story:
    """What happened, in figures."""

    nominal: float = 0.0
    before: Rate = field(default_factory=Rate)
    """False rejects of good parts before anything changed."""
    until_alarm: Rate = field(default_factory=Rate)
    alarm_at: int = 0
    alarm_by: str = ""
    passed_while_void: int = 0
    void_would_reject: Rate = field(default_factory=Rate)
    """Good parts that the void model would have rejected, once the wear has come to its end."""
    answers_to_teach: int = 0
    pictures: int = 0
    distil_s: float = 0.0
    student: dict[str, float] = field(default_factory=dict)
    """Figures of the new student on its sealed test, the teacher's after a slash in the name."""
    pairs: int = 0
    differing: int = 0
    answers_to_prove: int = 0
    evidence: float = 0.0
    not_shown: list[str] = field(default_factory=list)
    """By which criteria it was not shown that the new model is not worse."""
    afterwards: Rate = field(default_factory=Rate)
    escapes: Rate = field(default_factory=Rate)
    """After the promotion, of all parts with a defect that has to be found."""
    rollback_ms: float = 0.0
    first_decision_ms: float = 0.0
    triggers: int = 0
    dispositions: int = 0
    report: str = ""


def part_of(intent: Intent) -> str:
    """Return the id of the part."""
    trigger = intent.observation.trigger
    return trigger.part_id if isinstance(trigger, PartTrigger) else ""


def seq_of(intent: Intent) -> int:
    """Return the number of the part, from 1."""
    trigger = intent.observation.trigger
    return trigger.trigger_seq if isinstance(trigger, PartTrigger) else 0
