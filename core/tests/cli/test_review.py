"""``review``: what a person types ends in the journal, with the engine running or not."""

import getpass
import json

import pytest

from millhand.feedback.review import consume_inbox
from millhand.journal.journal import Journal


def reviews(folder) -> list[dict]:
    with Journal.open_readonly(folder / "journal.sqlite") as journal:
        return [json.loads(entry.body) for entry in journal.read(kinds=("review",))]


def test_list_show_answer_without_an_engine(run, recorded):
    listed = run("review", "list", "--at", recorded)
    assert "cell.1.2.q1" in listed.stdout
    shown = run("review", "show", "cell.1.2.q1", "--at", recorded)
    for said in ("P000002 impeller", "not decidable", "It cannot tell.", "open question"):
        assert said in shown.stdout
    given = run("review", "disagree", "cell.1.2", "scratch", "--at", recorded, "--note", "bore")
    assert given.exit_code == 0, given.output
    (review,) = reviews(recorded)
    assert (review["label"], review["note"], review["by"]) == (
        "scratch",
        "bore",
        getpass.getuser(),
    )
    assert "No question is open." in run("review", "list", "--at", recorded).stdout
    assert "disagree scratch" in run("review", "show", "cell.1.2", "--at", recorded).stdout


@pytest.mark.parametrize(
    ("words", "answer"),
    [(["agree", "cell.1.2.q1"], "agree"), (["dont-know", "cell.1.2.q1"], "dont_know")],
)
def test_other_answers(run, recorded, words, answer):
    assert run("review", *words, "--at", recorded).exit_code == 0
    assert [review["answer"] for review in reviews(recorded)] == [answer]


def test_another_name_is_recorded_with_the_users(run, recorded):
    run("review", "agree", "cell.1.1", "--at", recorded, "--by", "Ann")
    assert reviews(recorded)[0]["by"] == f"Ann ({getpass.getuser()})"


@pytest.mark.parametrize(
    "words",
    [
        ["agree", "nope"],
        ["approve", "cell.1.2.q1"],
        ["show", "nope"],
    ],
)
def test_what_does_not_fit_needs_a_person(run, recorded, words):
    result = run("review", *words, "--at", recorded)
    assert result.exit_code == 3
    assert reviews(recorded) == []


def test_a_second_answer_is_refused(run, recorded):
    assert run("review", "agree", "cell.1.2.q1", "--at", recorded).exit_code == 0
    again = run("review", "disagree", "cell.1.2.q1", "ok", "--at", recorded)
    assert (again.exit_code, "already" in again.stderr) == (3, True)


def test_beside_a_running_engine_the_answer_reaches_its_writer(shell, recorded):
    with Journal(recorded / "journal.sqlite", cell="cell") as journal:
        given = shell("review", "disagree", "cell.1.2.q1", "ok", "--at", recorded)
        assert given.returncode == 0, given.stderr
        assert list(journal.read(kinds=("review",))) == []
        (taken,) = consume_inbox(journal, recorded / "inbox")
        assert (taken.label, taken.answer) == ("ok", "disagree")
    assert [review["label"] for review in reviews(recorded)] == ["ok"]


def test_machines_read_json(run, recorded):
    (asked,) = json.loads(run("review", "list", "--at", recorded, "--json").stdout)
    assert (asked["id"], asked["question"]["text"]) == ("cell.1.2.q1", "What is it?")
    case = json.loads(run("review", "show", "cell.1.2", "--at", recorded, "--json").stdout)
    assert case["intent"]["decision"]["verdict"] == "not_decidable"
