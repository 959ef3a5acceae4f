"""Temperature and calibration error against what is known of made-up models."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from millhand.statistics.calibration import (
    expected_calibration_error,
    fit_temperature,
    negative_log_likelihood,
    softmax,
)


def overconfident(temperature: float, count: int = 6000):
    """Logits that are too sharp by ``temperature``, with labels drawn from the true chances."""
    rng = np.random.default_rng(5)
    true = rng.normal(size=(count, 4)) * 1.5
    chances = softmax(true)
    labels = (chances.cumsum(axis=1) < rng.uniform(size=(count, 1))).sum(axis=1)
    return true * temperature, labels


@pytest.mark.parametrize("temperature", [0.4, 1.0, 3.0, 8.0])
def test_the_temperature_that_was_put_in_is_found(temperature):
    assert fit_temperature(*overconfident(temperature)) == pytest.approx(temperature, rel=0.06)


def test_it_takes_the_calibration_error_away_and_moves_no_answer():
    logits, labels = overconfident(4.0)
    before, after = softmax(logits), softmax(logits / fit_temperature(logits, labels))
    assert (before.argmax(axis=1) == after.argmax(axis=1)).all()
    errors = [
        expected_calibration_error(p.max(axis=1), p.argmax(axis=1) == labels)
        for p in (before, after)
    ]
    assert errors[0] > 0.15
    assert errors[1] < 0.02


@settings(max_examples=30)
@given(st.integers(0, 2**32 - 1))
def test_no_other_temperature_is_better(seed):
    rng = np.random.default_rng(seed)
    logits, labels = rng.normal(size=(60, 3)) * 3, rng.integers(0, 3, 60)
    best = negative_log_likelihood(logits / fit_temperature(logits, labels), labels)
    for temperature in (0.1, 0.5, 1.0, 2.0, 10.0):
        assert best <= negative_log_likelihood(logits / temperature, labels) + 1e-9


def test_calibration_error_of_known_cases():
    assert expected_calibration_error([1.0, 1.0], [True, True]) == 0
    assert expected_calibration_error([1.0, 1.0], [True, False]) == pytest.approx(0.5)
    assert expected_calibration_error([0.0], [False]) == 0


@pytest.mark.parametrize(
    ("logits", "labels"),
    [([[1.0, 2.0]], [2]), ([[1.0, 2.0]], [-1]), ([1.0], [0]), ([[np.nan, 0.0]], [0]), ([[]], [])],
)
def test_nonsense_is_refused(logits, labels):
    with pytest.raises(ValueError, match=r"go with|finite|classes"):
        fit_temperature(logits, labels)
