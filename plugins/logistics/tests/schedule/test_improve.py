"""Small changes: never dearer, repeatable, valid, and better where a night is in the way."""

from __future__ import annotations

import os
import subprocess
import sys

import numpy as np
import pytest

from millhand_logistics.schedule.check import faults
from millhand_logistics.schedule.distil.random_shops import classical, everyday
from millhand_logistics.schedule.improve import improved
from millhand_logistics.schedule.problem import Fixed
from millhand_logistics.schedule.propose import Effort, cheapest, propose, quick
from millhand_logistics.schedule.rules import in_order
from millhand_logistics.schedule.simulate import simulate


@pytest.mark.parametrize("seed", range(12))
def test_changes_are_never_dearer_and_always_valid(seed: int) -> None:
    problem = everyday(seed)
    plan = cheapest(quick(problem, Effort(samples=0), None))
    found = improved(problem, plan, 60, seed)
    assert found.cost <= plan.cost
    assert faults(problem, found) == []
    assert improved(problem, plan, 60, seed).same_as(found)


@pytest.mark.parametrize("seed", range(8))
def test_a_sequence_placed_again_is_the_plan_and_costs_as_much(seed: int) -> None:
    problem = everyday(seed) if seed % 2 else classical(seed, (10, 6))
    rules = propose(problem, Effort(samples=0)).plan
    if seed > 3:  # some operations have their place already
        early = np.argsort(rules.start)[: len(rules.start) // 4]
        places = {
            int(i): Fixed(int(rules.machine[i]), int(rules.start[i]), int(rules.end[i]))
            for i in early
            if rules.setup_end[i] == rules.setup_start[i]
        }
        held = problem.with_fixed(places)
        found = improved(held, simulate(held, in_order(held, rules.start, rules.machine)), 200)
        assert faults(held, found) == []
        assert all(found.start[i] == place.start for i, place in places.items())
        return
    found = improved(problem, rules, 200, seed)
    turns = found.sequence.argsort()
    again = simulate(problem, in_order(problem, turns, found.machine))
    assert again.same_as(found)
    assert again.cost == found.cost


def test_compiled_and_interpreted_changes_are_the_same() -> None:
    script = (
        "from millhand_logistics.schedule.distil.random_shops import everyday\n"
        "from millhand_logistics.schedule.propose import Effort, propose\n"
        "print([propose(everyday(s), Effort(samples=0, tries=80)).plan.cost for s in (3, 9)])\n"
    )
    answers = [
        subprocess.run(
            [sys.executable, "-c", script],
            env={**os.environ, "NUMBA_DISABLE_JIT": disabled},
            capture_output=True,
            text=True,
            timeout=120,
            check=True,
        ).stdout
        for disabled in ("0", "1")
    ]
    assert answers[0] == answers[1]


def test_a_shop_whose_rules_all_work_into_the_night_is_mended() -> None:
    # Every rule keeps one operation for the evening, and it ends the morning after.
    problem = everyday(50_009)
    rules = propose(problem, Effort(samples=0)).plan
    found = propose(problem, Effort(samples=0, tries=300)).plan
    assert (rules.cost, found.cost) == (1_455_000, 881_000)


def test_no_tries_change_nothing() -> None:
    problem = everyday(1)
    plan = cheapest(quick(problem, Effort(samples=0), None))
    assert improved(problem, plan, 0) is plan
