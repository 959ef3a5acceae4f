"""The promise of a student's answers: proven for every graph, stated in the passport, a gate."""

from __future__ import annotations

import pytest

from millhand.distil.run import distil
from millhand.errors import PackageError
from millhand.models.package import open_package

INT8 = {"use": "toy.rounded", "gain": -9}


@pytest.fixture
def make(plugins, points, make_plan, tmp_path):
    def call(*, proven, wrong=0, alpha=0.05, answered=0.5, **plan):
        settings = {"proven": proven, "wrong": wrong, "judged": 60}
        plan = {
            "certify": {"alpha": alpha},
            "gates": [{"use": "toy.certified", "with": {"answered": answered}}],
            **plan,
        }
        student = {"use": "toy.linear", "with": settings}
        return distil(make_plan(student=student, **plan), plugins, points, tmp_path / "toy")

    return call


def test_what_is_proven_stands_in_the_passport(make):
    package = make(proven=300, wrong=2)
    found = open_package(package.folder).manifest.abstention
    assert (found.threshold, found.alpha, found.tried) == (0.5, 0.05, 8)
    assert (found.answered, found.items) == (300, 300)
    assert package.manifest.parameters["answers_from"] == 0.5, "and the agent is told"
    assert package.manifest.parameters["threshold"] == 0.5, "beside what it was told before"
    assert found.wrong >= 2
    assert found.wrong / found.answered < found.upper <= 0.05
    assert (
        "Below a confidence of 0.5 it does not answer." in (package.folder / "card.md").read_text()
    )


def test_with_an_int8_graph_the_promise_holds_for_both(make):
    package = make(proven=300, wrong=2, quantise=INT8)
    assert package.precisions == ("fp32", "int8")
    assert package.manifest.abstention.tried == 16


@pytest.mark.parametrize(
    ("case", "says"),
    [
        ({"proven": 98}, "99 answered, all right, would be needed"),
        ({"proven": 300, "wrong": 60}, "No promise of at most 0.05 wrong"),
        ({"proven": 0}, "hands in no proof"),
        ({"proven": 300, "certify": None}, "asks for no promise"),
    ],
)
def test_where_nothing_is_proven_the_gate_cannot_judge(make, case, says):
    with pytest.raises(PackageError, match="cannot judge") as caught:
        make(**case)
    assert caught.value.fault == "gate"
    assert says in str(caught.value)


def test_no_promise_is_an_answer_too(make):
    package = make(proven=50, gates=[])
    found = package.manifest.abstention
    assert (found.threshold, found.upper, found.items, found.needed) == (None, None, 50, 99)
    assert "No promise" in (package.folder / "card.md").read_text()
