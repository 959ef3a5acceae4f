"""A shop turned round in time: what is planned from its end is a plan from its beginning as well.

A classical job shop is as long either way, but a dispatching network makes other mistakes from the
end, so that the better of both is a better plan for twice the work.
"""

from __future__ import annotations

import numpy as np

from millhand_logistics.schedule.problem import Ints, Problem
from millhand_logistics.schedule.rules import in_order
from millhand_logistics.schedule.simulate import Plan, simulate
from millhand_logistics.schedule.tables import Tables


def mirrored(problem: Problem) -> Problem | None:
    """Return the shop with every order from its last operation to its first, to be simulated.

    Operation ``i`` becomes ``last - i``; names stay behind.
    None where backwards is not the same: places that are given, set-ups, calendars, releases, and
    any other goal than the makespan.
    """
    t, goal = problem.tables, problem.objective
    if goal.tardiness or goal.flow or goal.setup or not goal.makespan:
        return None
    if t.fixed.any() or t.setup.any() or t.cal_start.size or t.release.any():
        return None
    if t.machine_ready.any():
        return None
    last = t.operations - 1
    mirror = t._replace(
        **{name: getattr(t, name)[::-1].copy() for name in _BY_OPERATION},
        pred_ptr=_pointers(t.succ_ptr),
        pred=last - t.succ[::-1],
        succ_ptr=_pointers(t.pred_ptr),
        succ=last - t.pred[::-1],
        alt_ptr=_pointers(t.alt_ptr),
        alt_machine=t.alt_machine[::-1].copy(),
        alt_time=t.alt_time[::-1].copy(),
    )
    tail, count = _tails(mirror)
    return problem.with_tables(
        mirror._replace(tail=tail, tail_count=count, most_count=int(count.max()) + 1)
    )


_BY_OPERATION = ("order", "family", "whole", "quickest", "quickest_machine")


def _pointers(pointers: Ints) -> Ints:
    """Return where rows begin when the last row comes first."""
    found: Ints = pointers[-1] - pointers[::-1]
    return found


def _tails(t: Tables) -> tuple[Ints, Ints]:
    """Return the longest path behind each operation, and how many operations are on it."""
    time, succ_ptr, succ = t.quickest.tolist(), t.succ_ptr.tolist(), t.succ.tolist()
    pred_ptr, pred = t.pred_ptr.tolist(), t.pred.tolist()
    tail, count = [0] * t.operations, [0] * t.operations
    waits = np.diff(t.succ_ptr).tolist()
    found = [i for i, n in enumerate(waits) if n == 0]
    for i in found:
        for s in succ[succ_ptr[i] : succ_ptr[i + 1]]:
            if time[s] + tail[s] > tail[i]:
                tail[i], count[i] = time[s] + tail[s], count[s] + 1
        for p in pred[pred_ptr[i] : pred_ptr[i + 1]]:
            waits[p] -= 1
            if waits[p] == 0:
                found.append(p)
    return np.array(tail, np.int64), np.array(count, np.int64)


def turned(problem: Problem, plan: Plan) -> Plan:
    """Turn a plan of the mirrored shop round; at most as long as it was from the end."""
    last_first = np.lexsort((-plan.sequence.argsort(), -plan.end)).argsort()[::-1]
    return simulate(problem, in_order(problem, last_first, plan.machine[::-1]), plan.source)
