"""Promotion from a journal: its level holds however it is looked at, answered or left open."""

from __future__ import annotations

import numpy as np
import pytest

from millhand.contracts.decision import Verdict
from millhand.feedback.pairs import Criterion, Pair, Pairs, fares, was_good
from millhand.feedback.promotion import better, not_worse
from millhand.journal.entries import Entry, new_entry
from millhand.journal.records import AnswerKind, ModelMoved, Review, Shadowed, Stage

AGENT, PACKAGE = "inspector", "candidate"
OK, NOT_OK, UNDECIDED = Verdict.OK, Verdict.NOT_OK, Verdict.NOT_DECIDABLE
MARGIN, ALPHA = 0.02, 0.05
CHECKED = range(150, 901, 75)


def stored(seq: int, record, id_: str) -> Entry:
    """An entry as the journal hands it out; the chain is of no matter here."""
    new = new_entry(record, id=id_, subject=AGENT)
    return Entry("cell", 1, seq, new.id, new.kind, new.subject, None, 0, new.body, "", "")


def shadowed(live: Verdict | None, verdict: Verdict | None, **more) -> Shadowed:
    return Shadowed(agent=AGENT, package=PACKAGE, live=live, verdict=verdict, **more)


def review(decision: str, live: Verdict, *, good: bool) -> Review:
    right = live in (OK, NOT_OK) and (live is OK) is good
    return Review(
        question=decision,
        decision=decision,
        answer=AnswerKind.AGREE if right else AnswerKind.DISAGREE,
        label="" if right else ("ok" if good else "scratch"),
        by="test",
    )


class Line:
    """Parts judged by two models of known quality, and a person who answers what differs.

    Args:
        rng: draws.
        false_rejects: of good parts, by the live model and the candidate.
        escapes: of defective parts, likewise.
        defective: share of parts.
    """

    def __init__(self, rng, false_rejects, escapes, defective: float = 0.12) -> None:
        self.rng = rng
        self.false_rejects, self.escapes, self.defective = false_rejects, escapes, defective
        self.pairs = Pairs(AGENT, PACKAGE)
        self.number = 0
        self.answers = 0

    def say(self, model: int, *, good: bool) -> Verdict:
        rate = self.false_rejects[model] if good else self.escapes[model]
        wrong = bool(self.rng.uniform() < rate)
        return OK if good is not wrong else NOT_OK

    def part(self, *, answered: float = 1.0) -> None:
        good = bool(self.rng.uniform() >= self.defective)
        live, other = self.say(0, good=good), self.say(1, good=good)
        self.number += 1
        name = f"cell.1.{self.number}"
        self.pairs.pairs[name] = Pair(live, other)
        if live is not other and self.rng.uniform() < answered:
            self.answers += 1
            self.pairs.reviews[name] = review(name, live, good=good)


def promoted(line: Line, *, answered: float = 1.0, looks: range = CHECKED) -> bool:
    """Look again and again while parts come."""
    for upto in looks:
        while line.number < upto:
            line.part(answered=answered)
        if not_worse(line.pairs, margin=MARGIN, alpha=ALPHA).not_worse:
            return True
    return False


@pytest.mark.parametrize(
    ("false_rejects", "escapes"),
    [
        ((0.03, 0.03 + MARGIN / 0.88), (0.05, 0.05)),
        ((0.03, 0.03), (0.02, 0.02 + MARGIN / 0.12)),
        ((0.05, 0.0), (0.0, MARGIN / 0.12)),
    ],
    ids=["more false rejects", "more escapes", "escapes bought with fewer false rejects"],
)
@pytest.mark.parametrize("answered", [1.0, 0.9])
def test_what_is_worse_by_the_margin_is_promoted_in_five_of_a_hundred_at_most(
    false_rejects, escapes, answered
):
    rng = np.random.default_rng(3)
    runs = [Line(rng, false_rejects, escapes) for _ in range(40)]
    assert sum(promoted(line, answered=answered) for line in runs) / len(runs) <= ALPHA


