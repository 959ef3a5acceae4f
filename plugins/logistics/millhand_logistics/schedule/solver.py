"""OR-Tools CP-SAT behind the rest: given a plan as hint, it supplies starts that may be better.

Each machine is modelled in its own working time, where operations and set-ups keep their length;
only what waits for another operation is compared on the clock. So breaks cost two table look-ups
for each operation. The starts found are placed again by :func:`simulate`, which alone judges.

Work is bounded by CP-SAT's deterministic time with interleaved search: the same problem, hint and
effort give the same plan, however busy the processor is.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING, Any

import numpy as np

from millhand.errors import ConfigError
from millhand.messages import tr
from millhand_logistics.schedule.problem import Machine, Problem, topological
from millhand_logistics.schedule.rules import in_order
from millhand_logistics.schedule.simulate import Plan, simulate

if TYPE_CHECKING:
    from ortools.sat.python import cp_model

_WORKERS = 8
"""Searches that take turns; with fewer, none of them improves a hint."""
SOURCE = "CP-SAT"


def available() -> bool:
    """Whether OR-Tools is installed."""
    try:
        import ortools.sat.python.cp_model  # noqa: F401
    except ImportError:
        return False
    return True


@dataclass(frozen=True, slots=True)
class Answer:
    """What the solver found."""

    plan: Plan | None
    """None where it found nothing in its time."""
    bound: int
    """No plan costs less, in the unit of :attr:`Plan.cost`."""
    proven: bool
    """Whether the plan is one of the best there are."""


def solve(problem: Problem, hint: Plan, effort: float, seed: int = 0) -> Answer:
    """Look for a plan that costs less than ``hint``.

    Args:
        problem: what is to be planned.
        hint: a plan that can be run.
        effort: CP-SAT's deterministic time, about CPU seconds of one core.
        seed: of the search.

    Raises:
        ConfigError: OR-Tools is not installed.
    """
    try:
        from ortools.sat.python import cp_model
    except ImportError as error:
        raise ConfigError(
            tr("OR-Tools is not installed, so there is no solver."),
            mend=tr("Run: pip install 'millhand-logistics[solver]'."),
        ) from error
    model = _Model(cp_model.CpModel(), problem, hint)
    solver = cp_model.CpSolver()
    solver.parameters.num_workers = _WORKERS
    solver.parameters.interleave_search = True
    solver.parameters.max_deterministic_time = effort
    solver.parameters.random_seed = seed
    status = solver.solve(model.model)
    if status not in {cp_model.OPTIMAL, cp_model.FEASIBLE}:
        return Answer(None, 0, False)
    starts, machines = model.starts(solver)
    # Operations of no length begin with the one before them; the topological order decides then.
    order = np.lexsort((model.depth, starts)).argsort()
    plan = simulate(problem, in_order(problem, order, machines), SOURCE)
    return Answer(plan, int(solver.best_objective_bound), status == cp_model.OPTIMAL)


class _Clock:
    """A machine's working time against the clock."""

    def __init__(self, machine: Machine, horizon: int) -> None:
        self.plain = not machine.intervals
        last = machine.intervals[-1][0] if machine.intervals else 0
        self.intervals = (
            [(0, horizon)]
            if self.plain
            else [*machine.intervals[:-1], (last, max(horizon, last + 1))]
        )
        lengths = [end - begin for begin, end in self.intervals]
        self.before = np.concatenate([[0], np.cumsum(lengths)]).astype(int).tolist()
        self.shift = [
            begin - worked
            for (begin, _), worked in zip(self.intervals, self.before[:-1], strict=True)
        ]

    def worked(self, tick: int) -> int:
        """Return the working time until a tick."""
        return sum(max(0, min(end, tick) - begin) for begin, end in self.intervals)


