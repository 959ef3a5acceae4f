"""What if: the problem that stands when, in the middle of a plan, a machine stops."""

from __future__ import annotations

from dataclasses import replace

from millhand_logistics.schedule.problem import LARGEST_TICK, Fixed, Machine, Operation, Problem
from millhand_logistics.schedule.simulate import Plan


def breakdown(problem: Problem, plan: Plan, machine: int, at: int, length: int) -> Problem:
    """Return the problem at tick ``at`` of a plan, when a machine stops for ``length`` ticks.

    What is done or has begun keeps its place; what the machine was doing goes on afterwards.
    """
    machines = list(problem.machines)
    machines[machine] = _stopped(machines[machine], at, at + length)
    ready = tuple(replace(m, ready=max(m.ready, at)) for m in machines)
    operations = tuple(
        _at(o, plan, i, machine, at, length) for i, o in enumerate(problem.operations)
    )
    return replace(problem, operations=operations, machines=ready)


def _at(o: Operation, plan: Plan, i: int, machine: int, at: int, length: int) -> Operation:
    start, end, m = int(plan.start[i]), int(plan.end[i]), int(plan.machine[i])
    if start >= at:
        return replace(o, release=max(o.release, at))
    if end > at and m == machine:
        end += length
    return replace(o, fixed=Fixed(m, start, end))


def _stopped(machine: Machine, begin: int, end: int) -> Machine:
    """Take a span out of a machine's working time."""
    intervals = machine.intervals or ((0, LARGEST_TICK),)
    last = len(intervals) - 1
    found: list[tuple[int, int]] = []
    for number, (start, stop) in enumerate(intervals):
        stop = LARGEST_TICK if number == last else stop
        found += [(start, min(stop, begin)), (max(start, end), stop)]
    return replace(machine, intervals=tuple((s, e) for s, e in found if s < e))
