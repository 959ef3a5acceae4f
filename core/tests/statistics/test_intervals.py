"""The exact binomial interval against its definition and against published values."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from millhand.statistics.intervals import beta_cdf, beta_quantile, share


def binomial_tail(successes: int, trials: int, rate: float) -> float:
    """P(X >= successes), summed term by term."""
    return math.fsum(
        math.comb(trials, k) * rate**k * (1 - rate) ** (trials - k)
        for k in range(successes, trials + 1)
    )


@given(st.integers(1, 60), st.data())
def test_ends_leave_exactly_half_of_alpha_in_each_tail(trials, data):
    count = data.draw(st.integers(0, trials))
    found = share(count, trials, 0.95)
    if count > 0:
        assert binomial_tail(count, trials, found.low) == pytest.approx(0.025, rel=1e-6)
    else:
        assert found.low == 0.0
    if count < trials:
        assert 1 - binomial_tail(count + 1, trials, found.high) == pytest.approx(0.025, rel=1e-6)
    else:
        assert found.high == 1.0


def test_published_value():
    # Clopper and Pearson: 3 of 10 gives 0.0667 to 0.6525 at 95 %.
    found = share(3, 10)
    assert found.low == pytest.approx(0.066739, abs=1e-6)
    assert found.high == pytest.approx(0.652453, abs=1e-6)


def test_rule_of_three():
    assert share(0, 2000, 0.90).high == pytest.approx(3 / 2000, rel=0.01)


@given(st.integers(0, 200_000), st.floats(0.5, 0.999))
def test_contains_the_rate_seen_and_narrows_with_less_confidence(count, confidence):
    wide, narrow = share(count, 200_000, 0.9999), share(count, 200_000, confidence)
    assert wide.low <= narrow.low <= narrow.rate <= narrow.high <= wide.high
    assert narrow.contains(narrow.rate)


@given(
    st.floats(0.3, 500),
    st.floats(0.3, 500),
    st.floats(0.001, 0.999),
)
def test_quantile_is_the_inverse(a, b, probability):
    assert beta_cdf(beta_quantile(probability, a, b), a, b) == pytest.approx(probability, abs=1e-9)


def test_nothing_counted_says_nothing():
    assert (share(0, 0).low, share(0, 0).high, share(0, 0).rate) == (0.0, 1.0, 0.0)


@pytest.mark.parametrize(("count", "of"), [(-1, 3), (4, 3)])
def test_refuses_impossible_counts(count, of):
    with pytest.raises(ValueError, match="no share"):
        share(count, of)