class _Model:
    def __init__(self, model: cp_model.CpModel, problem: Problem, hint: Plan) -> None:
        self.model = model
        self._problem = problem
        self._hint = hint
        self.depth = _depth(problem)
        self._horizon = int(hint.end.max()) + int(problem.tables.alt_time.max()) + 1
        # In a plan that costs less than the hint an order may be later than any is in the hint.
        self._horizon = max(self._horizon, _all_in_a_row(problem))
        self._clocks = [_Clock(machine, self._horizon) for machine in problem.machines]
        self._on: list[list[_Job]] = [[] for _ in problem.machines]
        self._start: list[Any] = []
        self._end: list[Any] = []
        self._present: list[list[tuple[int, Any]]] = []
        for i in range(len(problem.operations)):
            self._add(i)
        for i, o in enumerate(problem.operations):
            for p in o.after:
                if not (o.fixed and problem.operations[p].fixed):
                    model.add(self._start[i] >= self._end[p])
        for m in range(len(problem.machines)):
            self._machine(m)
        self._objective()

    def starts(self, solver: cp_model.CpSolver) -> tuple[list[int], list[int]]:
        """Return start and machine of each operation as found."""
        starts = [
            start if isinstance(start, int) else int(solver.value(start)) for start in self._start
        ]
        machines = [
            next(m for m, present in options if present is True or solver.value(present))
            for options in self._present
        ]
        return starts, machines

    # --- operations ---

    def _add(self, i: int) -> None:
        o, model, hint = self._problem.operations[i], self.model, self._hint
        if o.fixed is not None:
            clock = self._clocks[o.fixed.machine]
            begin, until = clock.worked(o.fixed.start), clock.worked(o.fixed.end)
            self._start.append(o.fixed.start)
            self._end.append(o.fixed.end)
            self._present.append([(o.fixed.machine, True)])
            job = _Job(i, begin, until, until - begin, True, fixed=True)
            self._on[o.fixed.machine].append(job)
            return
        start: Any = model.new_int_var(o.release, self._horizon, "")
        end: Any = model.new_int_var(o.release, self._horizon, "")
        model.add_hint(start, int(hint.start[i]))
        model.add_hint(end, int(hint.end[i]))
        self._start.append(start)
        self._end.append(end)
        options: list[tuple[int, Any]] = []
        for m, time in o.alternatives:
            present: Any = True
            if len(o.alternatives) > 1:
                present = model.new_bool_var("")
                model.add_hint(present, int(hint.machine[i] == m))
            options.append((m, present))
            self._alternative(i, m, time, present)
        if len(options) > 1:
            model.add_exactly_one([present for _, present in options])
        self._present.append(options)

    def _alternative(self, i: int, m: int, time: int, present: Any) -> None:
        model, clock, hint = self.model, self._clocks[m], self._hint
        ready = clock.worked(self._problem.machines[m].ready)
        taken = hint.machine[i] == m
        if clock.plain and present is True:
            model.add(self._end[i] == self._start[i] + time)
            model.add(self._start[i] >= ready)
            self._on[m].append(_Job(i, self._start[i], self._end[i], time, True))
            return
        begin = model.new_int_var(ready, clock.before[-1], "")
        model.add_hint(begin, clock.worked(int(hint.start[i])) if taken else ready)
        job = _Job(i, begin, begin + time, time, present)
        self._on[m].append(job)
        if clock.plain:
            model.add(self._start[i] == begin).only_enforce_if(present)
            model.add(self._end[i] == begin + time).only_enforce_if(present)
            return
        first = self._tell(self._start[i], begin, clock, 0, present)
        last = self._tell(self._end[i], begin + time, clock, 1, present)
        if self._problem.operations[i].whole:
            _if(model.add(first == last), present)

    def _tell(self, at: Any, worked: Any, clock: _Clock, upto: int, present: Any) -> Any:
        """Tie a moment to a working time; ``upto`` 1 counts an interval's end as within it."""
        model, count = self.model, len(clock.intervals)
        index = model.new_int_var(0, count - 1, "")
        low = model.new_int_var(0, clock.before[-1], "")
        high = model.new_int_var(0, clock.before[-1], "")
        shift = model.new_int_var(min(clock.shift), max(clock.shift), "")
        model.add_element(index, clock.before[:-1], low)
        model.add_element(index, clock.before[1:], high)
        model.add_element(index, clock.shift, shift)
        _if(model.add(worked >= low + upto), present)
        _if(model.add(worked <= high - 1 + upto), present)
        _if(model.add(at == worked + shift), present)
        return index

    # --- machines ---

    def _machine(self, m: int) -> None:
        jobs = self._on[m]
        model = self.model
        if len(jobs) > 1:
            model.add_no_overlap([job.interval(model) for job in jobs])
        setup = self._problem.setup
        if setup.size and setup[m].any():
            self._setups(m, jobs)

    def _setups(self, m: int, jobs: list[_Job]) -> None:
        """Order the machine's operations in a circuit; each arc holds the set-up between two."""
        model, setup = self.model, self._problem.setup[m]
        family = [self._problem.operations[job.operation].family for job in jobs]
        ready = self._clocks[m].worked(self._problem.machines[m].ready)
        follows = self._follows(m, jobs)
        arcs: list[tuple[int, int, Any]] = [(0, 0, model.new_bool_var(""))]
        for a, job in enumerate(jobs, start=1):
            for tail, head in ((0, a), (a, 0)):
                literal = model.new_bool_var("")
                model.add_hint(literal, int((tail, head) in follows))
                arcs.append((tail, head, literal))
                if tail == 0 and not job.fixed:
                    time = _between(setup, self._problem.machines[m].family, family[a - 1])
                    model.add(job.begin >= ready + time).only_enforce_if(literal)
            if job.present is not True:
                arcs.append((a, a, job.present.negated()))
            for b, other in enumerate(jobs, start=1):
                if a == b:
                    continue
                literal = model.new_bool_var("")
                model.add_hint(literal, int((a, b) in follows))
                arcs.append((a, b, literal))
                if not (job.fixed and other.fixed):
                    time = _between(setup, family[a - 1], family[b - 1])
                    model.add(other.begin >= job.end + time).only_enforce_if(literal)
        model.add_circuit(arcs)

    def _follows(self, m: int, jobs: list[_Job]) -> set[tuple[int, int]]:
        """Return the arcs of the hint."""
        hint = self._hint
        on = [a for a, job in enumerate(jobs, start=1) if hint.machine[job.operation] == m]
        ordered = sorted(on, key=lambda a: int(hint.start[jobs[a - 1].operation]))
        return set(pairwise([0, *ordered, 0]))

    # --- objective ---

    def _objective(self) -> None:
        problem, model, goal = self._problem, self.model, self._problem.objective
        done: list[Any] = []
        for j in range(len(problem.orders)):
            ends = [self._end[i] for i, o in enumerate(problem.operations) if o.order == j]
            upper = model.new_int_var(0, self._horizon, "")
            model.add_max_equality(upper, ends)
            model.add_hint(upper, self._hinted_done(j))
            done.append(upper)
        terms: list[Any] = []
        if goal.makespan:
            makespan = model.new_int_var(0, self._horizon, "")
            model.add_max_equality(makespan, done)
            model.add_hint(makespan, self._hint.makespan)
            terms.append(1000 * goal.makespan * makespan)
        for j, order in enumerate(problem.orders):
            if goal.flow:
                terms.append(goal.flow * order.weight * done[j])
            if goal.tardiness and order.due is not None:
                late = model.new_int_var(0, self._horizon, "")
                model.add(late >= done[j] - max(order.due, 0))
                model.add_hint(late, max(0, self._hinted_done(j) - max(order.due, 0)))
                terms.append(goal.tardiness * order.weight * late)
        model.minimize(sum(terms))

    def _hinted_done(self, j: int) -> int:
        return int(self._hint.end[self._problem.tables.order == j].max())


