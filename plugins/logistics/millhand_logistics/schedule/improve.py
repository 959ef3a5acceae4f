"""Improving a plan by small changes, each placed anew and priced.

An operation takes an earlier turn, or another machine; what costs no more is kept (the moves of
Mastrolilli and Gambardella 2000, drawn at random, and open to set-ups, calendars and due dates,
since the whole plan is priced). Most draws are of what the cost hangs on: the chain of operations
that ends with an order that is late or last. Bounded by a count, drawn by a seed.
"""

from __future__ import annotations

import numpy as np

from millhand_logistics.schedule.changing import place_sequence, search
from millhand_logistics.schedule.jit import COMPILED
from millhand_logistics.schedule.memory import as_arrays, as_lists, empty_plan, empty_scratch
from millhand_logistics.schedule.policy import mixed
from millhand_logistics.schedule.problem import Problem
from millhand_logistics.schedule.simulate import Plan, priced
from millhand_logistics.schedule.tables import Built, Goal, Scratch, Search, Tables

IMPROVED = "improved"
_MEMORY = 500
"""Changes after which a plan is looked back upon: chosen on random shops and Hurink's."""


def improved(problem: Problem, plan: Plan, tries: int, seed: int = 0) -> Plan:
    """Return the cheapest plan that small changes of ``plan`` lead to; never a dearer one.

    Args:
        problem: what is to be planned.
        plan: where to begin.
        tries: changes.
        seed: of the draws.
    """
    t, goal = problem.tables, problem.objective
    if int((t.fixed == 0).sum()) < 2 or tries < 1:
        return plan
    prices = Goal(goal.makespan, goal.tardiness, goal.flow, goal.setup)
    work, scratch, out = _search(t, plan), empty_scratch(t), empty_plan(t.operations)
    if not COMPILED:  # lists are several times faster than arrays for the interpreter
        t, scratch = Tables(*as_lists(t)), Scratch(*as_lists(scratch))
        work, out = Search(*as_lists(work)), Built(*as_lists(out))
    search(t, prices, scratch, work, out, tries, mixed(seed + 1))
    place_sequence(t, scratch, out, work.sequence, work.machine)
    found = priced(problem, out if COMPILED else as_arrays(out), IMPROVED)
    return found if found.cost < plan.cost else plan


def _search(t: Tables, plan: Plan) -> Search:
    """Return working memory that begins with a plan."""
    movable = plan.sequence[t.fixed[plan.sequence] == 0]
    n = t.operations
    sequence = np.zeros(n, np.int64)
    sequence[: len(movable)] = movable
    return Search._make(
        [
            sequence,
            sequence.copy(),
            np.zeros(n, np.int64),
            plan.machine.copy(),
            *np.zeros((5, n), np.int64),
            np.zeros(t.orders, np.int64),
            np.zeros(t.machines, np.int64),
            sequence.copy(),
            plan.machine.copy(),
            np.zeros(_MEMORY, np.int64),
        ]
    )
