"""Decisions held against what the parts really were."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping
from enum import StrEnum

from msgspec import Struct

from millhand.contracts.decision import Disposition
from millhand.contracts.plant import PartTruth
from millhand.journal.records import Cause
from millhand.ledger.run import PartLife
from millhand.statistics.intervals import Share, share

PASSING = frozenset({Disposition.PASS, Disposition.PASS_FLAGGED})


class DetectionLimit(Struct, frozen=True, kw_only=True):
    """From which size and contrast on a defect must be found; smaller ones are scored apart."""

    area_px2: float = 12.0
    contrast: float = 0.10

    def covers(self, truth: PartTruth) -> bool:
        """Whether the part's defect is one that must be found."""
        return truth.area_px2 >= self.area_px2 and truth.contrast >= self.contrast


class Standing(StrEnum):
    """What a part really was."""

    GOOD = "good"
    DEFECTIVE = "defective"
    BELOW_LIMIT = "below_limit"
    """It has a defect, smaller or fainter than what must be found."""


class Finding(StrEnum):
    """What was made of a part."""

    PASSED = "passed"
    REJECTED = "rejected"
    UNDECIDED = "undecided"
    """The agent said that it cannot tell; whatever happened then is not counted as correct."""
    UNANSWERED = "unanswered"
    """No answer in time: late, missed, dropped or failed; the part took its default."""


UNANSWERED = frozenset({Cause.LATE, Cause.MISSED, Cause.DROPPED, Cause.FAILED, Cause.UNRECORDED})
"""Causes without an answer of the agent."""


def standing(truth: PartTruth, limit: DetectionLimit) -> Standing:
    """Say what the part really was."""
    if truth.defect is None:
        return Standing.GOOD
    return Standing.DEFECTIVE if limit.covers(truth) else Standing.BELOW_LIMIT


def finding(part: PartLife) -> Finding:
    """Say what was made of the part."""
    if part.intent.cause in UNANSWERED:
        return Finding.UNANSWERED
    if part.intent.cause is not Cause.DECIDED or part.intent.disposition is Disposition.DIVERT:
        return Finding.UNDECIDED
    return Finding.PASSED if part.intent.disposition in PASSING else Finding.REJECTED


class KindScore(Struct, frozen=True, kw_only=True):
    """How the parts with one kind of defect (at or above the limit) fared."""

    parts: int
    caught: int
    undecided: int
    unanswered: int
    escaped: int


class Score(Struct, frozen=True, kw_only=True):
    """A run held against the truth."""

    limit: DetectionLimit
    parts: int
    good: int
    false_rejects: Share
    """Good parts rejected by decision, of all good parts that got an answer."""
    good_undecided: int
    good_unanswered: int
    defective: int
    escapes: Share
    """Parts with a defect at or above the limit that were let pass, for whatever cause."""
    caught: int
    kinds: dict[str, KindScore]
    below_limit: KindScore
    challenges: int
    challenges_caught: int


def escaped(part: PartLife, truth: PartTruth, limit: DetectionLimit) -> bool:
    """Whether a part with a defect that must be found was let pass."""
    return standing(truth, limit) is Standing.DEFECTIVE and part.intent.disposition in PASSING


def falsely_rejected(part: PartLife, truth: PartTruth) -> bool:
    """Whether a good part was rejected by decision."""
    return truth.defect is None and finding(part) is Finding.REJECTED


def score_parts(
    parts: Iterable[PartLife],
    truths: Mapping[str, PartTruth],
    limit: DetectionLimit | None = None,
) -> Score:
    """Hold parts against their truth by part id; parts without a truth are left out."""
    limit = limit or DetectionLimit()
    known = [(part, truths[part.part_id]) for part in parts if part.part_id in truths]
    by_standing: dict[Standing, list[tuple[PartLife, PartTruth]]] = defaultdict(list)
    by_kind: dict[str, list[PartLife]] = defaultdict(list)
    for part, truth in known:
        found = standing(truth, limit)
        by_standing[found].append((part, truth))
        if found is Standing.DEFECTIVE:
            by_kind[str(truth.defect)].append(part)
    good = Counter(finding(part) for part, _ in by_standing[Standing.GOOD])
    defective = _kind_score(part for part, _ in by_standing[Standing.DEFECTIVE])
    challenges = [part for part, truth in known if truth.challenge]
    return Score(
        limit=limit,
        parts=len(known),
        good=good.total(),
        false_rejects=share(good[Finding.REJECTED], good.total() - good[Finding.UNANSWERED]),
        good_undecided=good[Finding.UNDECIDED],
        good_unanswered=good[Finding.UNANSWERED],
        defective=defective.parts,
        escapes=share(defective.escaped, defective.parts),
        caught=defective.caught,
        kinds={kind: _kind_score(by_kind[kind]) for kind in sorted(by_kind)},
        below_limit=_kind_score(part for part, _ in by_standing[Standing.BELOW_LIMIT]),
        challenges=len(challenges),
        challenges_caught=sum(finding(part) is Finding.REJECTED for part in challenges),
    )


def _kind_score(parts: Iterable[PartLife]) -> KindScore:
    parts = list(parts)
    found = Counter(finding(part) for part in parts)
    return KindScore(
        parts=len(parts),
        caught=found[Finding.REJECTED],
        undecided=found[Finding.UNDECIDED],
        unanswered=found[Finding.UNANSWERED],
        escaped=sum(part.intent.disposition in PASSING for part in parts),
    )
