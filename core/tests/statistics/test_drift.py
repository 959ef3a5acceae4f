"""Drift is shown soon; a process that stays as it is raises no more alarms than agreed."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from millhand.statistics.drift import Drift
from millhand.statistics.intervals import share

ALPHA, VALUES, RUNS = 0.05, 800, 120


def alarmed_at(values, **options) -> int | None:
    test = Drift(ALPHA, **options)
    for value in values:
        if test.add(float(value)):
            return test.alarmed_at
    return None


@pytest.mark.parametrize("draw", ["normal", "lognormal", "integers"])
def test_without_a_change_false_alarms_are_rare_however_long_one_watches(draw):
    """Skewed values and values that are often equal included."""
    rng = np.random.default_rng(3)
    draws = {
        "normal": lambda: rng.normal(size=VALUES),
        "lognormal": lambda: rng.lognormal(sigma=2.0, size=VALUES),
        "integers": lambda: rng.integers(0, 4, size=VALUES),
    }
    false = sum(alarmed_at(draws[draw](), seed=run) is not None for run in range(RUNS))
    assert share(false, RUNS).low <= ALPHA


def test_watching_a_test_made_for_one_look_raises_many_more():
    """So that the test above can fail: two standard errors, looked at after every value."""
    rng = np.random.default_rng(3)
    false = 0
    for _ in range(RUNS):
        values = rng.normal(size=VALUES)
        reference, later = values[:50], values[50:]
        count = np.arange(1, len(later) + 1)
        distance = later.cumsum() / count - reference.mean()
        false += bool((np.abs(distance) > 1.96 * np.sqrt(1 / 50 + 1 / count)).any())
    assert share(false, RUNS).low > 3 * ALPHA


@pytest.mark.parametrize(("shift", "within"), [(2.0, 25), (1.0, 60), (-2.0, 25)])
def test_a_shift_is_shown_soon_in_both_directions(shift, within):
    rng = np.random.default_rng(7)
    delays = []
    for run in range(40):
        before, after = rng.normal(size=200), rng.normal(shift, size=300)
        found = alarmed_at([*before, *after], seed=run)
        assert found is not None
        delays.append(found - 200)
    assert np.median(delays) <= within


def creep(rng, per_part: float) -> np.ndarray:
    """Return 300 values that stay and 1,500 that wander off, in standard deviations."""
    return rng.normal(size=1800) + np.concatenate([np.zeros(300), np.arange(1500) * per_part])


def test_watching_inputs_too_shows_drift_before_false_rejects_have_doubled():
    """The light ages: brightness, which hardly varies, moves ten times as fast as the scores.

    One good part in a hundred is rejected at 2.33 standard deviations; two in a hundred, once the
    scores have moved by 0.273, which is after 273 parts.
    """
    rng = np.random.default_rng(11)
    late = by_scores_alone = 0
    for run in range(60):
        scores, brightness = creep(rng, 1 / 1000), creep(rng, 1 / 100)
        of_scores = alarmed_at(scores, seed=run) or 1801
        of_inputs = alarmed_at(brightness, seed=run) or 1801
        late += min(of_scores, of_inputs) > 300 + 273
        by_scores_alone += of_scores > 300 + 273
    assert late == 0
    assert by_scores_alone > 10  # so that it is known why inputs are watched


def test_evidence_is_a_fair_game_at_the_first_step():
    """Its mean over uniform ranks is one: integrated, for the first bet."""
    ranks = (np.arange(1000) + 0.5) / 1000
    total = 0.0
    for rank in ranks:
        test = Drift(ALPHA, warm_up=0)
        test._bet(float(rank))
        total += test.evidence / 1000
    assert total == pytest.approx(1.0)


@given(st.lists(st.floats(-1e6, 1e6), max_size=100))
def test_evidence_stays_positive(values):
    test = Drift(warm_up=0)
    for value in values:
        test.add(value)
        assert test.evidence > 0
    assert test.seen == len(values)


def test_what_cannot_be_ranked_is_refused():
    with pytest.raises(ValueError, match="ranked"):
        Drift().add(float("nan"))
    with pytest.raises(ValueError, match="rate"):
        Drift(0.0)
