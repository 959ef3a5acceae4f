"""Compiling before the first decision, so that no decision waits for it."""

from __future__ import annotations

from functools import cache

from millhand_logistics.schedule.improve import improved
from millhand_logistics.schedule.instances import job_shop
from millhand_logistics.schedule.policy import Policy
from millhand_logistics.schedule.rules import rule
from millhand_logistics.schedule.simulate import simulate


@cache
def warm_up() -> None:
    """Build two tiny plans and change one: all is compiled, or its code read from the cache."""
    problem = job_shop([[2, 1], [1, 2]], [[0, 1], [1, 0]])
    plan = simulate(problem, rule(problem, "MWKR"))
    improved(problem, plan, 1)
    simulate(problem, Policy.untrained(0).choose(problem, 1))
