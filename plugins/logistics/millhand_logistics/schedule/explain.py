"""Why an operation runs when it does, and what it would cost to do otherwise."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

import numpy as np

from millhand.messages import tr
from millhand_logistics.schedule.problem import Ints, Problem
from millhand_logistics.schedule.rules import in_order
from millhand_logistics.schedule.simulate import Plan, simulate


class Bind(StrEnum):
    """What keeps an operation from beginning earlier."""

    GIVEN = "given"
    """Its place is fixed: begun, pinned or frozen."""
    BEFORE = "before"
    """An operation of its order must be done first."""
    MACHINE = "machine"
    """Its machine does another one."""
    SETUP = "setup"
    """Its machine is set up for it."""
    RELEASE = "release"
    """It is released, or its material arrives, then."""
    BREAK = "break"
    """Its machine does not work before."""


@dataclass(frozen=True, slots=True)
class Reason:
    """Why an operation does not begin earlier."""

    bind: Bind
    other: int | None = None
    """The operation that it waits for."""


def reason(problem: Problem, plan: Plan, o: int, ahead: Ints | None = None) -> Reason:
    """Return what binds the start of an operation; of several the one that leaves least room.

    ``ahead`` is :func:`ahead_of` the plan, where many reasons are asked for.
    """
    operation = problem.operations[o]
    if operation.fixed is not None:
        return Reason(Bind.GIVEN)
    start, m = int(plan.start[o]), int(plan.machine[o])
    limits: list[tuple[int, int, Reason]] = [
        (max(operation.release, problem.machines[m].ready), 0, Reason(Bind.RELEASE)),
        *((int(plan.end[p]), 3, Reason(Bind.BEFORE, p)) for p in operation.after),
    ]
    found = int((ahead_of(plan) if ahead is None else ahead)[o])
    before = None if found < 0 else found
    if before is not None:
        limits.append((int(plan.end[before]), 1, Reason(Bind.MACHINE, before)))
    if plan.setup_end[o] > plan.setup_start[o]:
        limits.append((int(plan.setup_end[o]), 2, Reason(Bind.SETUP, before)))
    latest = max(limits, key=lambda limit: limit[:2])
    return latest[2] if latest[0] >= start else Reason(Bind.BREAK)


def ahead_of(plan: Plan) -> Ints:
    """Return for each operation the one before it on its machine; -1 for none."""
    found = np.full(len(plan.start), -1, np.int64)
    turn = np.lexsort((plan.end, plan.start, plan.machine))
    same = plan.machine[turn[1:]] == plan.machine[turn[:-1]]
    found[turn[1:][same]] = turn[:-1][same]
    return found


def following(plan: Plan, o: int) -> int | None:
    """Return the operation after ``o`` on its machine."""
    on = np.flatnonzero((plan.machine == plan.machine[o]) & (plan.start > plan.start[o]))
    return None if on.size == 0 else int(on[np.argmin(plan.start[on])])


def cost_of_waiting(problem: Problem, plan: Plan, o: int) -> int | None:
    """Return what the plan would cost more if the next operation on the machine went first.

    None where there is no next one, or where places that are given forbid it.
    """
    after = following(plan, o)
    if after is None or problem.operations[o].fixed or problem.operations[after].fixed:
        return None
    place = np.empty(len(plan.sequence))
    place[plan.sequence] = np.arange(len(plan.sequence))
    # Whatever lies between, of other machines, keeps its turn; only what `after` needs comes first.
    place[o] = place[after] + 0.5
    other = simulate(problem, in_order(problem, place, plan.machine))
    return None if other.broken else other.cost - plan.cost


def words(problem: Problem, why: Reason) -> str:
    """Say a reason to a person."""
    name = "" if why.other is None else problem.operations[why.other].name
    return {
        Bind.GIVEN: tr("its place is given"),
        Bind.BEFORE: tr("waits for {name}", name=name),
        Bind.MACHINE: tr("the machine does {name} first", name=name),
        Bind.SETUP: tr("the machine is set up for it"),
        Bind.RELEASE: tr("it can begin then"),
        Bind.BREAK: tr("the machine does not work before"),
    }[why.bind]
