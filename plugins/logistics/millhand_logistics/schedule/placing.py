"""Placing operations on machines: calendars, set-ups, and what has its place already.

Written in the part of Python that numba compiles, on flat tables, so that the interpreter runs the
very same lines where numba is missing.
"""

from __future__ import annotations

from millhand_logistics.schedule.jit import jit
from millhand_logistics.schedule.tables import Built, Scratch, Tables


@jit
def advance(t: Tables, m: int, moment: int, time: int, whole: int) -> tuple[int, int]:
    """Return when work of ``time`` that may begin at ``moment`` begins and ends on a machine."""
    first, last = t.cal_ptr[m], t.cal_ptr[m + 1] - 1
    if last < first:
        return moment, moment + time
    low, high = first, last
    while low < high:
        middle = (low + high) // 2
        if t.cal_end[middle] > moment:
            high = middle
        else:
            low = middle + 1
    begin = max(moment, t.cal_start[low])
    if whole == 1:
        while low < last and t.cal_end[low] - begin < time:
            low += 1
            begin = t.cal_start[low]
        return begin, begin + time
    at, left = begin, time
    while low < last and t.cal_end[low] - at < left:
        left -= t.cal_end[low] - at
        low += 1
        at = t.cal_start[low]
    return begin, at + left


@jit
def setup_time(t: Tables, m: int, before: int, after: int) -> int:
    """Return the time to set a machine up from one family for another."""
    if before < 0 or after < 0:
        return 0
    found: int = t.setup[(m * t.families + before) * t.families + after]
    return found


@jit
def place(t: Tables, s: Scratch, o: int, a: int) -> tuple[int, int, int, int, int]:
    """Append an operation to a machine: start, end, its set-up's start and end, next fixed one.

    Time before a fixed operation is used where operation and the fixed one's set-up fit.
    """
    m = t.alt_machine[a]
    at, family, pin = s.free[m], s.family[m], s.pin[m]
    while True:
        setup_start, setup_end = at, at
        time = setup_time(t, m, family, t.family[o])
        if time > 0:
            setup_start, setup_end = advance(t, m, at, time, 0)
        start, end = advance(t, m, max(s.ready[o], setup_end), t.alt_time[a], t.whole[o])
        if pin >= t.pin_ptr[m + 1]:
            break
        fixed = t.pin_op[pin]
        time = setup_time(t, m, t.family[o] if t.family[o] >= 0 else family, t.family[fixed])
        done = end
        if time > 0:
            _, done = advance(t, m, end, time, 0)
        if done <= t.fixed_start[fixed]:
            break
        at = max(at, t.fixed_end[fixed])
        if t.family[fixed] >= 0:
            family = t.family[fixed]
        pin += 1
    return start, end, setup_start, setup_end, pin


@jit
def pass_fixed(t: Tables, s: Scratch, m: int) -> None:
    """Leave behind what is fixed on a machine and begins before anything else can."""
    while s.pin[m] < t.pin_ptr[m + 1]:
        o = t.pin_op[s.pin[m]]
        if t.fixed_start[o] > t.machine_ready[m]:
            break
        s.free[m] = max(s.free[m], t.fixed_end[o])
        if t.family[o] >= 0:
            s.family[m] = t.family[o]
        s.pin[m] += 1


@jit
def begin(t: Tables, s: Scratch, out: Built) -> int:
    """Open the shop and place what is fixed; return how many that are."""
    out.broken[0] = 0
    done = 0
    for m in range(t.machines):
        s.free[m], s.family[m], s.pin[m] = t.machine_ready[m], t.machine_family[m], t.pin_ptr[m]
        s.load[m] = 0
        pass_fixed(t, s, m)
    for o in range(t.operations):
        s.waits_for[o] = t.pred_ptr[o + 1] - t.pred_ptr[o]
        s.ready[o] = t.release[o]
    for o in range(t.operations):
        if t.fixed[o] == 0:
            s.load[t.quickest_machine[o]] += t.quickest[o]
            continue
        out.start[o], out.end[o], out.machine[o] = (
            t.fixed_start[o],
            t.fixed_end[o],
            t.fixed_machine[o],
        )
        out.setup_start[o], out.setup_end[o] = t.fixed_start[o], t.fixed_start[o]
        out.sequence[done] = o
        done += 1
        for i in range(t.succ_ptr[o], t.succ_ptr[o + 1]):
            after = t.succ[i]
            s.waits_for[after] -= 1
            s.ready[after] = max(s.ready[after], t.fixed_end[o])
            if t.fixed[after] == 1 and t.fixed_start[after] < t.fixed_end[o]:
                out.broken[0] += 1
    return done


@jit
def commit(t: Tables, s: Scratch, out: Built, o: int, done: int) -> int:
    """Place an operation and return its machine."""
    m: int = t.alt_machine[s.alt[o]]
    out.start[o], out.end[o], out.machine[o] = s.start[o], s.end[o], m
    out.setup_start[o], out.setup_end[o] = s.setup_start[o], s.setup_end[o]
    out.sequence[done] = o
    leave_behind(t, s, out, m, s.next_pin[o])
    if t.family[o] >= 0:
        s.family[m] = t.family[o]
    s.free[m] = s.end[o]
    s.load[t.quickest_machine[o]] -= t.quickest[o]
    return m


@jit
def leave_behind(t: Tables, s: Scratch, out: Built, m: int, upto: int) -> None:
    """Pass fixed operations of a machine; those that it cannot be set up for in time are broken."""
    for i in range(s.pin[m], upto):
        o = t.pin_op[i]
        ready = s.free[m]
        time = setup_time(t, m, s.family[m], t.family[o])
        if time > 0:
            _, ready = advance(t, m, ready, time, 0)
        if ready > t.fixed_start[o]:
            out.broken[0] += 1
        s.free[m] = max(s.free[m], t.fixed_end[o])
        if t.family[o] >= 0:
            s.family[m] = t.family[o]
    s.pin[m] = upto
