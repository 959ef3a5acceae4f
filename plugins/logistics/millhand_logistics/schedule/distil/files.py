"""Shops as arrays, so that a folder of them is data to distil from."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from millhand.errors import ConfigError
from millhand.messages import tr
from millhand_logistics.schedule.problem import (
    Fixed,
    Machine,
    Objective,
    Operation,
    Order,
    Problem,
)

Arrays = dict[str, NDArray[np.int64]]
TAUGHT = "taught"
"""Operations in the order of a plan that a person wants, where a shop comes with one."""


def arrays_of(problem: Problem) -> Arrays:
    """Return a problem as arrays of whole numbers; names are lost."""
    o, goal = problem.operations, problem.objective
    return {
        "operation": _table((x.order, x.family, int(x.whole), x.release) for x in o),
        "after": _pairs(x.after for x in o),
        "alternative": _triples(o),
        "fixed": _table(
            (i, x.fixed.machine, x.fixed.start, x.fixed.end)
            for i, x in enumerate(o)
            if x.fixed is not None
        ).reshape(-1, 4),
        "order": _table((-1 if x.due is None else x.due, x.weight) for x in problem.orders),
        "machine": _table((x.ready, x.family) for x in problem.machines),
        "interval": _intervals(problem.machines),
        "setup": np.ascontiguousarray(problem.setup, np.int64),
        "objective": np.array([goal.makespan, goal.tardiness, goal.flow, goal.setup], np.int64),
    }


def problem_of(arrays: Mapping[str, NDArray[Any]]) -> Problem:
    """Return the problem behind arrays.

    Raises:
        ConfigError: an array is missing or of another form, or the problem is wrong.
    """
    try:
        return _problem(arrays)
    except (KeyError, ValueError, IndexError, TypeError) as error:
        raise ConfigError(
            tr("This is no shop: {why}.", why=error),
            mend=tr("Write the shops anew with `millhand random-shops`."),
        ) from error


def _problem(arrays: Mapping[str, NDArray[Any]]) -> Problem:
    count = len(arrays["operation"])
    after: list[list[int]] = [[] for _ in range(count)]
    for i, p in arrays["after"].tolist():
        after[i].append(p)
    alternatives: list[list[tuple[int, int]]] = [[] for _ in range(count)]
    for i, m, time in arrays["alternative"].tolist():
        alternatives[i].append((m, time))
    intervals: list[list[tuple[int, int]]] = [[] for _ in arrays["machine"]]
    for m, begin, end in arrays["interval"].tolist():
        intervals[m].append((begin, end))
    places = arrays.get("fixed", np.zeros((0, 4), np.int64)).tolist()
    fixed = {i: Fixed(m, start, end) for i, m, start, end in places}
    operations = tuple(
        Operation(
            str(i),
            j,
            tuple(alternatives[i]),
            tuple(after[i]),
            family,
            bool(whole),
            release,
            fixed.get(i),
        )
        for i, (j, family, whole, release) in enumerate(arrays["operation"].tolist())
    )
    orders = tuple(
        Order(str(j), None if due < 0 else due, weight)
        for j, (due, weight) in enumerate(arrays["order"].tolist())
    )
    machines = tuple(
        Machine(str(m), ready, family, tuple(intervals[m]))
        for m, (ready, family) in enumerate(arrays["machine"].tolist())
    )
    makespan, tardiness, flow, setup = arrays["objective"].tolist()
    goal = Objective(makespan, tardiness, flow, setup)
    return Problem(operations, orders, machines, arrays["setup"], goal)


def _table(rows: Iterable[Sequence[int]]) -> NDArray[np.int64]:
    return np.array(list(rows), np.int64)


def _pairs(groups: Iterable[Sequence[int]]) -> NDArray[np.int64]:
    found = [(i, value) for i, group in enumerate(groups) for value in group]
    return np.array(found, np.int64).reshape(-1, 2)


def _triples(operations: Sequence[Operation]) -> NDArray[np.int64]:
    found = [(i, m, time) for i, o in enumerate(operations) for m, time in o.alternatives]
    return np.array(found, np.int64)


def _intervals(machines: Sequence[Machine]) -> NDArray[np.int64]:
    found = [(m, *span) for m, machine in enumerate(machines) for span in machine.intervals]
    return np.array(found, np.int64).reshape(-1, 3)
