"""An independent checker: validates a plan from the problem alone, by means of its own.

It shares no line with the builder. Every plan that leaves this package has passed it.
"""

from __future__ import annotations

from collections.abc import Iterator

from millhand.errors import InternalError
from millhand_logistics.schedule.problem import Machine, Operation, Problem
from millhand_logistics.schedule.simulate import Plan


def faults(problem: Problem, plan: Plan) -> list[str]:
    """Return everything that is wrong with a plan; empty where it can be run."""
    return [
        *_operations(problem, plan),
        *_precedence(problem, plan),
        *_machines(problem, plan),
        *_cost(problem, plan),
    ]


def checked(problem: Problem, plan: Plan) -> Plan:
    """Return the plan.

    Raises:
        InternalError: it cannot be run; names the first faults.
    """
    found = faults(problem, plan)
    if found:
        raise InternalError(f"the plan of {plan.source} is wrong: {'; '.join(found[:5])}")
    return plan


def working_time(machine: Machine, start: int, end: int) -> int:
    """Return the working time of a machine between two ticks; its last interval is endless."""
    if not machine.intervals:
        return end - start
    last_begin = machine.intervals[-1][0]
    total = sum(
        max(0, min(end, stop) - max(start, begin)) for begin, stop in machine.intervals[:-1]
    )
    return total + max(0, end - max(start, last_begin))


def _works_at(machine: Machine, tick: int) -> bool:
    return working_time(machine, tick, tick + 1) == 1


def _operations(problem: Problem, plan: Plan) -> Iterator[str]:
    if not len(plan.start) == len(plan.end) == len(plan.machine) == len(problem.operations):
        yield "it does not hold every operation once"
        return
    for o, start, end, m in zip(
        problem.operations, plan.start, plan.end, plan.machine, strict=True
    ):
        if o.fixed is not None:
            if (o.fixed.machine, o.fixed.start, o.fixed.end) != (m, start, end):
                yield f"{o.name} left its given place"
            continue
        yield from _operation(problem, o, int(start), int(end), int(m))


def _operation(problem: Problem, o: Operation, start: int, end: int, m: int) -> Iterator[str]:
    times = [time for machine, time in o.alternatives if machine == m]
    if not times:
        yield f"{o.name} is on machine {m}, which cannot do it"
        return
    machine = problem.machines[m]
    if start < max(o.release, machine.ready):
        yield f"{o.name} begins before it or its machine is ready"
    if working_time(machine, start, end) not in times:
        yield f"{o.name} gets {working_time(machine, start, end)} ticks instead of {times}"
    if end > start and not (_works_at(machine, start) and _works_at(machine, end - 1)):
        yield f"{o.name} begins or ends while its machine does not work"
    if o.whole and end - start not in times:
        yield f"{o.name} is interrupted"


def _precedence(problem: Problem, plan: Plan) -> Iterator[str]:
    for i, o in enumerate(problem.operations):
        for p in o.after:
            if plan.start[i] < plan.end[p]:
                yield f"{o.name} begins before {problem.operations[p].name} is done"


def _machines(problem: Problem, plan: Plan) -> Iterator[str]:
    for m, machine in enumerate(problem.machines):
        on = sorted(
            (int(plan.start[i]), int(plan.end[i]), i)
            for i in range(len(problem.operations))
            if plan.machine[i] == m
        )
        family, free = machine.family, machine.ready
        for start, end, i in on:
            o = problem.operations[i]
            begun = o.fixed is not None and start < machine.ready
            setup = 0
            if family >= 0 and o.family >= 0:
                setup = int(problem.setup[m, family, o.family])
            if not begun:
                if start < free:
                    yield f"{o.name} overlaps another on machine {machine.name}"
                elif working_time(machine, free, start) < setup:
                    yield f"{o.name} begins before {machine.name} is set up"
            free = max(free, end)
            family = o.family if o.family >= 0 else family


def _cost(problem: Problem, plan: Plan) -> Iterator[str]:
    objective = problem.objective
    done = [0] * len(problem.orders)
    for i, o in enumerate(problem.operations):
        done[o.order] = max(done[o.order], int(plan.end[i]))
    cost = 1000 * objective.makespan * int(plan.end.max())
    for order, end in zip(problem.orders, done, strict=True):
        late = 0 if order.due is None else max(0, end - max(order.due, 0))
        cost += objective.tardiness * late * order.weight + objective.flow * end * order.weight
    cost += 1000 * objective.setup * int((plan.setup_end - plan.setup_start).sum())
    if cost != plan.cost:
        yield f"it costs {cost}, not {plan.cost}"
