"""The certificate holds as often as it says, and the naive search that it replaces does not."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from millhand.statistics.selective import (
    Certificate,
    NoCertificate,
    binomial_tail,
    certify,
    certify_all,
    items_needed,
)

RESAMPLES = 500
ALPHA, DELTA = 0.05, 0.05


def drawn(rng, count):
    """Answers whose error rate falls slowly with confidence: at 0.8 it is above 5 %."""
    sure = rng.uniform(0, 1, count)
    return sure, rng.uniform(0, 1, count) < error_rate(sure)


def error_rate(sure):
    return 0.25 * (1 - sure) + 0.01


def true_risk(threshold):
    """Error rate among the answered: the mean of a line from the threshold to 1."""
    return float((error_rate(threshold) + error_rate(1.0)) / 2)


def violations(choose):
    rng = np.random.default_rng(11)
    broken = 0
    for _ in range(RESAMPLES):
        threshold = choose(*drawn(rng, 600))
        broken += threshold is not None and true_risk(threshold) > ALPHA
    return broken / RESAMPLES


def by_certificate(sure, wrong):
    found = certify(sure, wrong, alpha=ALPHA, delta=DELTA)
    return found.threshold if isinstance(found, Certificate) else None


def by_naive_search(sure, wrong):
    """What many do: the lowest of 300 thresholds whose error rate on these very data fits."""
    for threshold in np.linspace(0, 0.999, 300):
        answered = sure >= threshold
        if answered.any() and wrong[answered].mean() <= ALPHA:
            return threshold
    return None


def test_over_500_resamples_the_promise_is_broken_no_more_often_than_it_says():
    assert violations(by_certificate) <= DELTA


def test_the_naive_search_breaks_it_so_that_this_test_can_fail():
    assert violations(by_naive_search) > 3 * DELTA


def test_a_certificate_is_found_where_the_data_allow_one():
    rng = np.random.default_rng(3)
    found = [by_certificate(*drawn(rng, 6000)) for _ in range(50)]
    assert sum(one is not None for one in found) >= 45


def test_for_several_graphs_the_promise_holds_for_whichever_is_run():
    """An int8 graph a little worse than fp32: over 500 resamples, the worse one's true risk."""
    rng, broken, issued = np.random.default_rng(5), 0, 0
    worse = 0.004
    for _ in range(RESAMPLES):
        sure = rng.uniform(0, 1, 4000)
        luck = rng.uniform(0, 1, 4000)
        fp32, int8 = luck < error_rate(sure), luck < error_rate(sure) + worse
        found = certify_all([(sure, fp32), (sure, int8)], alpha=ALPHA, delta=DELTA)
        if isinstance(found, Certificate):
            issued += 1
            assert found.tried == 16
            broken += true_risk(found.threshold) + worse > ALPHA
    assert issued > RESAMPLES / 4
    assert broken / RESAMPLES <= DELTA


def test_one_graph_that_fails_spoils_it_for_all():
    fine, bad = ([0.999] * 400, [False] * 400), ([0.999] * 400, [True] * 400)
    assert isinstance(certify_all([fine, fine], alpha=0.05), Certificate)
    assert isinstance(certify_all([fine, bad], alpha=0.05), NoCertificate)


def test_too_few_items_are_no_certificate_and_say_how_many_it_takes():
    found = certify([0.995] * 98, [False] * 98, alpha=0.05)
    assert found == NoCertificate(alpha=0.05, delta=0.05, tried=8, items=98, needed=99)
    assert isinstance(certify([0.995] * 99, [False] * 99, alpha=0.05), Certificate)
    assert items_needed(0.01) == 505


def test_all_wrong_is_no_certificate():
    assert isinstance(certify([1.0] * 1000, [True] * 1000, alpha=0.5), NoCertificate)


def test_a_confidence_that_is_not_a_number_is_never_answered():
    found = certify([float("nan")] * 50 + [0.999] * 400, [True] * 50 + [False] * 400, alpha=0.05)
    assert isinstance(found, Certificate)
    assert (found.answered, found.wrong) == (400, 0)


@given(st.integers(1, 400), st.integers(0, 400), st.floats(0.001, 0.999))
def test_the_tail_is_the_binomial_one(of, count, rate):
    count = min(count, of)
    assert binomial_tail(count, of, rate) == pytest.approx(
        stats.binom.cdf(count, of, rate), rel=1e-6, abs=1e-12
    )


@given(st.lists(st.tuples(st.floats(0, 1), st.booleans()), max_size=300))
def test_the_proven_rate_is_never_above_the_one_asked_for(items):
    sure, wrong = [one for one, _ in items], [one for _, one in items]
    found = certify(sure, wrong, alpha=0.2)
    if isinstance(found, Certificate):
        assert found.wrong / found.answered <= found.upper <= 0.2 + 1e-9
        assert found.answered == sum(one >= found.threshold for one in sure)


@pytest.mark.parametrize(
    "bad",
    [
        {"confidence": [0.1], "wrong": [], "alpha": 0.1},
        {"confidence": [0.1], "wrong": [True], "alpha": 0.0},
        {"confidence": [0.1], "wrong": [True], "alpha": 0.1, "delta": 1.0},
        {"confidence": [0.1], "wrong": [True], "alpha": 0.1, "thresholds": ()},
    ],
)
def test_nonsense_is_refused(bad):
    with pytest.raises(ValueError, match=r"go with|needs thresholds"):
        certify(bad.pop("confidence"), bad.pop("wrong"), **bad)