def test_a_candidate_as_good_is_promoted_with_at_most_fifty_answers_in_the_middle():
    rng = np.random.default_rng(5)
    runs = [Line(rng, (0.01, 0.01), (0.05, 0.05)) for _ in range(40)]
    won = [line for line in runs if promoted(line, looks=range(300, 1501, 150))]
    assert len(won) >= 0.8 * len(runs)
    assert np.median([line.answers for line in won]) <= 50


def test_silence_never_promotes():
    rng = np.random.default_rng(6)
    line = Line(rng, (0.05, 0.0), (0.05, 0.0))
    assert not promoted(line, answered=0.0)
    proof = not_worse(line.pairs)
    assert proof.answered == 0
    assert len(proof.open_questions) == proof.differing


def test_going_back_needs_proof_and_finds_a_live_model_that_is_worse():
    rng = np.random.default_rng(7)
    same = [Line(rng, (0.02, 0.02), (0.05, 0.05)) for _ in range(40)]
    worse = [Line(rng, (0.10, 0.01), (0.05, 0.05)) for _ in range(10)]
    for line in (*same, *worse):
        while line.number < 600:
            line.part()
    assert sum(bool(better(line.pairs).shown) for line in same) / len(same) <= ALPHA
    assert all(Criterion.RIGHT in better(line.pairs).shown for line in worse)


def test_pairs_come_from_the_journal_and_begin_anew_with_each_move():
    moved = ModelMoved(agent=AGENT, package=PACKAGE, now=Stage.SHADOW, by="test")
    entries = [
        stored(1, shadowed(OK, NOT_OK), "cell.1.1"),
        stored(2, moved, "m"),
        stored(3, shadowed(OK, NOT_OK), "cell.1.2"),
        stored(4, shadowed(OK, OK, fault="It took longer than the deadline."), "cell.1.3"),
        stored(5, Shadowed(agent="other", package=PACKAGE), "cell.1.4"),
        stored(6, review("cell.1.2", OK, good=False), "r"),
    ]
    pairs = Pairs(AGENT, PACKAGE)
    assert pairs.take(entries) == 5
    assert pairs.pairs == {"cell.1.2": Pair(OK, NOT_OK), "cell.1.3": Pair(OK, None)}
    proof = not_worse(pairs)
    assert (proof.pairs, proof.differing, proof.answered) == (2, 2, 1)
    assert (proof.right, proof.live_right) == (1, 0)
    assert proof.open_questions == ("cell.1.3",)
    live = ModelMoved(agent=AGENT, package="else", now=Stage.LIVE, by="test")
    pairs.take([stored(7, live, "m")])
    assert pairs.pairs == {}


def test_more_answers_can_only_raise_the_evidence_of_the_better_model():
    pairs = Pairs(AGENT, PACKAGE)
    for number in range(8):
        pairs.pairs[f"d{number}"] = Pair(OK, NOT_OK)
    before = not_worse(pairs).evidence
    for number in range(8):
        pairs.reviews[f"d{number}"] = review(f"d{number}", OK, good=False)
        after = not_worse(pairs).evidence
        assert all(after[one] >= before[one] for one in Criterion)
        before = after


@pytest.mark.parametrize(
    ("verdict", "good", "expected"),
    [
        (OK, True, {"right", "not_wrong", "no_escape"}),
        (OK, False, set()),
        (NOT_OK, True, {"no_escape"}),
        (NOT_OK, False, {"right", "not_wrong", "no_escape"}),
        (UNDECIDED, True, {"not_wrong", "no_escape"}),
        (None, False, {"not_wrong", "no_escape"}),
    ],
)
def test_how_a_verdict_fares(verdict, good, expected):
    assert {str(one) for one in Criterion if fares(verdict, one, good=good)} == expected


def test_what_a_person_says_of_a_verdict():
    assert was_good(review("d", OK, good=True), OK) is True
    assert was_good(review("d", UNDECIDED, good=True), UNDECIDED) is True
    agreed = Review(question="d", decision="d", answer=AnswerKind.AGREE, by="test")
    assert was_good(agreed, UNDECIDED) is None
    unsure = Review(question="d", decision="d", answer=AnswerKind.DONT_KNOW, by="test")
    assert was_good(unsure, OK) is None
