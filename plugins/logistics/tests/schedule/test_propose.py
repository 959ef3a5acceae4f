"""Proposals: never worse than the best rule; the solver behind; the same each time."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from millhand_logistics.schedule import solver
from millhand_logistics.schedule.check import faults
from millhand_logistics.schedule.distil.random_shops import classical, everyday
from millhand_logistics.schedule.instances import job_shop
from millhand_logistics.schedule.policy import Policy
from millhand_logistics.schedule.problem import Objective
from millhand_logistics.schedule.propose import Effort, propose
from millhand_logistics.schedule.rules import every_rule
from millhand_logistics.schedule.simulate import simulate

FT06 = (
    [[1, 3, 6, 7, 3, 6], [8, 5, 10, 10, 10, 4], [5, 4, 8, 9, 1, 7],
     [5, 5, 5, 3, 8, 9], [9, 3, 5, 4, 3, 1], [3, 3, 9, 10, 4, 1]],
    [[2, 0, 1, 3, 5, 4], [1, 2, 4, 5, 0, 3], [2, 3, 5, 0, 1, 4],
     [1, 0, 2, 3, 4, 5], [2, 1, 4, 5, 0, 3], [1, 3, 5, 0, 4, 2]],
)  # fmt: skip
"""Fisher and Thompson 1963; the shortest makespan is 55."""


@settings(max_examples=60, deadline=None)
@given(st.integers(0, 1_000_000), st.booleans())
def test_never_worse_than_the_best_rule(seed: int, usual: bool) -> None:
    problem = everyday(seed) if usual else classical(seed, (8, 5))
    proposal = propose(problem, Effort(samples=4, seed=seed), Policy.untrained(seed % 7))
    best = min(simulate(problem, choice).cost for _, choice in every_rule(problem))
    assert proposal.plan.cost <= best
    assert proposal.best_rule.cost == best
    assert faults(problem, proposal.plan) == []


def test_the_runner_up_does_something_else() -> None:
    proposal = propose(everyday(5), Effort(samples=8), Policy.untrained(1))
    runner_up = proposal.runner_up
    assert runner_up is not None
    assert not runner_up.same_as(proposal.plan)
    assert proposal.tried[0].cost == proposal.plan.cost <= runner_up.cost


def test_the_same_effort_gives_the_same_plan() -> None:
    problem, policy = everyday(11), Policy.untrained(2)
    first, second = (propose(problem, Effort(samples=16, seed=3), policy) for _ in range(2))
    assert first.plan.same_as(second.plan)
    assert first.plan.source == second.plan.source


@pytest.fixture
def _solver() -> None:
    if not solver.available():
        pytest.skip("OR-Tools is not installed")


@pytest.mark.usefixtures("_solver")
class TestSolver:
    def test_finds_the_optimum_of_ft06_and_proves_it(self) -> None:
        problem = job_shop(*FT06)
        hint = propose(problem).plan
        answer = solver.solve(problem, hint, effort=2.0)
        assert answer.plan is not None
        assert (answer.plan.makespan, answer.bound, answer.proven) == (55, 55_000, True)
        assert hint.makespan > 55
        assert faults(problem, answer.plan) == []

    @pytest.mark.parametrize("seed", range(6))
    def test_prices_a_shop_of_every_day_as_the_simulation_does(self, seed: int) -> None:
        problem = everyday(seed, (3, 3))
        proposal = propose(problem, Effort(solver=0.5))
        assert 0 < proposal.bound <= proposal.plan.cost
        answer = solver.solve(problem, proposal.plan, effort=2.0)
        assert answer.plan is not None
        assert faults(problem, answer.plan) == []
        if answer.proven:
            # What the model holds for the least cost, the builder reaches.
            assert answer.plan.cost == answer.bound

    def test_is_the_same_each_time(self) -> None:
        problem = classical(3, (10, 6))
        hint = propose(problem).plan
        first, second = (solver.solve(problem, hint, effort=0.05) for _ in range(2))
        assert first.plan is not None
        assert second.plan is not None
        assert first.plan.same_as(second.plan)

    def test_weighted_completion_times_are_priced_too(self) -> None:
        problem = classical(3, (4, 3))
        problem = type(problem)(
            problem.operations, problem.orders, problem.machines, objective=Objective(0, 0, 3)
        )
        hint = propose(problem).plan
        answer = solver.solve(problem, hint, effort=1.0)
        assert answer.proven
        assert answer.plan is not None
        assert answer.plan.cost == answer.bound <= hint.cost
