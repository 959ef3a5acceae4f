"""Small changes: never dearer, repeatable, valid, and better where a night is in the way."""

from __future__ import annotations

import pytest

from millhand_logistics.schedule.check import faults
from millhand_logistics.schedule.distil.random_shops import everyday
from millhand_logistics.schedule.improve import improved
from millhand_logistics.schedule.propose import Effort, cheapest, propose, quick


@pytest.mark.parametrize("seed", range(12))
def test_changes_are_never_dearer_and_always_valid(seed: int) -> None:
    problem = everyday(seed)
    plan = cheapest(quick(problem, Effort(samples=0), None))
    found = improved(problem, plan, 60, seed)
    assert found.cost <= plan.cost
    assert faults(problem, found) == []
    assert improved(problem, plan, 60, seed).same_as(found)


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
