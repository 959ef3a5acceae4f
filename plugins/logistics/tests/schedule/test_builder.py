"""The builder: small cases by hand, random shops by the checker, compiled and interpreted."""

from __future__ import annotations

import json
import os
import subprocess
import sys

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from millhand.errors import ConfigError
from millhand_logistics.schedule.check import faults, working_time
from millhand_logistics.schedule.distil.random_shops import classical, everyday
from millhand_logistics.schedule.instances import flexible_shop, job_shop
from millhand_logistics.schedule.placing import advance
from millhand_logistics.schedule.policy import Policy
from millhand_logistics.schedule.problem import Fixed, Machine, Operation, Order, Problem
from millhand_logistics.schedule.rules import by_priority, every_rule, in_order, rule
from millhand_logistics.schedule.simulate import Recording, simulate

seeds = st.integers(0, 100_000)


def places(plan) -> np.ndarray:
    found = np.empty(len(plan.sequence))
    found[plan.sequence] = np.arange(len(plan.sequence))
    return found


def test_two_orders_on_two_machines() -> None:
    problem = job_shop([[3, 2], [2, 4]], [[0, 1], [1, 0]])
    plan = simulate(problem, rule(problem, "MWKR"))
    assert plan.start.tolist() == [0, 3, 0, 3]
    assert plan.makespan == 7
    assert plan.cost == 7000


def test_the_alternative_that_ends_first_is_taken() -> None:
    problem = flexible_shop([[[(0, 5), (1, 7)]], [[(0, 5), (1, 7)]]], 2)
    plan = simulate(problem, rule(problem, "SPT"))
    assert plan.machine.tolist() == [0, 1]
    assert plan.makespan == 7


def test_a_fixed_operation_is_worked_around_and_its_family_counts() -> None:
    setup = np.zeros((1, 2, 2), np.int64)
    setup[0, 0, 1] = setup[0, 1, 0] = 2
    operations = (
        Operation("pinned", 0, ((0, 4),), family=1, fixed=Fixed(0, 6, 10)),
        Operation("short", 1, ((0, 3),), family=0),
        Operation("long", 2, ((0, 5),), family=0),
    )
    problem = Problem(
        operations, (Order("a"), Order("b"), Order("c")), (Machine("m", family=0),), setup
    )
    plan = simulate(problem, rule(problem, "SPT"))
    # short fits before the pin with its set-up (0..3, 3..5); long comes after it, set up again.
    assert plan.start.tolist() == [6, 0, 12]
    assert (plan.setup_start[2], plan.setup_end[2]) == (10, 12)
    assert faults(problem, plan) == []


@pytest.mark.parametrize("whole", [0, 1])
def test_working_time_against_counting(whole: int) -> None:
    intervals = ((2, 5), (7, 8), (10, 14), (20, 30))
    problem = Problem(
        (Operation("o", 0, ((0, 1),)),), (Order("a"),), (Machine("m", intervals=intervals),)
    )
    works = [t for begin, end in (*intervals[:-1], (20, 99)) for t in range(begin, end)]
    for moment in range(25):
        for time in range(1, 9):
            start, end = advance(problem.tables, 0, moment, time, whole)
            left = [t for t in works if t >= moment]
            if whole:
                run = next(t for t in left if all(u in works for u in range(t, t + time)))
                assert (start, end) == (run, run + time)
            else:
                assert (start, end) == (left[0], left[time - 1] + 1)
            assert working_time(problem.machines[0], start, end) == time


@settings(max_examples=60, deadline=None)
@given(seeds, st.booleans())
def test_every_plan_passes_the_independent_checker(seed: int, usual: bool) -> None:
    problem = everyday(seed) if usual else classical(seed, (6, 5))
    policy = Policy.untrained(seed)
    choices = [*every_rule(problem), ("student", policy.choose(problem))]
    for name, choice in [*choices, ("sample", policy.choose(problem, seed + 1))]:
        assert faults(problem, simulate(problem, choice, name)) == []


@settings(max_examples=40, deadline=None)
@given(seeds)
def test_the_checker_finds_what_is_moved(seed: int) -> None:
    problem = everyday(seed)
    plan = simulate(problem, rule(problem, "EDD"))
    o = int(plan.sequence[-1])
    plan.start[o] -= 1
    plan.end[o] -= 1
    earlier = faults(problem, plan)
    assert earlier


