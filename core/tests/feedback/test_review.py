"""Questions and answers over a real journal: from the writer's process and from outside."""

import json
import time
from pathlib import Path

import pytest

from millhand.contracts.decision import Verdict
from millhand.errors import ConfigError, NotAllowed
from millhand.feedback import inbox as inbox_files
from millhand.feedback.review import answer, consume_inbox, questions, show
from millhand.journal.entries import new_entry
from millhand.journal.journal import Journal
from millhand.journal.records import AnswerKind, Cause, Intent, Question
from millhand.testing.runs import MadeRun

ASKED = "cell.1.2.q1"
DECISION = "cell.1.2"


def fill(journal: Journal, *, kind: str = "label", expires_utc_ns: int | None = None) -> None:
    """Journal two parts; the second is not decidable and asks."""
    run = MadeRun()
    run.part(Verdict.OK)
    run.part(Verdict.NOT_DECIDABLE, cause=Cause.UNSURE, reason="It cannot tell.")
    for made in run.entries:
        part = None
        if isinstance(made.record, Intent):
            part = made.record.observation.trigger.part_id
        entry = new_entry(made.record, id=made.id, subject="inspector", part=part)
        journal.append([entry]).result(5)
    question = Question(
        decision=DECISION,
        agent="inspector",
        text="What is this part really?",
        kind=kind,
        part_id="P000002",
        expires_utc_ns=expires_utc_ns,
    )
    journal.append([new_entry(question, id=ASKED, subject="inspector", part="P000002")]).result(5)


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "journal.sqlite"


@pytest.fixture
def inbox(tmp_path: Path) -> Path:
    return tmp_path / "inbox"


@pytest.fixture
def journal(file: Path):
    with Journal(file, cell="cell") as opened:
        fill(opened)
        yield opened


def reviews(journal: Journal) -> list:
    return [entry.record for entry in journal.read(kinds=("review",))]


def test_lists_what_is_open_and_no_longer_what_was_answered(journal):
    (asked,) = questions(journal)
    assert (asked.id, asked.question.part_id, asked.expired()) == (ASKED, "P000002", False)
    answer(journal, ASKED, AnswerKind.DISAGREE, by="ann", label="scratch", note="near the bore")
    assert questions(journal) == []
    (review,) = reviews(journal)
    assert (review.question, review.decision, review.by) == (ASKED, DECISION, "ann")
    assert (review.answer, review.label, review.note) == ("disagree", "scratch", "near the bore")
    (entry,) = journal.read(kinds=("review",))
    assert (entry.part, entry.subject) == ("P000002", "inspector")


def test_naming_the_decision_means_its_question(journal):
    assert answer(journal, DECISION, AnswerKind.AGREE, by="ann").question == ASKED
    assert questions(journal) == []


def test_a_decision_that_nobody_asked_about_can_be_corrected(journal):
    given = answer(journal, "cell.1.1", AnswerKind.DISAGREE, by="bob", label="pit")
    assert (given.question, given.decision) == ("cell.1.1", "cell.1.1")
    assert len(questions(journal)) == 1


@pytest.mark.parametrize("about", [ASKED, DECISION])
def test_refuses_a_second_answer(journal, about):
    answer(journal, ASKED, AnswerKind.AGREE, by="ann")
    with pytest.raises(NotAllowed, match="already"):
        answer(journal, about, AnswerKind.DISAGREE, by="bob", label="ok")
    assert len(reviews(journal)) == 1


@pytest.mark.parametrize(
    ("kind", "label", "by", "complaint"),
    [
        (AnswerKind.DISAGREE, "", "ann", "what it really was"),
        (AnswerKind.AGREE, "ok", "ann", "Only who disagrees"),
        (AnswerKind.AGREE, "", "  ", "Say who"),
    ],
)
def test_refuses_incomplete_answers(journal, kind, label, by, complaint):
    with pytest.raises(ConfigError, match=complaint):
        answer(journal, ASKED, kind, by=by, label=label)
    assert reviews(journal) == []


@pytest.mark.parametrize("about", ["cell.1.99", "cell.1.2.q9", ""])
def test_refuses_unknown_ids(journal, about):
    with pytest.raises(ConfigError, match="knows no question"):
        answer(journal, about, AnswerKind.AGREE, by="ann")


@pytest.mark.parametrize("kind", [AnswerKind.APPROVE, AnswerKind.REFUSE])
def test_a_label_is_no_approval(journal, kind):
    with pytest.raises(NotAllowed, match="does not fit"):
        answer(journal, ASKED, kind, by="ann")


def test_a_proposal_is_approved_in_time_and_not_after(file):
    with Journal(file, cell="cell") as journal:
        fill(journal, kind="proposal", expires_utc_ns=time.time_ns() + 60_000_000_000)
        assert answer(journal, ASKED, AnswerKind.APPROVE, by="ann").answer == "approve"
    file.unlink()
    with Journal(file, cell="cell") as journal:
        fill(journal, kind="proposal", expires_utc_ns=time.time_ns() - 1)
        assert questions(journal)[0].expired()
        with pytest.raises(NotAllowed, match="too late"):
            answer(journal, ASKED, AnswerKind.APPROVE, by="ann")
        assert answer(journal, ASKED, AnswerKind.REFUSE, by="ann").answer == "refuse"


