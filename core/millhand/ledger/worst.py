"""The cases of a run that a person should look at first."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from enum import StrEnum

from msgspec import Struct

from millhand.contracts.decision import Decision
from millhand.contracts.plant import PartTruth
from millhand.ledger.run import PartLife
from millhand.ledger.score import (
    DetectionLimit,
    Finding,
    escaped,
    falsely_rejected,
    finding,
)


class CaseKind(StrEnum):
    """Why a case is worth a look."""

    ESCAPE = "escape"
    FALSE_REJECT = "false_reject"
    UNDECIDED = "undecided"
    UNANSWERED = "unanswered"
    NEARLY_REJECTED = "nearly_rejected"
    """Passed with the highest scores."""
    NEARLY_PASSED = "nearly_passed"
    """Rejected with the lowest scores."""


MISTAKES = frozenset({CaseKind.ESCAPE, CaseKind.FALSE_REJECT})


class Case(Struct, frozen=True, kw_only=True):
    """One part with what it really was, where that is known."""

    part: PartLife
    truth: PartTruth | None
    severity: float | None
    """Score over the limit from which the agent rejects. None where it gave no score."""


def severity(decision: Decision) -> float | None:
    """Return the agent's ``score`` over the ``limit`` that it rejects from (1 if it names none)."""
    score = decision.scores.get("score")
    if score is None:
        return None
    limit = decision.scores.get("limit", 1.0)
    return score / limit if limit > 0 else None


def worst_cases(
    parts: Iterable[PartLife],
    truths: Mapping[str, PartTruth],
    *,
    limit: DetectionLimit | None = None,
    each: int = 4,
) -> dict[CaseKind, list[Case]]:
    """Pick ``each`` cases of every kind, the worst first, and twice as many mistakes.

    Kinds without a case are left out. No part is shown twice: an escape is not nearly rejected
    as well.
    """
    limit = limit or DetectionLimit()
    cases = [
        Case(
            part=part,
            truth=truths.get(part.part_id),
            severity=severity(part.intent.decision),
        )
        for part in parts
    ]
    sorted_out: dict[CaseKind, list[Case]] = {kind: [] for kind in CaseKind}
    for case in cases:
        kind = _kind(case, limit)
        if kind is not None:
            sorted_out[kind].append(case)
    return {
        kind: _worst_first(kind, found)[: 2 * each if kind in MISTAKES else each]
        for kind, found in sorted_out.items()
        if found
    }


def _kind(case: Case, limit: DetectionLimit) -> CaseKind | None:
    if case.truth is not None and escaped(case.part, case.truth, limit):
        return CaseKind.ESCAPE
    if case.truth is not None and falsely_rejected(case.part, case.truth):
        return CaseKind.FALSE_REJECT
    match finding(case.part):
        case Finding.UNDECIDED:
            return CaseKind.UNDECIDED
        case Finding.UNANSWERED:
            return CaseKind.UNANSWERED
        case Finding.PASSED:
            return CaseKind.NEARLY_REJECTED if case.severity is not None else None
        case Finding.REJECTED:
            return CaseKind.NEARLY_PASSED if case.severity is not None else None


def _worst_first(kind: CaseKind, cases: Sequence[Case]) -> list[Case]:
    """Escapes by the lowest score, passes by the highest, rejects by the lowest."""
    lowest_first = kind in (CaseKind.ESCAPE, CaseKind.NEARLY_PASSED)
    return sorted(cases, key=lambda case: case.severity or 0.0, reverse=not lowest_first)
