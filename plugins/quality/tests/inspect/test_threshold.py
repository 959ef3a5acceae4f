"""Is the promised false-reject rate kept, and would we notice if it were not?"""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from millhand_quality.inspect.threshold import (
    calibrate,
    conformal_quantile,
    lowest_rate,
    p_value,
    scores_needed,
)

RESAMPLES = 600


def false_rejects(rate: float, count: int, rank_shift: int = 0) -> float:
    """Mean false-reject rate over many draws of ``count`` held-out scores.

    Scores are uniform, so a threshold's true rate is known exactly: one less the threshold.
    ``rank_shift`` breaks the rank on purpose.
    """
    random = np.random.default_rng(7)
    rates = []
    for _ in range(RESAMPLES):
        scores = np.sort(random.uniform(size=count))
        if rank_shift:
            rank = math.ceil((count + 1) * (1 - rate)) + rank_shift
            limit = float(scores[rank - 1])
        else:
            limit = conformal_quantile(scores.tolist(), rate)
        rates.append(1 - limit)
    return float(np.mean(rates))


@pytest.mark.parametrize(("rate", "count"), [(0.01, 99), (0.01, 160), (0.05, 19), (0.05, 130)])
def test_rate_is_kept_on_average(rate: float, count: int) -> None:
    standard_error = math.sqrt(rate / count) / math.sqrt(RESAMPLES)
    mean = false_rejects(rate, count)
    assert mean <= rate + 4 * standard_error
    assert mean >= rate - 1 / (count + 1) - 4 * standard_error


def test_the_check_notices_a_rank_too_low() -> None:
    rate, count = 0.05, 130
    standard_error = math.sqrt(rate / count) / math.sqrt(RESAMPLES)
    assert false_rejects(rate, count, rank_shift=-2) > rate + 4 * standard_error


@pytest.mark.parametrize(
    ("rate", "needed"), [(0.01, 99), (0.05, 19), (0.1, 9), (0.5, 1), (0.03, 33)]
)
def test_scores_needed(rate: float, needed: int) -> None:
    assert scores_needed(rate) == needed
    assert math.isfinite(conformal_quantile([0.0] * needed, rate))
    assert needed == 1 or math.isinf(conformal_quantile([0.0] * (needed - 1), rate))


@given(st.integers(1, 400))
def test_lowest_rate_is_the_lowest(count: int) -> None:
    rate = lowest_rate(count)
    scores = np.arange(count, dtype=float).tolist()
    assert conformal_quantile(scores, rate) == scores[-1]
    assert math.isinf(conformal_quantile(scores, rate * 0.99))


@given(
    st.lists(st.floats(-1e6, 1e6), min_size=1, max_size=300),
    st.sampled_from([0.001, 0.01, 0.05, 0.2]),
    st.sampled_from([0.0, 0.02, 0.1]),
)
def test_thresholds_are_ordered_and_reached(scores: list[float], rate: float, spare: float) -> None:
    found = calibrate(scores, rate, spare, "split-conformal")
    assert found.pass_up_to <= found.reject_above <= max(scores)
    assert found.promised_rate >= rate
    above = sum(score > found.reject_above for score in scores)
    assert above <= found.promised_rate * (len(scores) + 1)
    assert found.enough == (len(scores) >= scores_needed(rate))


def test_too_few_promise_less() -> None:
    found = calibrate([1.0, 2.0, 3.0], 0.01, 0.02, "split-conformal")
    assert found.promised_rate == pytest.approx(0.25)
    assert not found.enough
    assert not calibrate([1.0] * 200, 0.01, 0.02, "estimate").enough


def test_p_value_counts_those_as_high() -> None:
    assert p_value([1, 2, 3, 4], 3) == pytest.approx(3 / 5)
    assert p_value([1, 2, 3, 4], 9) == pytest.approx(1 / 5)


@pytest.mark.parametrize("rate", [0.0, 1.0, -0.1, 2.0])
def test_rates_out_of_range_are_refused(rate: float) -> None:
    with pytest.raises(ValueError, match="rate"):
        scores_needed(rate)
