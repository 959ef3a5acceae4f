"""What two models said of the same parts, with what people answered: from the journal alone."""

from __future__ import annotations

from collections.abc import Iterable
from enum import StrEnum
from typing import NamedTuple

from millhand.contracts.decision import Verdict
from millhand.journal.entries import Entry
from millhand.journal.records import AnswerKind, ModelMoved, Review, Shadowed, Stage

PAIR_KINDS = ("shadowed", "review", "model")
"""Kinds of entries that tell."""
GOOD_LABELS = frozenset({"ok", "good"})
"""Labels that say of a part that nothing is wrong with it."""


class Criterion(StrEnum):
    """What two models are held against each other by."""

    RIGHT = "right"
    """How often the verdict is right; *not decidable* is not."""
    NOT_WRONG = "not_wrong"
    """How often it is not wrong; *not decidable* is not wrong."""
    NO_ESCAPE = "no_escape"
    """How often no defective part is let pass."""


class Pair(NamedTuple):
    """Two verdicts on one part; None where a model said nothing in time."""

    live: Verdict | None
    other: Verdict | None

    @property
    def differs(self) -> bool:
        """Whether they are not the same: only then an answer tells the two apart."""
        return self.live is not self.other


class Pairs:
    """The pairs of an agent's live model and another, since the other came beside it.

    Args:
        agent: whose models they are.
        package: the other's id.
    """

    def __init__(self, agent: str, package: str) -> None:
        self.agent = agent
        self.package = package
        self.after = 0
        """Sequence number of the last entry taken."""
        self.pairs: dict[str, Pair] = {}
        """By decision, in the order in which they came."""
        self.reviews: dict[str, Review] = {}

    def take(self, entries: Iterable[Entry]) -> int:
        """Take entries of :data:`PAIR_KINDS` in the journal's order; return how many told."""
        told = 0
        for entry in entries:
            self.after = entry.seq
            told += self._take(entry)
        return told

    def _take(self, entry: Entry) -> bool:
        record = entry.record
        match record:
            case Shadowed() if (record.agent, record.package) == (self.agent, self.package):
                other = None if record.fault else record.verdict
                self.pairs[entry.id] = Pair(record.live, other)
            case Review() if record.answer in _TELLING:
                self.reviews[record.decision] = record
            case ModelMoved() if self._begins_anew(record):
                self.pairs = {}
            case _:
                return False
        return True

    def _begins_anew(self, moved: ModelMoved) -> bool:
        came = moved.now is Stage.SHADOW and moved.package == self.package
        return moved.agent == self.agent and (came or moved.now is Stage.LIVE)

    def good(self, decision: str) -> bool | None:
        """Say whether a person found the part good; None where nobody could tell."""
        review = self.reviews.get(decision)
        return None if review is None else was_good(review, self.pairs[decision].live)


_TELLING = frozenset({AnswerKind.AGREE, AnswerKind.DISAGREE, AnswerKind.DONT_KNOW})


def was_good(review: Review, verdict: Verdict | None) -> bool | None:
    """Say whether a person found a part good; None where they could not tell.

    Args:
        review: the answer.
        verdict: the one that it is about.
    """
    if review.answer is AnswerKind.DISAGREE:
        return review.label.casefold() in GOOD_LABELS
    if review.answer is AnswerKind.AGREE and verdict in (Verdict.OK, Verdict.NOT_OK):
        return verdict is Verdict.OK
    return None


def fares(verdict: Verdict | None, criterion: Criterion, *, good: bool) -> bool:
    """Say whether a verdict on a part stands the test of a criterion."""
    decided = verdict in (Verdict.OK, Verdict.NOT_OK)
    right = decided and (verdict is Verdict.OK) is good
    match criterion:
        case Criterion.RIGHT:
            return right
        case Criterion.NOT_WRONG:
            return right or not decided
        case Criterion.NO_ESCAPE:
            return good or verdict is not Verdict.OK
