"""What answers say of an agent's verdicts, weighed by how often was asked."""

from __future__ import annotations

import numpy as np
import pytest

from millhand.contracts.decision import Verdict
from millhand.feedback.rates import answered_rate
from millhand.journal.entries import Entry, new_entry
from millhand.journal.records import AnswerKind, Question, Review
from millhand.testing.runs import MadeRun


def stored(made: list) -> list[Entry]:
    entries = []
    for seq, (id_, record) in enumerate(made, 1):
        new = new_entry(record, id=id_, subject="inspector")
        entries.append(
            Entry("cell", 1, seq, new.id, new.kind, new.subject, None, 0, new.body, "", "")
        )
    return entries


def asked(decision: str, chance: float, **more) -> list:
    question = Question(decision=decision, agent="inspector", text="?", kind="label", chance=chance)
    review = Review(question=f"{decision}.a", decision=decision, by="ann", **more)
    return [(f"{decision}.a", question), (f"{decision}.r", review)]


def line(parts: int, wrong: set[int], questions: dict[int, float]) -> list[Entry]:
    run = MadeRun()
    for _ in range(parts):
        run.part(Verdict.OK)
    made = [(one.id, one.record) for one in run.entries]
    ids = [id_ for id_, record in made if type(record).__name__ == "Intent"]
    for number, chance in questions.items():
        said = (
            {"answer": AnswerKind.DISAGREE, "label": "scratch"}
            if number in wrong
            else {"answer": AnswerKind.AGREE}
        )
        made += asked(ids[number], chance, **said)
    return stored(made)


def test_what_was_asked_about_more_often_counts_less():
    """Two of the ten suspicious ones are wrong, all asked; one in ten of the rest, none wrong."""
    questions = dict.fromkeys(range(10), 1.0) | dict.fromkeys(range(10, 100, 10), 0.1)
    found = answered_rate(line(100, {0, 1}, questions))
    assert found is not None
    assert (found.asked, found.answered, found.wrong) == (19, 19, 2)
    assert found.rate == pytest.approx(2 / (10 + 9 * 10))


def test_it_is_unbiased_where_counting_is_not():
    rng = np.random.default_rng(4)
    rates, naive = [], []
    for _ in range(40):
        wrong = {n for n in range(400) if rng.uniform() < (0.3 if n < 40 else 0.02)}
        questions = dict.fromkeys(range(40), 1.0)
        questions |= {n: 0.1 for n in range(40, 400) if rng.uniform() < 0.1}
        found = answered_rate(line(400, wrong, questions))
        assert found is not None
        rates.append(found.rate - len(wrong) / 400)
        naive.append(found.wrong / found.answered - len(wrong) / 400)
    assert abs(np.mean(rates)) < 3 * np.std(rates) / np.sqrt(40)
    assert np.mean(naive) > 0.05


def test_what_nobody_could_tell_and_what_nobody_was_asked_is_left_out():
    run = MadeRun()
    run.part(Verdict.OK)
    run.part(Verdict.OK)
    made = [(one.id, one.record) for one in run.entries]
    first, second = [id_ for id_, record in made if type(record).__name__ == "Intent"]
    made += asked(first, 0.5, answer=AnswerKind.DONT_KNOW)
    unasked = Review(
        question=second, decision=second, answer=AnswerKind.DISAGREE, label="pit", by="ann"
    )
    made.append(("r", unasked))
    assert answered_rate(stored(made)) is None
