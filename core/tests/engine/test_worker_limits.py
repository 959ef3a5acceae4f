"""What the scenario says of workers, and what holds where it says nothing."""

from __future__ import annotations

from millhand.engine.build import worker_limits
from millhand.engine.restarts import RestartBudget
from millhand.scenario.load import load_text

TEXT = """
millhand: 1
name: cell
agents:
  planner: {use: x, when: every 1 h, deadline: 2 min, worker: slow}
  clerk: {use: x, when: every 1 h, deadline: 10 s, worker: slow}
  looker: {use: x, when: every 1 s, deadline: 80 ms}
  guarded: {use: x, when: every 1 s, deadline: 80 ms}
  hand: {use: x, when: every 1 s, deadline: 80 ms, max_mode: control}
workers:
  guarded: {memory: 1 GB, hang: 300 ms, spare: false, restarts: {at_most: 2, within: 1 min}}
  slow: {spare: false}
"""


def test_a_long_decision_is_not_taken_for_one_that_hangs(tmp_path) -> None:
    scenario = load_text(TEXT, tmp_path / "scenario.yaml")
    assert worker_limits(scenario, "slow").hang_s == 125.0
    assert worker_limits(scenario, "looker").hang_s == 5.08
    assert not worker_limits(scenario, "looker").spare, "a part lost in shadow costs nothing"
    assert worker_limits(scenario, "looker").yields
    assert worker_limits(scenario, "hand").spare
    assert not worker_limits(scenario, "hand").yields


def test_what_is_stated_holds(tmp_path) -> None:
    limits = worker_limits(load_text(TEXT, tmp_path / "scenario.yaml"), "guarded")
    assert (limits.memory, limits.hang_s, limits.spare) == (1_000_000_000, 0.3, False)
    assert (limits.restarts, limits.within_s) == (2, 60.0)


def test_a_budget_is_spent_and_comes_back_with_time() -> None:
    now = [0.0]
    budget = RestartBudget(2, 60.0, clock=lambda: now[0])
    assert [budget.spend(), budget.spend(), budget.spend()] == [True, True, False]
    now[0] = 61.0
    assert budget.spend()
    assert not RestartBudget(0, 60.0).spend()
