"""How often an agent is wrong, by what people answered: weighed, so that asking does not bias it.

Each question records the probability with which it was drawn. An answer weighs one over it, and
the weights are put to the sum of one over those answered (Hájek, 1971, in "Foundations of
Statistical Inference"): then what was asked more often counts less. An answer that nobody was
asked for was chosen by a person, for a reason; it is left out.
"""

from __future__ import annotations

from collections.abc import Iterable

from msgspec import Struct

from millhand.contracts.decision import Verdict
from millhand.feedback.pairs import was_good
from millhand.journal.entries import Entry
from millhand.journal.records import Intent, Question, Review

RATE_KINDS = ("intent", "question", "review")
"""Kinds of entries that tell."""


class AnsweredRate(Struct, frozen=True, kw_only=True):
    """What the answers to questions say of an agent's verdicts."""

    asked: int
    answered: int
    """Of the asked, those that people could judge."""
    wrong: int
    """Of the answered, as counted."""
    rate: float
    """Share of all verdicts that are wrong, weighed; *not decidable* is never wrong."""


def answered_rate(entries: Iterable[Entry]) -> AnsweredRate | None:
    """Estimate how often verdicts are wrong; None where no question was answered.

    Args:
        entries: of :data:`RATE_KINDS`, in the journal's order.
    """
    verdicts: dict[str, Verdict | None] = {}
    chances: dict[str, float] = {}
    reviews: dict[str, Review] = {}
    for entry in entries:
        record = entry.record
        match record:
            case Intent():
                verdicts[entry.id] = record.decision.verdict
            case Question(kind="label"):
                chances[entry.id] = record.chance
            case Review() if record.question in chances:
                reviews[record.question] = record
            case _:
                pass
    weight = weighed = 0.0
    answered = wrong = 0
    for question, review in reviews.items():
        verdict = verdicts.get(review.decision)
        good = was_good(review, verdict)
        if good is None:
            continue
        failed = verdict in (Verdict.OK, Verdict.NOT_OK) and (verdict is Verdict.OK) is not good
        answered, wrong = answered + 1, wrong + failed
        weight += 1 / chances[question]
        weighed += failed / chances[question]
    if not answered:
        return None
    return AnsweredRate(asked=len(chances), answered=answered, wrong=wrong, rate=weighed / weight)
