"""Decisions that state their own cost, on made-up runs whose answer is worked out by hand."""

from __future__ import annotations

import pytest

from millhand.console.run_report import render_run_report
from millhand.contracts.decision import Decision, DeliverRecord
from millhand.contracts.modes import Mode
from millhand.contracts.observation import Observation
from millhand.contracts.triggers import TimerTick
from millhand.journal.records import Cause, Intent, Judged, Outcome, OutcomeStatus, Ruling
from millhand.ledger.run import read_run
from millhand.ledger.summary import summarise
from millhand.scenario.economy import Economy
from millhand.testing.runs import MadeRun

PRICES = {
    "currency": "EUR",
    "choices": {
        "planner": {
            "instead": "shift",
            "method": "the plan goes on as it was",
            "unit": {"amount": 2, "low": 1, "high": 4, "assumption": "price of an hour"},
        }
    },
}
HAND_ON = Judged(
    action=DeliverRecord(to="plan", kind="schedule", idempotency_key="1"),
    target="erp",
    ruling=Ruling(allowed=True, rule="ok"),
)


def plan(
    run: MadeRun,
    cost: float,
    shift: float | None,
    *,
    agent: str = "planner",
    mode: Mode = Mode.CONTROL,
    cause: Cause = Cause.DECIDED,
    judged: tuple[Judged, ...] = (HAND_ON,),
    status: OutcomeStatus | None = OutcomeStatus.CONFIRMED,
) -> None:
    number = len(run.entries)
    name = f"cell.1.{number}"
    scores = {"cost": cost} if shift is None else {"cost": cost, "shift": shift}
    observation = Observation(
        id=name,
        agent=agent,
        trigger=TimerTick(source="every", count=number, due_utc_ns=number, due_monotonic_ns=number),
    )
    intent = Intent(
        observation=observation,
        decision=Decision(reason=f"plan {number}", scores=scores),
        cause=cause,
        mode=mode,
        judged=judged,
        scenario_sha256="0" * 64,
        deadline_ns=1,
    )
    run.add(intent, id=name)
    if status is not None:
        run.add(Outcome(status=status), id=name)


def summary(run: MadeRun, **choices):
    prices = {**PRICES["choices"]["planner"], **choices}
    economy = Economy.model_validate({**PRICES, "choices": {"planner": prices}})
    return summarise(read_run(run.entries), economy=economy)


@pytest.fixture
def planned() -> MadeRun:
    """Three plans carried out: 10, 4 and -2 units cheaper than going on."""
    run = MadeRun()
    plan(run, 90, 100)
    plan(run, 46, 50)
    plan(run, 32, 30)
    return run


def test_what_was_carried_out_is_priced_and_adds_up(planned):
    found = summary(planned)
    (book,) = found.choices
    assert (book.made, book.watched, book.better, book.worse) == (3, 0, 2, 1)
    assert (book.cost, book.instead) == pytest.approx((112.0, 120.0))
    assert (book.low, book.saved, book.high) == pytest.approx((12.0, 24.0, 48.0))
    assert [choice.saved for choice in book.most] == pytest.approx([20.0, 8.0, -4.0])
    assert [(line.count, line.amount) for line in found.money.lines] == [(3, 24.0)]
    assert found.money.net == 24.0
    assert "the plan goes on as it was" in found.money.lines[0].assumption
    assert "price of an hour" in found.money.lines[0].assumption


@pytest.mark.parametrize(
    "change",
    [
        {"mode": Mode.SHADOW, "status": OutcomeStatus.NOT_SENT},
        {"mode": Mode.ADVISE, "status": OutcomeStatus.AWAITING},
        {"status": OutcomeStatus.REFUSED},
        {"status": OutcomeStatus.UNKNOWN},
        {"status": OutcomeStatus.NOT_SENT},
        {"status": None},
    ],
)
def test_what_was_not_carried_out_counts_for_nothing(planned, change):
    plan(planned, 0, 1000, **change)
    (book,) = summary(planned).choices
    assert (book.made, book.watched) == (3, 1)
    assert book.saved == pytest.approx(24.0)


def test_a_plan_that_is_only_told_to_others_counts():
    run = MadeRun()
    plan(run, 5, 8, judged=(), status=OutcomeStatus.NOT_SENT)
    assert summary(run).choices[0].saved == pytest.approx(6.0)


def test_others_and_failures_and_plans_without_a_comparison_are_left_out(planned):
    plan(planned, 0, 1000, agent="another")
    plan(planned, 0, 1000, cause=Cause.LATE)
    plan(planned, 0, None)
    (book,) = summary(planned).choices
    assert (book.made, book.watched) == (3, 0)


def test_where_savings_do_not_add_up_no_sum_is_made(planned):
    found = summary(planned, adds_up=False)
    (book,) = found.choices
    assert (book.saved, book.low, book.high) == (None, None, None)
    assert book.share == pytest.approx(8 / 120)
    assert found.money is None


def test_a_run_without_such_decisions_has_no_book():
    assert summary(MadeRun()).choices == ()


def test_the_report_shows_the_lines(planned):
    run = read_run(planned.entries)
    page = render_run_report(summary(planned), run)
    assert "What planner decided" in page
    assert "Together they save 24.00 EUR (12.00 to 48.00)." in page
    assert "plan 1" in page
    assert "What became of the parts" not in page
