"""What came of actions, and what a device's word means for the intent."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from millhand.contracts import (
    Answer,
    AnswerCode,
    DeliverRecord,
    SkillProgress,
    SkillStatus,
    WriteResult,
    WriteStatus,
)
from millhand.journal.records import OutcomeStatus, Ruling


@dataclass(slots=True)
class Effect:
    """What came of the actions, collected while they are carried out."""

    status: OutcomeStatus = OutcomeStatus.NOT_SENT
    detail: str = ""
    result: WriteResult | None = None
    answer: Answer | None = None
    rulings: tuple[Ruling, ...] = ()
    waiting: list[DeliverRecord] = field(default_factory=list)
    """Records that could not be delivered."""

    @property
    def waiting_keys(self) -> tuple[str, ...]:
        """Their idempotency keys."""
        return tuple(one.idempotency_key for one in self.waiting)


def outcome_of(code: AnswerCode) -> OutcomeStatus:
    """Say what a PLC's answer means for the intent."""
    if code in (AnswerCode.ACCEPTED, AnswerCode.EXECUTED):
        return OutcomeStatus.CONFIRMED
    if code is AnswerCode.EXPIRED:
        return OutcomeStatus.EXPIRED
    return OutcomeStatus.REFUSED


def result_of_skill(last: SkillProgress | None) -> WriteResult:
    """Say what the end of a skill means: only a success is applied; a part done is not undone."""
    if last is None or not last.done:
        return WriteResult(status=WriteStatus.UNKNOWN)
    ended = {
        SkillStatus.SUCCEEDED: WriteStatus.APPLIED,
        SkillStatus.REJECTED: WriteStatus.REJECTED,
    }.get(SkillStatus(last.status), WriteStatus.UNKNOWN)
    detail = last.detail if ended is WriteStatus.APPLIED else f"{last.status}: {last.detail}"
    return WriteResult(status=ended, detail=detail.removesuffix(": "))


WRITE_OUTCOMES: Mapping[WriteStatus, OutcomeStatus] = {
    WriteStatus.APPLIED: OutcomeStatus.CONFIRMED,
    WriteStatus.SENT: OutcomeStatus.SENT,
    WriteStatus.REJECTED: OutcomeStatus.REFUSED,
    WriteStatus.NOT_SENT: OutcomeStatus.NOT_SENT,
    WriteStatus.UNKNOWN: OutcomeStatus.UNKNOWN,
}
"""A write's result to the intent's end."""
