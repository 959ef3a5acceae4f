"""Limits, tests and capability against published figures, and by simulation."""

from __future__ import annotations

import math
import random
from statistics import NormalDist, fmean

import pytest

from millhand_quality.spc.capability import capability
from millhand_quality.spc.chi_square import chi_square_cdf, chi_square_quantile
from millhand_quality.spc.constants import factors
from millhand_quality.spc.limits import Process, moving_ranges, study
from millhand_quality.spc.rules import TESTS, broken, same_side

# D. C. Montgomery, Introduction to Statistical Quality Control, Appendix VI.
PUBLISHED = {
    2: (1.880, 0.0, 3.267),
    3: (1.023, 0.0, 2.574),
    4: (0.729, 0.0, 2.282),
    5: (0.577, 0.0, 2.114),
    6: (0.483, 0.0, 2.004),
    7: (0.419, 0.076, 1.924),
    8: (0.373, 0.136, 1.864),
    9: (0.337, 0.184, 1.816),
    10: (0.308, 0.223, 1.777),
}


@pytest.mark.parametrize("n", PUBLISHED)
def test_factors_are_those_of_the_tables(n: int) -> None:
    a2, lower, upper = PUBLISHED[n]
    found = factors(n)
    assert found.a2 == pytest.approx(a2, abs=6e-4)
    assert found.lower == pytest.approx(lower, abs=1.1e-3)
    assert found.upper == pytest.approx(upper, abs=1.1e-3)


@pytest.mark.parametrize("n", PUBLISHED)
def test_mean_range_is_its_integral(n: int) -> None:
    # Tippett, Biometrika 17 (1925): the integral over x of 1 - (1 - F)^n - F^n.
    normal, step = NormalDist(), 0.005
    grid = [-8 + step * (i + 0.5) for i in range(int(16 / step))]
    shares = [normal.cdf(x) for x in grid]
    mean = step * math.fsum(1 - (1 - f) ** n - f**n for f in shares)
    assert factors(n).d2 == pytest.approx(mean, abs=2e-5)


@pytest.mark.parametrize("n", [1, 11])
def test_no_factors_beyond_the_tables(n: int) -> None:
    with pytest.raises(ValueError, match="no range chart"):
        factors(n)


def test_single_values_as_in_the_nist_handbook() -> None:
    # NIST/SEMATECH e-Handbook of Statistical Methods, 6.3.2.2: flow rate of ten batches.
    flow = [49.6, 47.6, 49.9, 51.3, 47.8, 51.2, 52.6, 52.4, 53.6, 52.1]
    assert fmean(moving_ranges(flow)) == pytest.approx(1.8778, abs=5e-5)
    limits = study(flow, 1).place
    assert limits.centre == pytest.approx(50.81)
    assert limits.upper == pytest.approx(55.8041, abs=2e-3)
    assert limits.lower == pytest.approx(45.8159, abs=2e-3)


def test_means_and_ranges_as_in_montgomery() -> None:
    # Montgomery, example 6.1: flow width, mean 1.5056, mean range 0.32521, n = 5.
    process = Process(1.5056, 0.32521 / factors(5).d2, 5)
    assert process.place.upper == pytest.approx(1.69325, abs=1e-3)
    assert process.place.lower == pytest.approx(1.31795, abs=1e-3)
    assert process.spread.upper == pytest.approx(0.68749, abs=1e-3)
    assert process.spread.lower == 0


def test_a_study_of_subgroups_leaves_out_what_shifts_between_them() -> None:
    draw = random.Random(3)
    shifted = [(k % 2) * 50 + draw.gauss(0, 2) for k in range(200) for _ in range(4)]
    assert study(shifted, 4).sigma == pytest.approx(2, rel=0.1)


# Abramowitz and Stegun, table 26.8; NIST e-Handbook 1.3.6.7.4.
@pytest.mark.parametrize(
    ("probability", "freedom", "value"),
    [
        (0.95, 1, 3.841),
        (0.95, 10, 18.307),
        (0.99, 100, 135.807),
        (0.025, 19, 8.907),
        (0.975, 19, 32.852),
        (0.001, 5, 0.210),
        (0.999, 2, 13.816),
    ],
)
def test_chi_square_quantiles_are_those_of_the_tables(probability, freedom, value) -> None:
    assert chi_square_quantile(probability, freedom) == pytest.approx(value, abs=6e-4)
    assert chi_square_cdf(chi_square_quantile(probability, freedom), freedom) == pytest.approx(
        probability, abs=1e-10
    )


