import numpy as np
import pytest

from millhand_quality.inspect.distil.figures import auroc_interval, found_at


def test_the_interval_holds_the_true_value_as_often_as_it_says():
    random = np.random.default_rng(0)
    true, held = 0.9214, 0
    for _ in range(300):
        good, bad = random.normal(0, 1, 80), random.normal(2, 1, 60)
        value = float((bad[:, None] > good[None]).mean())
        low, high = auroc_interval(value, 60, 80)
        held += low <= true <= high
    assert 0.90 <= held / 300 <= 0.99


@pytest.mark.parametrize("value", [0.0, 0.5, 1.0])
def test_the_interval_stays_within_its_range(value):
    low, high = auroc_interval(value, 50, 50)
    assert 0 <= low <= value <= high <= 1


def test_found_at_a_share_of_the_good():
    good = np.arange(1000, dtype=np.float32)
    assert found_at(np.array([980.0, 995.0], np.float32), good, 0.99) == 0.5