@settings(max_examples=40, deadline=None)
@given(seeds)
def test_a_plan_is_placed_again_from_its_own_order(seed: int) -> None:
    problem = everyday(seed)
    plan = simulate(problem, rule(problem, "ATCS"))
    again = simulate(problem, in_order(problem, places(plan), plan.machine))
    assert again.same_as(plan)
    assert again.cost == plan.cost


@settings(max_examples=30, deadline=None)
@given(seeds)
def test_fixing_a_begun_part_of_a_plan_keeps_it(seed: int) -> None:
    problem = everyday(seed)
    plan = simulate(problem, rule(problem, "slack"))
    first = plan.sequence[: len(plan.sequence) // 2]
    fixed = problem.with_fixed(
        {int(o): Fixed(int(plan.machine[o]), int(plan.start[o]), int(plan.end[o])) for o in first}
    )
    again = simulate(fixed, in_order(fixed, places(plan), plan.machine))
    assert again.broken == 0
    assert np.array_equal(again.start[first], plan.start[first])
    assert not [fault for fault in faults(fixed, again) if "costs" not in fault]


@settings(max_examples=30, deadline=None)
@given(seeds)
def test_a_sampled_plan_is_replayed_choice_by_choice(seed: int) -> None:
    problem, policy = classical(seed, (8, 6)), Policy.untrained(seed)
    first, second = Recording(), Recording()
    drawn = simulate(problem, policy.choose(problem, seed + 1), recording=first)
    again = simulate(problem, by_priority(problem, places(drawn)), recording=second)
    assert again.same_as(drawn)
    assert np.array_equal(first.taken, second.taken)
    assert np.array_equal(first.rows, second.rows)


def test_the_builders_network_is_the_reference_one() -> None:
    problem, policy = everyday(3), Policy.untrained(7)
    recording = Recording()
    simulate(problem, policy.choose(problem), recording=recording)
    scores = policy.scores(recording.rows.astype(np.float64), recording.begins)
    ends = [*recording.begins[1:], len(scores)]
    best = [scores[b:e].max() for b, e in zip(recording.begins, ends, strict=True)]
    assert len(best) > 20
    assert scores[recording.begins + recording.taken] == pytest.approx(best, abs=1e-5)


_BOTH = """
import json, sys
from millhand_logistics.schedule.distil.random_shops import classical, everyday
from millhand_logistics.schedule.jit import COMPILED
from millhand_logistics.schedule.policy import Policy
from millhand_logistics.schedule.rules import every_rule
from millhand_logistics.schedule.simulate import simulate
found = []
for problem in [everyday(seed) for seed in range(8)] + [classical(1, (6, 6))]:
    policy = Policy.untrained(5)
    choices = [c for _, c in every_rule(problem)] + [policy.choose(problem, s) for s in (0, 9)]
    for choice in choices:
        plan = simulate(problem, choice)
        found.append([plan.start.tolist(), plan.machine.tolist(), plan.cost])
print(json.dumps([COMPILED, found]))
"""


def test_compiled_and_interpreted_builders_agree() -> None:
    pytest.importorskip("numba")
    results = []
    for off in ("0", "1"):
        done = subprocess.run(
            [sys.executable, "-c", _BOTH],
            env=os.environ | {"NUMBA_DISABLE_JIT": off},
            capture_output=True,
            text=True,
            timeout=110,
            check=True,
        )
        results.append(json.loads(done.stdout))
    assert [compiled for compiled, _ in results] == [True, False]
    assert results[0][1] == results[1][1]


@pytest.mark.parametrize(
    ("operations", "words"),
    [
        ((), "nothing to plan"),
        ((Operation("a", 0, ()),), "a has no machine"),
        ((Operation("a", 0, ((3, 1),)),), "unknown machine"),
        ((Operation("a", 0, ((0, -1),)),), "takes -1 ticks"),
        ((Operation("a", 4, ((0, 1),)),), "belongs to no order"),
        ((Operation("a", 0, ((0, 1),), after=(7,)),), "comes after an unknown one"),
        (
            (Operation("a", 0, ((0, 1),), after=(1,)), Operation("b", 0, ((0, 1),), after=(0,))),
            "waits for",
        ),
        ((Operation("a", 0, ((0, 1),), family=2),), "unknown family"),
        ((Operation("a", 0, ((0, 1 << 50),)),), "ticks"),
    ],
)
def test_a_wrong_problem_is_refused(operations: tuple[Operation, ...], words: str) -> None:
    with pytest.raises(ConfigError, match=words):
        Problem(operations, (Order("x"),), (Machine("m"),))