def test_shows_a_case_with_its_outcome_question_and_answers(journal):
    case = show(journal, ASKED)
    assert (case.decision, case.intent.decision.reason) == (DECISION, "It cannot tell.")
    assert case.outcome is not None
    assert [one.id for one in case.questions] == [ASKED]
    answer(journal, ASKED, AnswerKind.DONT_KNOW, by="ann")
    after = show(journal, DECISION)
    assert (after.questions, [review.by for review in after.reviews]) == ((), ["ann"])


# --- from outside the writer's process ---


def test_outside_the_writer_an_answer_waits_in_the_inbox(journal, file, inbox):
    with Journal.open_readonly(file) as reader:
        answer(reader, ASKED, AnswerKind.DISAGREE, by="ann", label="ok", inbox=inbox)
        assert reviews(journal) == []
        assert questions(reader, inbox) == [], "what waits is answered"
        with pytest.raises(NotAllowed, match="already"):
            answer(reader, ASKED, AnswerKind.AGREE, by="bob", inbox=inbox)
        before = time.time_ns()
    (taken,) = consume_inbox(journal, inbox)
    assert (taken.by, taken.label) == ("ann", "ok")
    assert [review.by for review in reviews(journal)] == ["ann"]
    (entry,) = journal.read(kinds=("review",))
    assert entry.at_utc_ns <= before, "the journal says when the person answered"
    assert list(inbox.glob("*.json")) == []
    assert consume_inbox(journal, inbox) == []


def test_without_an_inbox_a_reader_cannot_answer(journal, file):
    with (
        Journal.open_readonly(file) as reader,
        pytest.raises(NotAllowed, match="reading only"),
    ):
        answer(reader, ASKED, AnswerKind.AGREE, by="ann")


def test_a_file_left_by_a_crash_is_not_journalled_twice(journal, file, inbox):
    with Journal.open_readonly(file) as reader:
        answer(reader, ASKED, AnswerKind.AGREE, by="ann", inbox=inbox)
    (waiting,) = inbox.glob("*.json")
    copy = waiting.read_bytes()
    consume_inbox(journal, inbox)
    waiting.write_bytes(copy)  # as if the engine had died before it deleted the file
    assert consume_inbox(journal, inbox) == []
    assert len(reviews(journal)) == 1
    assert not (inbox / "refused").exists()
    assert not waiting.exists()


def test_two_answers_at_once_the_first_counts_and_the_second_is_put_aside(journal, inbox):
    given = inbox_files.Answer(
        question=ASKED, decision=DECISION, answer=AnswerKind.AGREE, by="ann", at_utc_ns=1
    )
    late = inbox_files.Answer(
        question=ASKED, decision=DECISION, answer=AnswerKind.DONT_KNOW, by="bob", at_utc_ns=2
    )
    inbox_files.put(inbox, late)
    inbox_files.put(inbox, given)
    assert [review.by for review in consume_inbox(journal, inbox)] == ["ann"]
    (reason,) = (inbox / "refused").glob("*.reason.txt")
    assert "already" in reason.read_text()


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"{",
        b"\xff\xfe",
        b'{"question": "cell.1.2.q1"}',
        b'{"question":"cell.1.2.q1","decision":"x","answer":"hack","by":"a","at_utc_ns":1}',
        b'{"question":"nope","decision":"nope","answer":"agree","by":"a","at_utc_ns":1}',
        b'{"question":"cell.1.2.q1","decision":"cell.1.1","answer":"agree","by":"a","at_utc_ns":1}',
        b"[" * 100_000,
        b'{"question":"cell.1.2.q1","decision":"x","answer":"agree","by":"a","at_utc_ns":1,"z":1}',
    ],
)
def test_hostile_files_are_put_aside_and_stop_nothing(journal, inbox, content):
    inbox.mkdir()
    (inbox / "0.json").write_bytes(content)
    given = inbox_files.Answer(
        question=ASKED, decision=DECISION, answer=AnswerKind.AGREE, by="ann", at_utc_ns=9
    )
    inbox_files.put(inbox, given)
    assert [review.by for review in consume_inbox(journal, inbox)] == ["ann"]
    assert (inbox / "refused" / "0.json").exists()
    assert (inbox / "refused" / "0.reason.txt").read_text().strip()


def test_a_link_out_of_the_inbox_is_not_followed(journal, inbox, tmp_path):
    target = tmp_path / "elsewhere.json"
    answer_text = {"question": ASKED, "decision": DECISION, "answer": "agree", "by": "eve"}
    target.write_text(json.dumps({**answer_text, "at_utc_ns": 1}))
    inbox.mkdir()
    (inbox / "0.json").symlink_to(target)
    assert consume_inbox(journal, inbox) == []
    assert target.exists()


def test_approvals_wait_where_nobody_would_carry_them_out(file, inbox):
    with Journal(file, cell="cell") as journal:
        fill(journal, kind="proposal")
        with Journal.open_readonly(file) as reader:
            answer(reader, ASKED, AnswerKind.APPROVE, by="ann", inbox=inbox)
        assert consume_inbox(journal, inbox, approvals=False) == []
        assert len(list(inbox.glob("*.json"))) == 1
        assert [review.answer for review in consume_inbox(journal, inbox)] == ["approve"]


def test_the_inbox_is_for_its_owner_alone(journal, file, inbox):
    with Journal.open_readonly(file) as reader:
        answer(reader, ASKED, AnswerKind.AGREE, by="ann", inbox=inbox)
    assert inbox.stat().st_mode & 0o077 == 0
