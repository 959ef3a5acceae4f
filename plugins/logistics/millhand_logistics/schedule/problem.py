"""A scheduling problem in whole ticks: what a shop, a benchmark file or a random draw becomes."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from millhand.errors import ConfigError
from millhand.messages import tr
from millhand_logistics.schedule.tables import NO_FAMILY, Tables

Ints = NDArray[np.int64]
LARGEST_TICK = 1 << 40
"""Ticks beyond which a problem is refused; sums of products stay within 64 bits."""
MOST_OPERATIONS = 20_000


@dataclass(frozen=True, slots=True)
class Fixed:
    """A place that is given: the operation has begun, is pinned, or lies within the frozen time."""

    machine: int
    start: int
    end: int


@dataclass(frozen=True, slots=True)
class Operation:
    """One operation. Times in ticks of working time; classical instances hold zeros."""

    name: str
    order: int
    alternatives: tuple[tuple[int, int], ...]
    """Machine and time."""
    after: tuple[int, ...] = ()
    family: int = NO_FAMILY
    whole: bool = False
    """Must not be interrupted by time in which its machine does not work."""
    release: int = 0
    fixed: Fixed | None = None


@dataclass(frozen=True, slots=True)
class Order:
    """An order: operations with one due date. The weight is in thousandths."""

    name: str
    due: int | None = None
    weight: int = 1000


@dataclass(frozen=True, slots=True)
class Machine:
    """A machine. Without intervals it always works; the last interval is taken as endless."""

    name: str
    ready: int = 0
    family: int = NO_FAMILY
    intervals: tuple[tuple[int, int], ...] = ()


@dataclass(frozen=True, slots=True)
class Objective:
    """What a plan costs: the sum of these, each by tick. Weights of orders are thousandths.

    ``cost = makespan * Cmax + tardiness * Σ w T + flow * Σ w C + setup * set-up time``
    """

    makespan: int = 1
    tardiness: int = 0
    flow: int = 0
    setup: int = 0


@dataclass(frozen=True)
class Problem:
    """Everything that a plan depends on. Immutable; :attr:`tables` is what the builder reads."""

    operations: tuple[Operation, ...]
    orders: tuple[Order, ...]
    machines: tuple[Machine, ...]
    setup: Ints = field(default_factory=lambda: np.zeros((0, 0, 0), np.int64), compare=False)
    """``(machines, families, families)``: ticks to set up from one family for another."""
    objective: Objective = Objective()
    tables: Tables = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        """Check what the builder relies on.

        Raises:
            ConfigError: no operation, a time below 0, a machine, order or operation that is not
                there, operations that wait for each other, or numbers that are too large.
        """
        _check(self)
        object.__setattr__(self, "tables", _tables(self))

    def with_fixed(self, places: dict[int, Fixed]) -> Problem:
        """Return the problem with more operations in given places."""
        if not places:
            return self
        operations = list(self.operations)
        for i, place in places.items():
            operations[i] = replace(operations[i], fixed=place)
        fixed = _fixed_tables(operations, len(self.machines))
        found = self.with_tables(self.tables._replace(**fixed))
        object.__setattr__(found, "operations", tuple(operations))
        return found

    def with_tables(self, tables: Tables) -> Problem:
        """Return the problem with other tables; the rest was checked and is shared."""
        found = object.__new__(Problem)
        for name in ("operations", "orders", "machines", "setup", "objective"):
            object.__setattr__(found, name, getattr(self, name))
        object.__setattr__(found, "tables", tables)
        return found


def _check(problem: Problem) -> None:
    if not problem.operations:
        raise _wrong(tr("There is nothing to plan."))
    if len(problem.operations) > MOST_OPERATIONS:
        raise _wrong(tr("There are more than {n} operations.", n=MOST_OPERATIONS))
    machines, families = len(problem.machines), problem.setup.shape[1]
    if problem.setup.size and problem.setup.shape != (machines, families, families):
        raise _wrong(tr("The set-up times are not machines by families by families."))
    if problem.setup.size and (problem.setup.min() < 0 or problem.setup.max() > LARGEST_TICK):
        raise _wrong(tr("A set-up time is below zero or too large."))
    for operation in problem.operations:
        _check_operation(problem, operation)
    for machine in problem.machines:
        _check_machine(machine, families)


def _check_operation(problem: Problem, o: Operation) -> None:
    if not o.alternatives:
        raise _wrong(tr("The operation {name} has no machine.", name=o.name))
    for m, time in o.alternatives:
        if not 0 <= m < len(problem.machines):
            raise _wrong(tr("The operation {name} names an unknown machine.", name=o.name))
        if not 0 <= time <= LARGEST_TICK:
            raise _wrong(tr("The operation {name} takes {time} ticks.", name=o.name, time=time))
    if not 0 <= o.order < len(problem.orders):
        raise _wrong(tr("The operation {name} belongs to no order.", name=o.name))
    if any(not 0 <= p < len(problem.operations) for p in o.after):
        raise _wrong(tr("The operation {name} comes after an unknown one.", name=o.name))
    if not NO_FAMILY <= o.family < max(problem.setup.shape[1], 0) and o.family != NO_FAMILY:
        raise _wrong(tr("The operation {name} has an unknown family.", name=o.name))
    if o.fixed is not None and not 0 <= o.fixed.machine < len(problem.machines):
        raise _wrong(tr("The operation {name} is fixed on an unknown machine.", name=o.name))


def _check_machine(machine: Machine, families: int) -> None:
    if machine.family != NO_FAMILY and not 0 <= machine.family < families:
        raise _wrong(tr("The machine {name} has an unknown family.", name=machine.name))
    before = -LARGEST_TICK
    for start, end in machine.intervals:
        if not before < start < end:
            raise _wrong(tr("The working times of {name} overlap or are empty.", name=machine.name))
        before = end


def _wrong(message: str) -> ConfigError:
    return ConfigError(message, mend=tr("Correct the orders or machines and plan again."))


def topological(operations: Sequence[Operation]) -> list[int]:
    """Return the operations in an order in which each comes after those it waits for.

    Raises:
        ConfigError: some wait for each other; names one of them.
    """
    waits = [len(set(o.after)) for o in operations]
    successors: list[list[int]] = [[] for _ in operations]
    for i, operation in enumerate(operations):
        for p in set(operation.after):
            successors[p].append(i)
    found = [i for i, count in enumerate(waits) if count == 0]
    for i in found:
        for s in successors[i]:
            waits[s] -= 1
            if waits[s] == 0:
                found.append(s)
    if len(found) < len(operations):
        stuck = next(i for i, count in enumerate(waits) if count > 0)
        raise _wrong(
            tr("{name} waits for an operation that waits for it.", name=operations[stuck].name)
        )
    return found


def _rows(rows: Iterable[Sequence[int]]) -> tuple[Ints, Ints]:
    """Return compressed rows: where each begins, and all of them end to end."""
    listed = [list(row) for row in rows]
    pointers = np.zeros(len(listed) + 1, np.int64)
    pointers[1:] = np.cumsum([len(row) for row in listed])
    return pointers, np.array([value for row in listed for value in row], np.int64)


def _array(values: Iterable[int]) -> Ints:
    return np.fromiter(values, np.int64)


def _tables(problem: Problem) -> Tables:
    ops, orders, machines = problem.operations, problem.orders, problem.machines
    successors: list[list[int]] = [[] for _ in ops]
    for i, o in enumerate(ops):
        for p in sorted(set(o.after)):
            successors[p].append(i)
    quickest = [min(o.alternatives, key=lambda a: (a[1], a[0])) for o in ops]
    tail, tail_count = _tails(ops, successors, [time for _, time in quickest])
    pred_ptr, pred = _rows(sorted(set(o.after)) for o in ops)
    succ_ptr, succ = _rows(successors)
    alt_ptr, alt_machine = _rows([m for m, _ in o.alternatives] for o in ops)
    cal_ptr, cal_start = _rows([s for s, _ in m.intervals] for m in machines)
    return Tables(
        operations=len(ops),
        orders=len(orders),
        machines=len(machines),
        families=problem.setup.shape[1],
        order=_array(o.order for o in ops),
        family=_array(o.family for o in ops),
        whole=_array(int(o.whole) for o in ops),
        release=_array(o.release for o in ops),
        pred_ptr=pred_ptr,
        pred=pred,
        succ_ptr=succ_ptr,
        succ=succ,
        alt_ptr=alt_ptr,
        alt_machine=alt_machine,
        alt_time=_array(time for o in ops for _, time in o.alternatives),
        quickest=_array(time for _, time in quickest),
        quickest_machine=_array(m for m, _ in quickest),
        tail=tail,
        tail_count=tail_count,
        due=_array(-1 if o.due is None else max(o.due, 0) for o in orders),
        weight=_array(o.weight for o in orders),
        machine_ready=_array(m.ready for m in machines),
        machine_family=_array(m.family for m in machines),
        cal_ptr=cal_ptr,
        cal_start=cal_start,
        cal_end=_array(e for m in machines for _, e in m.intervals),
        **_fixed_tables(ops, len(machines)),
        setup=np.ascontiguousarray(problem.setup, np.int64).ravel(),
        mean_time=float(np.mean([time for _, time in quickest])),
        most_count=int(tail_count.max()) + 1,
        mean_weight=max(float(np.mean([o.weight for o in orders])), 1e-9),
    )


def _tails(
    ops: Sequence[Operation], successors: Sequence[Sequence[int]], quickest: Sequence[int]
) -> tuple[Ints, Ints]:
    tail, count = np.zeros(len(ops), np.int64), np.zeros(len(ops), np.int64)
    for i in reversed(topological(ops)):
        for s in successors[i]:
            if quickest[s] + tail[s] > tail[i]:
                tail[i], count[i] = quickest[s] + tail[s], count[s] + 1
    return tail, count


def _fixed_tables(operations: Sequence[Operation], machines: int) -> dict[str, Any]:
    """Return the tables of operations whose place is given; those of a machine by their start."""
    places = [o.fixed for o in operations]
    on: list[list[tuple[int, int]]] = [[] for _ in range(machines)]
    for i, place in enumerate(places):
        if place is not None:
            on[place.machine].append((place.start, i))
    pin_ptr, pin_op = _rows([i for _, i in sorted(pins)] for pins in on)
    return {
        "fixed": _array(int(p is not None) for p in places),
        "fixed_machine": _array(-1 if p is None else p.machine for p in places),
        "fixed_start": _array(0 if p is None else p.start for p in places),
        "fixed_end": _array(0 if p is None else p.end for p in places),
        "pin_ptr": pin_ptr,
        "pin_op": pin_op,
    }
