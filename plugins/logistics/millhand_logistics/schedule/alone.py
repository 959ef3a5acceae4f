"""One kind of planner by itself, without guard: what a comparison holds the mix against."""

from __future__ import annotations

from typing import Literal

from millhand_logistics.schedule import solver
from millhand_logistics.schedule.own import own_plans
from millhand_logistics.schedule.policy import Policy
from millhand_logistics.schedule.problem import Problem
from millhand_logistics.schedule.propose import Effort, cheapest, quick
from millhand_logistics.schedule.simulate import Plan

Alone = Literal["rules", "student", "solver"]
"""Who plans alone: the best of the rules, the student's best guess, CP-SAT from the rules' hint."""


def plan_alone(problem: Problem, who: Alone, effort: Effort, policy: Policy | None) -> Plan:
    """Return what one kind of planner says; the best rule where it says nothing.

    A student that abstains (``policy`` None) and a solver that finds nothing in its effort leave
    the rule.
    """
    if who == "student" and policy is not None:
        return cheapest(own_plans(problem, policy))
    rule = cheapest(quick(problem, effort, None))
    if who != "solver":
        return rule
    answer = solver.solve(problem, rule, effort.solver, effort.seed)
    return rule if answer.plan is None else answer.plan
