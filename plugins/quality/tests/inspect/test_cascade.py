"""A quick package before a bigger one: what it clears, what that loses, and what it costs."""

from __future__ import annotations

import pytest

from millhand.contracts import Verdict
from millhand.statistics.cascade import curve
from millhand_quality.inspect.commands.cascade import (
    THRESHOLDS,
    _Judged,
    _lost,
    _mixed,
    _stages,
)
from millhand_quality.inspect.judge import ordinary

from .test_judged import PARAMETERS

OK, NOT_OK, UNSURE = Verdict.OK, Verdict.NOT_OK, Verdict.NOT_DECIDABLE
QUICK = _Judged(
    ordinary=[0.9, 0.4, 0.0, 0.03, 0.0, 0.0], verdicts=[OK, OK, NOT_OK, OK, NOT_OK, UNSURE],
    milliseconds=1.0,
)  # fmt: skip
BIGGER = _Judged(
    ordinary=[0.9, 0.5, 0.5, 0.0, 0.0, 0.5], verdicts=[OK, OK, UNSURE, NOT_OK, NOT_OK, OK],
    milliseconds=10.0,
)  # fmt: skip
GOOD, BAD = slice(0, 3), slice(3, None)


def test_how_ordinary_a_part_is_counts_only_where_it_would_pass() -> None:
    known = PARAMETERS.model_copy(update={"calibration": (0.1, 0.2, 0.3, 0.4)})
    assert ordinary(known, 0.25, 0.0) == pytest.approx(3 / 5)
    assert ordinary(known, 0.95, 0.0) == pytest.approx(1 / 5)
    assert ordinary(known, 1.5, 0.0) == 0.0
    assert ordinary(known, 0.25, 6.0) == 0.0


def test_only_what_the_bigger_one_would_stop_is_lost() -> None:
    assert (_lost(QUICK, BIGGER, BAD, 0.02).count, _lost(QUICK, BIGGER, BAD, 0.02).of) == (1, 2)
    assert _lost(QUICK, BIGGER, BAD, 0.05).count == 0
    # One-sided at 5 % shared by eight thresholds: nobody may claim 0 % from two defects.
    assert _lost(QUICK, BIGGER, BAD, 0.05).high > 0.9


def test_costs_are_for_the_lines_own_rate_of_defects() -> None:
    good = curve(_stages(QUICK, BIGGER, GOOD, is_bad=False), THRESHOLDS)
    bad = curve(_stages(QUICK, BIGGER, BAD, is_bad=True), THRESHOLDS)
    assert [point.answered for point in (good[0], bad[0])] == [(2, 0, 1), (1, 2, 0)]
    assert good[0].cost == pytest.approx(1 + 10 / 3)
    assert good[-1].cost == pytest.approx(11.0)
    assert _mixed(0.0, good[0], bad[0], 0) == pytest.approx(2 / 3)
    assert _mixed(0.5, good[0], bad[0], 0) == pytest.approx(0.5)
    assert (good[0].wrong.count, bad[0].wrong.count) == (0, 2)
