"""The sequential test keeps its level however often one looks, and comes to an end."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from millhand.statistics.betting import NotWorse

MARGIN, ALPHA = 0.02, 0.05
PAIRS, RUNS = 1500, 200


def pairs(rng, *, worse_by: float, discordant: float = 0.045, count: int = PAIRS):
    """Draw who was right: A alone, B alone, or both; B is right less often by ``worse_by``."""
    a_alone, b_alone = (discordant + worse_by) / 2, (discordant - worse_by) / 2
    draw = rng.uniform(size=count)
    return draw >= a_alone + b_alone, draw < a_alone


def shown_at(rng, test: NotWorse, worse_by: float) -> int | None:
    """Look after every pair; return at which it was shown."""
    both, a_alone = pairs(rng, worse_by=worse_by)
    for number, (same, a) in enumerate(zip(both, a_alone, strict=True), 1):
        test.add(a_right=bool(same or a), b_right=bool(same or not a))
        if test.shown:
            return number
    return None


def test_a_model_that_is_worse_by_the_margin_is_promoted_in_five_of_a_hundred_at_most():
    rng = np.random.default_rng(17)
    found = [shown_at(rng, NotWorse(MARGIN, ALPHA), worse_by=MARGIN) for _ in range(RUNS)]
    assert sum(one is not None for one in found) / RUNS <= ALPHA


def test_looking_with_a_test_that_was_made_for_one_look_does_not_keep_its_level():
    """So that the test above can fail: a z-test looked at after every pair."""
    rng = np.random.default_rng(17)
    false = 0
    for _ in range(RUNS):
        both, a_alone = pairs(rng, worse_by=MARGIN)
        gain = np.where(both, 0.0, np.where(a_alone, -1.0, 1.0)) + MARGIN
        count = np.arange(1, PAIRS + 1)
        mean, squares = gain.cumsum() / count, (gain**2).cumsum() / count
        deviation = np.sqrt(np.maximum(squares - mean**2, 1e-12) / count)
        false += bool((mean[50:] / deviation[50:] > 1.645).any())
    assert false / RUNS > 2 * ALPHA


def test_equal_models_are_promoted_after_hundreds_of_pairs():
    rng = np.random.default_rng(5)
    found = [shown_at(rng, NotWorse(MARGIN, ALPHA), worse_by=0.0) for _ in range(60)]
    ended = [one for one in found if one is not None]
    assert len(ended) >= 0.8 * len(found)
    assert np.median(ended) <= 800


def test_a_better_model_is_promoted_sooner():
    rng = np.random.default_rng(6)
    better = [shown_at(rng, NotWorse(MARGIN, ALPHA), worse_by=-0.04) for _ in range(40)]
    assert all(better)
    assert np.median([one for one in better if one is not None]) <= 400


def test_weights_undo_that_some_items_were_asked_for_more_often():
    """B fails on the rare kind alone; a judge who is asked about that kind always sees it."""
    rng = np.random.default_rng(23)
    promoted = 0
    for _ in range(100):
        test = NotWorse(MARGIN, ALPHA, smallest_chance=0.25)
        for _ in range(800):
            hard = rng.uniform() < 0.03
            chance = 1.0 if hard else 0.25
            if rng.uniform() < chance:
                test.add(a_right=True, b_right=not hard, chance=chance)
            else:
                test.add(a_right=True, b_right=True)  # not judged: no gain, no loss
        promoted += test.shown
    assert promoted / 100 <= ALPHA


@given(st.lists(st.tuples(st.booleans(), st.booleans()), max_size=200), st.floats(-0.2, 0.2))
def test_the_capital_stays_positive_and_finite_or_proof(answers, margin):
    test = NotWorse(margin)
    for a, b in answers:
        assert test.add(a_right=a, b_right=b) > 0
    assert test.pairs == len(answers)
    assert test.discordant == sum(a is not b for a, b in answers)
    assert not math.isnan(test.evidence)


def test_the_capital_on_the_edge_of_the_hypothesis_is_a_fair_game():
    """Its mean over what may come is what it was: checked exactly, two pairs deep."""
    chances = {(1, 0): 0.05, (0, 1): 0.03, (1, 1): 0.92}
    total = 0.0
    for first, p in chances.items():
        for second, q in chances.items():
            test = NotWorse(0.02)
            for a, b in (first, second):
                test.add(a_right=bool(a), b_right=bool(b))
            total += p * q * test.evidence
    assert total == pytest.approx(1.0, abs=1e-9)


@pytest.mark.parametrize("bad", [{"margin": 1.0}, {"margin": 0.0, "alpha": 0.0}])
def test_nonsense_is_refused(bad):
    with pytest.raises(ValueError, match="rates"):
        NotWorse(**bad)