@dataclass(slots=True)
class _Job:
    """An operation on a machine, in the machine's working time."""

    operation: int
    begin: Any
    end: Any
    time: int
    present: Any
    fixed: bool = False

    def interval(self, model: cp_model.CpModel) -> Any:
        """Make its interval."""
        if self.present is True:
            return model.new_fixed_size_interval_var(self.begin, self.time, "")
        return model.new_optional_fixed_size_interval_var(self.begin, self.time, self.present, "")


def _if(constraint: Any, present: Any) -> None:
    if present is not True:
        constraint.only_enforce_if(present)


def _between(setup: Any, before: int, after: int) -> int:
    return int(setup[before, after]) if before >= 0 and after >= 0 else 0


def _depth(problem: Problem) -> list[int]:
    depth = [0] * len(problem.operations)
    for i in topological(problem.operations):
        depth[i] = 1 + max((depth[p] for p in problem.operations[i].after), default=-1)
    return depth


def _all_in_a_row(problem: Problem) -> int:
    """Return a tick by which everything is done even one after another, on the clock."""
    t = problem.tables
    work = sum(max(time for _, time in o.alternatives) for o in problem.operations)
    work += int(problem.setup.max(initial=0)) * len(problem.operations)
    begin = max([int(t.release.max()), int(t.machine_ready.max()), int(t.fixed_end.max())])
    if not any(machine.intervals for machine in problem.machines):
        return begin + work
    ends = [machine.intervals[-1][0] for machine in problem.machines if machine.intervals]
    return max([begin, *ends]) + work
