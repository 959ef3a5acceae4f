"""Costs and payback, on made-up runs whose answer is worked out by hand."""

from __future__ import annotations

import pytest
from pydantic import ValidationError

from millhand.contracts.decision import Verdict
from millhand.journal.records import Cause
from millhand.ledger.costs import Effort, costs_of
from millhand.ledger.run import read_run
from millhand.ledger.summary import summarise
from millhand.scenario.economy import Economy, Figure
from millhand.testing.runs import MadeRun

PRICES = {
    "currency": "EUR",
    "kwh": {"amount": 0.2, "low": 0.1, "high": 0.4, "assumption": "tariff"},
    "operator_hour": 36,
    "answer_seconds": 10,
    "computer": {
        "price": {"amount": 876.6, "assumption": "bought 2026"},
        "years": 1,
        "idle_watts": {"amount": 10, "low": 5, "high": 20, "assumption": "measured by hand"},
        "busy_watts": {"amount": 30, "low": 20, "high": 40},
    },
}
EFFORT = Effort(decisions=100, seconds=3600, busy_s=360, answers=3, undecided=2)


def lines(effort: Effort = EFFORT, **more) -> dict:
    costs = costs_of(effort, Economy.model_validate({**PRICES, **more}))
    return {line.name: line for line in costs.lines}


def test_each_line_is_what_it_comes_to_by_hand():
    found = lines()
    assert found["idle_energy"].amount == pytest.approx(0.010 * 0.2)
    assert (found["idle_energy"].low, found["idle_energy"].high) == pytest.approx(
        (0.005 * 0.1, 0.020 * 0.4)
    )
    assert found["busy_energy"].amount == pytest.approx(0.020 * 0.1 * 0.2)
    assert found["busy_energy"].low == 0.0
    assert found["computer"].amount == pytest.approx(0.1)
    assert found["people"].amount == pytest.approx(5 * 10 / 3600 * 36)


def test_no_figure_stands_without_its_assumption():
    found = lines()
    assert all(line.assumption for line in found.values())
    assert "measured by hand" in found["idle_energy"].assumption
    assert "tariff" in found["idle_energy"].assumption
    assert "5 answers" not in found["people"].assumption
    assert "3 answers and 2 parts" in found["people"].assumption


def test_sums_and_a_decisions_share():
    costs = costs_of(EFFORT, Economy.model_validate(PRICES))
    assert costs.total == pytest.approx(sum(line.amount for line in costs.lines))
    assert costs.each == pytest.approx(costs.total / 100)
    assert costs.kwh == pytest.approx(0.012)


def test_what_is_not_stated_is_left_out():
    assert costs_of(EFFORT, Economy(currency="EUR")).lines == ()


@pytest.mark.parametrize("bad", [{"amount": 1, "low": 2}, {"amount": 1, "high": 0.5}])
def test_a_range_that_leaves_its_figure_out_is_refused(bad):
    with pytest.raises(ValidationError):
        Figure.model_validate(bad)


def summary(*, before: float, parts: int = 300, **more):
    run = MadeRun()
    for number in range(parts):
        if number % 10 == 0:
            run.part(Verdict.NOT_OK, defect="scratch", score=3.0, stages_ms={"model": 8})
        elif number % 50 == 1:
            run.part(Verdict.NOT_DECIDABLE, cause=Cause.UNSURE, score=1.0)
        else:
            run.part(Verdict.OK, score=0.2, stages_ms={"model": 8})
    economy = {
        **PRICES,
        "escaped_defect": 40,
        "scrapped_part": 1,
        "investment": {"amount": 10_000, "low": 8_000, "high": 15_000},
        "parts_a_year": 1_000_000,
        "baseline": {"method": "people", "seconds": before, "misses": 0, "false_rejects": 0},
        **more,
    }
    return summarise(
        read_run(run.entries), truth=run.truths, economy=Economy.model_validate(economy)
    )


def test_payback_is_an_interval_that_holds_what_it_comes_to_by_hand():
    """Before, 36 s of a person at 36 an hour: 0.36 a part, and no mistake."""
    found = summary(before=36.0)
    payback = found.payback
    assert payback is not None
    assert payback.saving_low < payback.saving < payback.saving_high
    assert payback.years_low < payback.years < payback.years_high
    # The cell missed none of 30: Jeffreys leaves it 0.5/31 on average; looks cost 0.002 a part.
    by_hand = 0.36 * 1e6 - 0.1 * (0.5 / 31) * 40 * 1e6 - 0.02 * 10 / 3600 * 36 * 1e6
    assert payback.saving_low < by_hand < payback.saving_high
    assert payback.never < 0.5
    assert sum(payback.counts) > 0
    assert {one.name for one in payback.assumptions} >= {"investment", "parts a year"}


def test_what_costs_more_than_before_never_pays_back():
    payback = summary(before=0.0).payback
    assert payback is not None
    assert payback.years is None
    assert payback.never > 0.95


def test_without_a_baseline_there_is_no_payback():
    assert summary(before=1.0, baseline=None).payback is None
    assert summary(before=1.0, baseline=None).costs is not None


def test_it_is_the_same_each_time():
    assert summary(before=10.0).payback == summary(before=10.0).payback
