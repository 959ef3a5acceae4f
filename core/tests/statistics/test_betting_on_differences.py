"""The test that bets by how often two differ: its level, its speed, and that the bet is fair."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from millhand.statistics.betting import NotWorse
from millhand.statistics.betting_on_differences import NotWorseByDifferences

MARGIN, ALPHA = 0.02, 0.05
PAIRS, RUNS = 1500, 200


def shown_after(rng, test, *, worse_by: float, differing: float) -> int | None:
    """Look after every pair; return after how many that differ it was shown."""
    answers, before = 0, 0
    lucky = rng.uniform(size=PAIRS)
    for place in np.flatnonzero(lucky < differing):
        test.add_ties(int(place) - before)
        if test.shown:
            return answers
        answers, before, luck = answers + 1, int(place) + 1, lucky[place]
        b_right = bool(luck < (differing - worse_by) / 2)
        test.add(a_right=not b_right, b_right=b_right)
    test.add_ties(PAIRS - before)
    return answers if test.shown else None


@pytest.mark.parametrize("differing", [0.02, 0.045, 0.15])
def test_what_is_worse_by_the_margin_is_promoted_in_five_of_a_hundred_at_most(differing):
    rng = np.random.default_rng(17)
    found = [
        shown_after(rng, NotWorseByDifferences(MARGIN, ALPHA), worse_by=MARGIN, differing=differing)
        for _ in range(RUNS)
    ]
    assert sum(one is not None for one in found) / RUNS <= ALPHA


def test_equal_models_take_fewer_answers_than_with_players_who_guess():
    def median(make) -> float:
        rng = np.random.default_rng(5)
        found = [shown_after(rng, make(MARGIN, ALPHA), worse_by=0.0, differing=0.04)
                 for _ in range(80)]  # fmt: skip
        return float(np.median([np.inf if one is None else one for one in found]))

    assert median(NotWorseByDifferences) < 0.9 * median(NotWorse)


def test_the_capital_on_the_edge_of_the_hypothesis_is_a_fair_game():
    """Its mean over what may come is what it was: checked exactly, three pairs deep."""
    chances = {-1: 0.05, 1: 0.03, 0: 0.92}

    def mean(before: tuple[int, ...], depth: int) -> float:
        if not depth:
            test = NotWorseByDifferences(0.02)
            for one in before:
                if one:
                    test.add(a_right=one < 0, b_right=one > 0)
                else:
                    test.add_ties(1)
            return test.evidence
        return sum(p * mean((*before, one), depth - 1) for one, p in chances.items())

    assert mean((), 3) == pytest.approx(1.0, abs=1e-9)


@given(st.lists(st.sampled_from([-1, 0, 1, 2]), max_size=60))
def test_ties_count_alike_one_by_one_and_an_open_question_never_helps(seen):
    """0: they agree; 2: they differ and nobody has said who is right, which counts against B."""
    one_by_one, at_once, known = (NotWorseByDifferences(MARGIN) for _ in range(3))
    ties = 0
    for one in seen:
        if one == 0:
            one_by_one.add_ties(1)
            known.add_ties(1)
            ties += 1
            continue
        at_once.add_ties(ties)
        ties = 0
        for test in (one_by_one, at_once):
            test.add(a_right=one != 1, b_right=one == 1)
        known.add(a_right=one == -1, b_right=one != -1)
    at_once.add_ties(ties)
    assert at_once.evidence == pytest.approx(one_by_one.evidence)
    assert one_by_one.evidence <= known.evidence * (1 + 1e-9)


@pytest.mark.parametrize("bad", [{"margin": 0.0}, {"margin": 0.02, "alpha": 1.0}])
def test_nonsense_is_refused(bad):
    with pytest.raises(ValueError, match="rates"):
        NotWorseByDifferences(**bad)
