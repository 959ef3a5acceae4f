"""One pure function that turns any way of choosing into a plan with its cost."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from millhand_logistics.schedule.build import build
from millhand_logistics.schedule.jit import COMPILED
from millhand_logistics.schedule.memory import as_arrays, as_lists, empty_plan, empty_scratch
from millhand_logistics.schedule.problem import Ints, Objective, Problem
from millhand_logistics.schedule.tables import (
    BROKEN,
    FEATURES,
    Built,
    Choice,
    Record,
    Scratch,
    Tables,
)


@dataclass(frozen=True, slots=True, eq=False)
class Plan:
    """Where and when each operation runs, in ticks; what that costs, and who proposed it."""

    start: Ints
    end: Ints
    machine: Ints
    setup_start: Ints
    setup_end: Ints
    sequence: Ints
    """Operations in an order in which they can be placed again to give this plan."""
    cost: int
    makespan: int
    tardiness: int
    """Weighted, in thousandths of a tick."""
    broken: int
    """Fixed operations that begin before what they need is done, or before their machine can be
    set up for them; 0 in a plan that can be run."""
    source: str = ""

    def same_as(self, other: Plan) -> bool:
        """Whether both do the same at the same time."""
        return (
            np.array_equal(self.start, other.start)
            and np.array_equal(self.end, other.end)
            and np.array_equal(self.machine, other.machine)
        )


@dataclass(slots=True)
class Recording:
    """Choices of one build: what the network saw of each candidate, and which was taken."""

    rows: NDArray[np.float32] = field(default_factory=lambda: np.zeros((0, FEATURES), np.float32))
    """``(candidates, FEATURES)``, choice after choice."""
    begins: Ints = field(default_factory=lambda: np.zeros(0, np.int64))
    """Row at which each choice begins."""
    taken: Ints = field(default_factory=lambda: np.zeros(0, np.int64))
    """Place of the one taken among its candidates."""


def simulate(
    problem: Problem, choice: Choice, source: str = "", recording: Recording | None = None
) -> Plan:
    """Build the plan that a way of choosing leads to, and price it. Pure; touches no clock.

    Args:
        problem: what is to be planned.
        choice: a rule, fixed priorities or a network (:mod:`rules`, :mod:`policy`).
        source: who is asking, for the plan's label.
        recording: filled with the choices made, where given.
    """
    t = problem.tables
    room = 0 if recording is None else _rows_at_most(t)
    record = _record(t.operations, room)
    out, scratch = empty_plan(t.operations), empty_scratch(t)
    if COMPILED:
        placed = build(t, choice, scratch, record, out)
    else:
        # Lists are several times faster than arrays for the interpreter.
        plan, kept = Built(*as_lists(out)), Record(*as_lists(record))
        placed = build(
            Tables(*as_lists(t)), Choice(*as_lists(choice)), Scratch(*as_lists(scratch)), kept, plan
        )
        out = as_arrays(plan)
        record = Record(np.array(kept.rows), *(np.array(c, np.int64) for c in kept[1:]))
    assert placed == t.operations, "every operation is placed; precedence was checked"
    if recording is not None:
        choices, rows = int(record.count[0]), int(record.count[1])
        recording.rows = record.rows[:rows].astype(np.float32)
        recording.begins, recording.taken = record.begins[:choices], record.taken[:choices]
    return priced(problem, out, source)


def priced(problem: Problem, built: Built, source: str) -> Plan:
    """Price what was built, or what a solver says."""
    t = problem.tables
    completion = np.zeros(t.orders, np.int64)
    np.maximum.at(completion, t.order, built.end)
    late = np.where(t.due >= 0, np.maximum(completion - t.due, 0), 0)
    makespan, tardiness = int(built.end.max()), int((late * t.weight).sum())
    broken = int(built.broken[0])
    cost = _cost(problem.objective, built, t, makespan, tardiness, completion)
    return Plan(
        start=built.start,
        end=built.end,
        machine=built.machine,
        setup_start=built.setup_start,
        setup_end=built.setup_end,
        sequence=built.sequence,
        cost=cost + broken * BROKEN,
        makespan=makespan,
        tardiness=tardiness,
        broken=broken,
        source=source,
    )


def _cost(
    objective: Objective, built: Built, t: Tables, makespan: int, tardiness: int, done: Ints
) -> int:
    """Price in thousandths, so that weights stay whole."""
    cost = 1000 * objective.makespan * makespan + objective.tardiness * tardiness
    if objective.flow:
        cost += objective.flow * int((done * t.weight).sum())
    if objective.setup:
        cost += 1000 * objective.setup * int((built.setup_end - built.setup_start).sum())
    return cost


def _record(operations: int, rows: int) -> Record:
    return Record(
        rows=np.zeros((rows, FEATURES)),
        begins=np.zeros(operations if rows else 1, np.int64),
        taken=np.zeros(operations if rows else 1, np.int64),
        count=np.array([0 if rows else -1, 0], np.int64),
    )


def _rows_at_most(t: Tables) -> int:
    """Bound the rows of a recording: each choice is among the orders' ready operations."""
    widest = min(t.operations, t.orders * _branches(t))
    return t.operations * widest


def _branches(t: Tables) -> int:
    """Bound the operations of one order that can be ready together."""
    chain = bool((np.diff(t.pred_ptr) <= 1).all() and (np.diff(t.succ_ptr) <= 1).all())
    starts = np.bincount(t.order[np.diff(t.pred_ptr) == 0], minlength=t.orders)
    return int(starts.max()) if chain else int(np.bincount(t.order).max())
