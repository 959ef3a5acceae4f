"""Lots are no drift, drift is found in spite of lots; what is left of the bound is measured."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from millhand.statistics.drift import Drift
from millhand.statistics.drift_in_batches import DriftInBatches, student_cdf

ALPHA = 0.01


def parts(rng, count: int, lot: int = 10, alike: float = 0.5) -> np.ndarray:
    """Values of parts in lots that resemble each other; one part in eight is defective."""
    lots = rng.normal(size=count // lot + 2)
    number = np.arange(count) + rng.integers(lot)
    own = np.sqrt(1 - alike) * rng.normal(size=count)
    return np.sqrt(alike) * lots[number // lot] + own + 5 * (rng.uniform(size=count) < 0.12)


def alarm(values, test: Drift | DriftInBatches) -> int | None:
    for value in values:
        if test.add(float(value)):
            return test.alarmed_at
    return None


@pytest.mark.parametrize(("lot", "alike"), [(1, 0.0), (10, 0.5), (10, 0.9)])
def test_lots_are_no_drift(lot, alike):
    rng = np.random.default_rng(1)
    runs = [alarm(parts(rng, 2000, lot, alike), DriftInBatches(ALPHA)) for _ in range(60)]
    assert sum(one is not None for one in runs) <= 2


def test_a_test_that_takes_each_part_for_news_finds_a_change_in_every_lot():
    """So that the test above can fail."""
    rng = np.random.default_rng(1)
    runs = [alarm(parts(rng, 2000, 10, 0.5), Drift(ALPHA, warm_up=200)) for _ in range(20)]
    assert sum(one is not None for one in runs) >= 15


@pytest.mark.parametrize("sign", [1, -1])
def test_what_creeps_is_found_before_it_has_gone_three_deviations(sign):
    rng = np.random.default_rng(2)
    creep = sign * 0.01 * np.maximum(0, np.arange(1400) - 400)
    found = [alarm(parts(rng, 1400) + creep, DriftInBatches(ALPHA)) for _ in range(30)]
    assert all(one is not None and one > 400 for one in found)
    assert np.median([one for one in found if one]) - 400 <= 300


def test_the_bet_is_a_fair_game():
    """Its mean over uniform probabilities is one, but for the cap, which only lowers it."""
    grid = (np.arange(20_000) + 0.5) / 20_000
    total = 0.0
    for probability in grid:
        test = DriftInBatches(ALPHA)
        test._bet(float(probability))
        total += test.evidence / len(grid)
    assert 0.97 <= total <= 1.0


@pytest.mark.parametrize(
    ("value", "freedom", "expected"),
    [(0.0, 9, 0.5), (1.833, 9, 0.95), (-2.821, 9, 0.01), (2.626, 100, 0.995)],
)
def test_students_t(value, freedom, expected):
    assert student_cdf(value, freedom) == pytest.approx(expected, abs=2e-4)


@given(st.lists(st.floats(-1e6, 1e6), max_size=120))
def test_evidence_stays_positive(values):
    test = DriftInBatches(batch=2, warm_up=10)
    for value in values:
        test.add(value)
        assert test.evidence > 0
    assert test.seen == len(values)


def test_nonsense_is_refused():
    with pytest.raises(ValueError, match="ranked"):
        DriftInBatches().add(float("inf"))
    with pytest.raises(ValueError, match="warm-up"):
        DriftInBatches(warm_up=50)
