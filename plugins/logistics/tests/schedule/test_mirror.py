"""Planning from the end: as good a plan, and only where backwards is the same."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from millhand_logistics.schedule.check import faults
from millhand_logistics.schedule.distil.random_shops import classical, everyday
from millhand_logistics.schedule.mirror import mirrored, turned
from millhand_logistics.schedule.own import own_plans
from millhand_logistics.schedule.policy import Policy
from millhand_logistics.schedule.problem import Fixed, Machine, Objective, Problem
from millhand_logistics.schedule.rules import RULES, rule
from millhand_logistics.schedule.simulate import simulate
from millhand_logistics.schedule.tables import Tables


@pytest.mark.parametrize("seed", range(20))
def test_a_plan_from_the_end_is_a_plan_from_the_beginning(seed: int) -> None:
    problem = classical(seed, (7, 5))
    mirror = mirrored(problem)
    assert mirror is not None
    for name in RULES:
        back = simulate(mirror, rule(mirror, name))
        plan = turned(problem, back)
        assert not faults(problem, plan)
        assert plan.makespan <= back.makespan


def test_turned_twice_it_is_the_same_shop() -> None:
    problem = classical(3, (6, 4))
    mirror = mirrored(problem)
    assert mirror is not None
    again = mirrored(mirror)
    assert again is not None
    for name, here, there in zip(Tables._fields, problem.tables, again.tables, strict=True):
        assert np.array_equal(here, there), name


@pytest.mark.parametrize(
    "change",
    [
        {"objective": Objective(makespan=1, tardiness=1)},
        {"objective": Objective(makespan=1, flow=1)},
        {"machines": tuple(Machine(str(m), ready=m) for m in range(4))},
        {"machines": tuple(Machine(str(m), intervals=((0, 900),)) for m in range(4))},
    ],
)
def test_what_is_not_the_same_backwards_is_not_turned(change: dict[str, object]) -> None:
    problem = classical(1, (6, 4))
    assert mirrored(replace(problem, **change)) is None  # type: ignore[arg-type]


def test_given_places_and_everyday_shops_are_not_turned() -> None:
    problem = classical(1, (6, 4))
    machine, time = problem.operations[0].alternatives[0]
    fixed: Problem = problem.with_fixed({0: Fixed(machine, 0, time)})
    assert mirrored(fixed) is None
    assert mirrored(everyday(1)) is None


def test_the_students_plans_get_cheaper_and_all_can_be_run() -> None:
    policy = Policy.untrained(2)
    better = 0
    for seed in range(30):
        problem = classical(seed, (8, 6))
        plans = list(own_plans(problem, policy, samples=8, seed=seed))
        costs = [plan.cost for plan in plans]
        assert costs == sorted(costs, reverse=True)
        assert not any(faults(problem, plan) for plan in plans)
        better += any(plan.source == "student" for plan in plans[1:])
    assert better > 5  # the guess from the end beats the one from the beginning now and then
