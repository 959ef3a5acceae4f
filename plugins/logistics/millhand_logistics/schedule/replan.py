"""Re-planning after a disturbance: what has begun and what is near stays, the rest may move.

As little as allowed is moved, and each move says why. The plan so far, its order kept and moved
behind what happened (*right-shift*), is always a candidate, so a re-plan is never worse than it.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace

import numpy as np
from msgspec import Struct

from millhand.messages import tr
from millhand_logistics.schedule.alone import Alone, plan_alone
from millhand_logistics.schedule.check import checked
from millhand_logistics.schedule.explain import ahead_of, reason, words
from millhand_logistics.schedule.from_shop import Floor, OperationKey
from millhand_logistics.schedule.policy import Policy
from millhand_logistics.schedule.problem import Fixed, Ints, Problem
from millhand_logistics.schedule.propose import Effort, Proposal, cheapest, propose, quick
from millhand_logistics.schedule.rules import in_order
from millhand_logistics.schedule.simulate import Plan, simulate

RIGHT_SHIFT, KEPT = "right-shift", "promises kept"


class Place(Struct, frozen=True, kw_only=True):
    """Where and when an operation was to run, in ticks of the floor that it is used with."""

    machine: int
    begin: int
    end: int


Places = Mapping[OperationKey, Place]
"""A plan so far, by order and operation."""


class Calm(Struct, frozen=True, kw_only=True):
    """How much of a plan may be thrown over."""

    frozen: int = 0
    """Ticks from now in which nothing moves that can still be done as planned."""
    promised: int = 0
    """Ticks from now in which moves are counted."""
    most_moves: int | None = None
    """Most promised operations that may change machine or turn; None: as many as it takes."""


class Move(Struct, frozen=True, kw_only=True):
    """An operation that runs elsewhere or at another time than planned, with the reason."""

    order: str
    operation: str
    from_machine: str
    to_machine: str
    from_begin: int
    to_begin: int
    why: str


@dataclass(frozen=True, slots=True)
class Replan:
    """A plan after a disturbance, what it was chosen over, and what moved."""

    proposal: Proposal
    problem: Problem
    """With what was frozen in its place."""
    right_shift: Plan
    before: Places
    frozen: frozenset[int]
    moves: tuple[Move, ...]
    turned: int
    """Promised operations that changed machine or turn."""
    too_nervous: tuple[str, ...] = field(default=())
    """Sources of cheaper plans that would have moved more than allowed."""

    @property
    def plan(self) -> Plan:
        """The plan chosen."""
        return self.proposal.plan


def places_of(floor: Floor, plan: Plan) -> dict[OperationKey, Place]:
    """Return a plan by order and operation."""
    return {
        key: Place(machine=int(plan.machine[i]), begin=int(plan.start[i]), end=int(plan.end[i]))
        for i, key in enumerate(floor.keys)
    }


def replan(
    floor: Floor,
    before: Places,
    calm: Calm | None = None,
    effort: Effort | None = None,
    policy: Policy | None = None,
    only: Alone | None = None,
) -> Replan:
    """Plan anew, mindful of the plan so far.

    Args:
        floor: the shop as it is now.
        before: the plan so far; operations that it does not know are new.
        calm: how much may move.
        effort: counts that bound the work.
        policy: the student.
        only: leave the choice to one kind of planner, without guard: for comparisons.

    Raises:
        ConfigError: no plan keeps every place that is given.
    """
    calm, effort = calm or Calm(), effort or Effort()
    known = set(floor.keys)
    before = {key: place for key, place in before.items() if key in known}
    order, machines = as_before(floor, before)
    frozen = _frozen(floor, before, calm, order, machines)
    problem = floor.problem.with_fixed(frozen)
    shifted = simulate(problem, in_order(problem, order, machines), RIGHT_SHIFT)
    promised = [
        i
        for i, key in enumerate(floor.keys)
        if key in before
        and floor.now <= before[key].begin < floor.now + calm.promised
        and problem.operations[i].fixed is None
    ]
    kept = _keeping(problem, shifted, promised, effort, policy) if promised and not only else []
    free = propose(problem, effort if only is None else Effort(samples=0), policy, [shifted, *kept])
    allowed = _calm_enough(free.tried, shifted, promised, calm.most_moves)
    wanted = allowed[0] if only is None else plan_alone(problem, only, effort, policy)
    chosen = checked(problem, shifted if wanted.broken else wanted)
    return Replan(
        proposal=replace(free, plan=chosen),
        problem=problem,
        right_shift=shifted,
        before=before,
        frozen=frozenset(frozen),
        moves=tuple(_moves(floor, problem, before, chosen)),
        turned=_turned(chosen, shifted, promised),
        too_nervous=tuple(
            plan.source for plan in free.tried if plan.cost < chosen.cost and plan not in allowed
        ),
    )


def as_before(floor: Floor, before: Places) -> tuple[Ints, Ints]:
    """Return the turn of each operation and its machine as planned; new ones come last, by due."""
    t = floor.problem.tables
    begins = np.full(t.operations, 1 << 40, np.int64)
    machines = np.full(t.operations, -1, np.int64)
    for i, key in enumerate(floor.keys):
        if key in before:
            begins[i] = before[key].begin
            if before[key].machine in dict(floor.problem.operations[i].alternatives):
                machines[i] = before[key].machine
    due = np.where(t.due >= 0, t.due, 1 << 40)[t.order]
    return np.lexsort((np.arange(t.operations), due, begins)).argsort(), machines


def _frozen(
    floor: Floor, before: Places, calm: Calm, order: Ints, machines: Ints
) -> dict[int, Fixed]:
    """Return what lies in the frozen time and can still be done exactly as planned."""
    if calm.frozen <= 0:
        return {}
    problem = floor.problem
    operations = tuple(
        replace(o, release=max(o.release, before[key].begin)) if key in before else o
        for o, key in zip(problem.operations, floor.keys, strict=True)
    )
    strict = replace(problem, operations=operations)
    plan = simulate(strict, in_order(strict, order, machines))
    found: dict[int, Fixed] = {}
    for i, key in enumerate(floor.keys):
        place = before.get(key)
        if place is None or problem.operations[i].fixed is not None:
            continue
        as_planned = (place.machine, place.begin, place.end) == (
            int(plan.machine[i]),
            int(plan.start[i]),
            int(plan.end[i]),
        )
        near = floor.now <= place.begin < floor.now + calm.frozen
        if (
            near
            and as_planned
            and all(_given(problem, found, p) for p in problem.operations[i].after)
        ):
            found[i] = Fixed(place.machine, place.begin, place.end)
    return found


def _given(problem: Problem, found: Mapping[int, Fixed], o: int) -> bool:
    """Whether an operation has its place already."""
    return problem.operations[o].fixed is not None or o in found


def _keeping(
    problem: Problem,
    shifted: Plan,
    promised: Iterable[int],
    effort: Effort,
    policy: Policy | None,
) -> list[Plan]:
    """Propose plans in which every promised operation stays where right-shift puts it."""
    if shifted.broken:
        return []
    held = problem.with_fixed(
        {
            i: Fixed(int(shifted.machine[i]), int(shifted.start[i]), int(shifted.end[i]))
            for i in promised
        }
    )
    plan = cheapest([*quick(held, effort, policy), _shift_again(held, shifted)])
    if plan.broken:
        return []  # a set-up no longer fits, now that something else has left its place
    place = np.empty(len(plan.sequence))
    place[np.lexsort((plan.sequence.argsort(), plan.start))] = np.arange(len(plan.sequence))
    return [simulate(problem, in_order(problem, place, plan.machine), KEPT)]


def _shift_again(problem: Problem, shifted: Plan) -> Plan:
    place = np.empty(len(shifted.sequence))
    place[shifted.sequence] = np.arange(len(shifted.sequence))
    return simulate(problem, in_order(problem, place, shifted.machine), RIGHT_SHIFT)


def _calm_enough(
    tried: Iterable[Plan], shifted: Plan, promised: list[int], most: int | None
) -> list[Plan]:
    """Return the plans that move no more than allowed, cheapest first; right-shift always does."""
    if most is None:
        return list(tried)
    return [
        plan
        for plan in tried
        if plan.source == RIGHT_SHIFT or _turned(plan, shifted, promised) <= most
    ]


def _turned(plan: Plan, shifted: Plan, promised: list[int]) -> int:
    """Count promised operations that change machine, or begin later than by right-shift.

    What merely begins earlier on its machine, and in the same turn, takes nobody by surprise.
    """
    if not promised:
        return 0
    was, now = shifted.start[promised], plan.start[promised]
    machine = plan.machine[promised]
    stays = machine == shifted.machine[promised]
    # [i, k]: both stay on one machine, k came before i, and now comes after it.
    same = (machine[:, None] == machine) & stays
    overtakes = same & (was < was[:, None]) & (now > now[:, None])
    return int((~stays | (now > was) | overtakes.any(axis=1)).sum())


def _moves(floor: Floor, problem: Problem, before: Places, plan: Plan) -> Iterable[Move]:
    ahead = ahead_of(plan)
    for i, key in enumerate(floor.keys):
        place = before.get(key)
        if place is None or problem.operations[i].fixed is not None:
            continue
        m, begin = int(plan.machine[i]), int(plan.start[i])
        if (m, begin) == (place.machine, place.begin):
            continue
        yield Move(
            order=key[0],
            operation=key[1],
            from_machine=floor.machines[place.machine],
            to_machine=floor.machines[m],
            from_begin=place.begin,
            to_begin=begin,
            why=_why(floor, problem, plan, i, place, ahead),
        )


def _why(floor: Floor, problem: Problem, plan: Plan, i: int, place: Place, ahead: Ints) -> str:
    """Say why an operation moved: its place is gone, or another is cheaper; and what binds it."""
    binds = words(problem, reason(problem, plan, i, ahead))
    time = dict(problem.operations[i].alternatives).get(place.machine, 0)
    if _is_down(problem.machines[place.machine].intervals, place, time):
        return tr(
            "{machine} does not work then; now {binds}",
            machine=floor.machines[place.machine],
            binds=binds,
        )
    if int(plan.machine[i]) != place.machine:
        return tr(
            "the plan as a whole costs less with it on {machine}; {binds}",
            machine=floor.machines[plan.machine[i]],
            binds=binds,
        )
    if int(plan.start[i]) < place.begin:
        return tr("can begin earlier; {binds}", binds=binds)
    return binds


def _is_down(intervals: tuple[tuple[int, int], ...], place: Place, time: int) -> bool:
    """Whether a machine no longer works for ``time`` within a place that it was given."""
    if not intervals:
        return False
    works = sum(max(0, min(place.end, e) - max(place.begin, b)) for b, e in intervals)
    return works < time
