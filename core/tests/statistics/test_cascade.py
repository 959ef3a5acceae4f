"""A cascade counts what is asked and what is answered; a promise of it holds on fresh items."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from millhand.statistics.cascade import Stage, cheapest, curve, run_through
from millhand.statistics.selective import Certificate, certify

STUDENT = Stage(
    name="student",
    cost=1.0,
    confidence=[0.99, 0.9, 0.6, 0.3],
    wrong=[False, True, True, False],
    threshold=0.8,
)
BIGGER = Stage(
    name="bigger", cost=10.0, confidence=[1.0, 1.0, 0.4, 0.9], wrong=[False] * 4, threshold=0.5
)
PERSON = Stage(name="person", cost=100.0, confidence=[1.0] * 4, wrong=[False] * 4)


def test_what_is_asked_is_paid_for_and_whoever_answers_is_counted():
    point = run_through([STUDENT, BIGGER, PERSON])
    assert point.answered == (2, 1, 1)
    assert point.cost == pytest.approx((4 * 1 + 2 * 10 + 1 * 100) / 4)
    assert (point.wrong.count, point.wrong.of) == (1, 4)
    assert point.deferred == 0.5


def test_the_last_stage_answers_whatever_it_is():
    alone = run_through([Stage(name="s", cost=2.0, confidence=[float("nan")], wrong=[True])])
    assert (alone.answered, alone.cost, alone.wrong.count) == ((1,), 2.0, 1)


def test_the_curve_goes_from_the_student_to_everybody_else():
    points = curve([STUDENT, BIGGER, PERSON], thresholds=(0.5, 0.95, 0.0))
    assert [point.answered[0] for point in points] == [4, 3, 1, 0]
    assert points[0].cost == 1.0
    assert points[-1].cost == pytest.approx((4 + 40 + 100) / 4)
    assert points[-1].wrong.count == 0


def test_the_cheapest_that_is_surely_right_enough():
    rng = np.random.default_rng(1)
    sure = rng.uniform(0, 1, 4000)
    student = Stage(
        name="s", cost=1.0, confidence=sure, wrong=rng.uniform(0, 1, 4000) > 0.5 + sure / 2
    )
    person = Stage(name="p", cost=50.0, confidence=np.ones(4000), wrong=np.zeros(4000, bool))
    points = curve([student, person])
    chosen = cheapest(points, within=0.05)
    assert chosen.wrong.high <= 0.05
    assert all(p.cost >= chosen.cost or p.wrong.high > 0.05 for p in points)
    assert cheapest(points[:1], within=0.001) is None


@given(
    st.lists(st.tuples(st.floats(0, 1), st.booleans(), st.floats(0, 1), st.booleans()), min_size=1),
    st.floats(0, 1),
)
def test_every_item_is_answered_once_and_no_stage_is_free(items, threshold):
    columns = list(zip(*items, strict=True))
    stages = [
        Stage(name="a", cost=1.0, confidence=columns[0], wrong=columns[1], threshold=threshold),
        Stage(name="b", cost=3.0, confidence=columns[2], wrong=columns[3]),
    ]
    point = run_through(stages)
    assert sum(point.answered) == len(items)
    assert point.cost == pytest.approx(1.0 + 3.0 * point.deferred)


def test_the_students_share_of_errors_keeps_its_promise_on_fresh_items():
    """Over 500 draws a certified student errs more often than promised at most as often as said."""
    rng, alpha, delta, broken, issued = np.random.default_rng(8), 0.05, 0.05, 0, 0

    def risk(sure):
        return 0.3 * (1 - sure)

    for _ in range(500):
        sure = rng.uniform(0, 1, 4000)
        found = certify(sure, rng.uniform(0, 1, 4000) < risk(sure), alpha=alpha, delta=delta)
        if isinstance(found, Certificate):
            issued += 1
            broken += float((risk(found.threshold) + risk(1.0)) / 2) > alpha
    assert issued > 400
    assert broken / 500 <= delta


@pytest.mark.parametrize(
    "stages",
    [
        [],
        [Stage(name="a", cost=1.0, confidence=[], wrong=[])],
        [STUDENT, Stage(name="short", cost=1.0, confidence=[1.0], wrong=[False])],
        [Stage(name="a", cost=1.0, confidence=[1.0], wrong=[])],
    ],
)
def test_nonsense_is_refused(stages):
    with pytest.raises(ValueError, match=r"needs a stage|says nothing"):
        run_through(stages)