def test_cp_with_its_interval_as_in_montgomery() -> None:
    # Montgomery, example 8.4: tolerance 38 to 62, n = 20, s = 1.75: Cp 2.29 (1.57 to 3.01).
    draw = random.Random(1)
    raw = [draw.gauss(0, 1) for _ in range(20)]
    mean = fmean(raw)
    s = math.sqrt(math.fsum((x - mean) ** 2 for x in raw) / 19)
    found = capability([50 + 1.75 * (x - mean) / s for x in raw], 38, 62)
    assert found.cp is not None
    assert found.cp.value == pytest.approx(2.29, abs=6e-3)
    assert found.cp.low == pytest.approx(1.57, abs=6e-3)
    assert found.cp.high == pytest.approx(3.01, abs=6e-3)


@pytest.mark.parametrize(("lower", "upper"), [(-4.0, 4.0), (-3.0, 5.0), (None, 4.0)])
def test_intervals_hold_as_often_as_they_say(lower, upper) -> None:
    draw, runs, n = random.Random(7), 3000, 25
    cp_held = cpk_held = 0
    true_cpk = min(upper, -lower if lower is not None else upper) / 3
    for _ in range(runs):
        found = capability([draw.gauss(0, 1) for _ in range(n)], lower, upper)
        cpk_held += found.cpk.low <= true_cpk <= found.cpk.high
        if found.cp is not None:
            cp_held += found.cp.low <= (upper - lower) / 6 <= found.cp.high
    # Exact for Cp; Bissell's is an approximation, some two points short where the mean lies in
    # the middle, for it takes the nearer of two sides.
    assert lower is None or cp_held / runs == pytest.approx(0.95, abs=0.012)
    assert cpk_held / runs == pytest.approx(0.945, abs=0.025)


def test_no_capability_without_a_tolerance_or_a_spread() -> None:
    with pytest.raises(ValueError, match="tolerance"):
        capability([1.0, 2.0], None, None)
    with pytest.raises(ValueError, match="differ"):
        capability([1.0, 1.0], 0, 2)


PATTERNS = {
    1: [0.1, 3.1],
    2: [0.2] * 9,
    3: [-0.5, -0.3, 0.0, 0.2, 0.4, 0.7],
    4: [0.5, -0.5] * 7,
    5: [2.5, 0.0, 2.1],
    6: [1.5, 1.2, 0.3, 1.1, 1.9],
    7: [0.5, -0.5, 0.2] * 5,
    8: [1.5, -1.5] * 4,
}


@pytest.mark.parametrize("rule", PATTERNS)
def test_each_test_finds_its_pattern_and_its_mirror_but_not_one_point_less(rule: int) -> None:
    pattern = PATTERNS[rule]
    assert rule in broken(pattern, TESTS)
    assert rule in broken([-z for z in pattern], TESTS)
    # One point less at the beginning; for the test of one point, one that is not far enough.
    assert rule not in broken(pattern[1:] if rule != 1 else [3.0], TESTS)


def test_only_the_newest_point_completes_a_pattern() -> None:
    assert 5 not in broken([2.5, 2.6, 0.0], TESTS)
    assert 6 not in broken([1.5, 1.5, 1.5, 1.5, 0.0], TESTS)
    assert broken([], TESTS) == ()
    assert broken([5.0], [2]) == ()


@pytest.mark.parametrize(
    ("rules", "length", "published"),
    [
        # One point in 370 lies beyond three sigma.
        ((1,), 8, 370.4),
        # All four Western Electric tests, eight in a row for the second: C. W. Champ and W. H.
        # Woodall, Technometrics 29 (1987), 393-399, table 1.
        ((1, 5, 6, 2), 8, 91.75),
    ],
)
def test_false_alarms_come_as_rarely_as_published(rules, length, published) -> None:
    draw, alarms, runs = random.Random(11), 0, []
    while alarms < 1500:
        points: list[float] = []
        count = 0
        while True:
            points = [*points[-14:], draw.gauss(0, 1)]
            count += 1
            met = broken(points, [rule for rule in rules if rule != 2])
            if met or (2 in rules and same_side(points, length)):
                break
        runs.append(count)
        alarms += 1
    # The lengths are about exponential: the mean of 1500 strays by 2.6 % (one sigma).
    assert fmean(runs) == pytest.approx(published, rel=0.09)
