"""The builder: from a problem and a way to choose to a semi-active schedule.

Compiled like :mod:`placing`, which it places with, and :mod:`choosing`, which it chooses with.
"""

from __future__ import annotations

from millhand_logistics.schedule.choosing import candidates, features, network, pick
from millhand_logistics.schedule.jit import jit
from millhand_logistics.schedule.placing import begin, commit, leave_behind, place
from millhand_logistics.schedule.tables import (
    ANY_MACHINE,
    FEATURES,
    NETWORK,
    Built,
    Choice,
    Record,
    Scratch,
    Tables,
)

_FAR = 1 << 60


@jit
def refresh(t: Tables, c: Choice, s: Scratch, o: int) -> None:
    """Find the alternative of a ready operation that ends first."""
    s.end[o] = _FAR
    for a in range(t.alt_ptr[o], t.alt_ptr[o + 1]):
        wanted = c.use_machine[o]
        if wanted != ANY_MACHINE and t.alt_machine[a] != wanted:
            continue
        start, end, setup_start, setup_end, pin = place(t, s, o, a)
        if end < s.end[o]:
            s.alt[o], s.start[o], s.end[o], s.next_pin[o] = a, start, end, pin
            s.setup_start[o], s.setup_end[o] = setup_start, setup_end
    i, chosen = s.slot[o], s.alt[o]
    s.slot_machine[i], s.slot_start[i], s.slot_end[i] = t.alt_machine[chosen], s.start[o], s.end[o]
    s.slot_left[i] = t.alt_time[chosen] + t.tail[o]


@jit
def find_ready(t: Tables, c: Choice, s: Scratch) -> int:
    """Find what waits for nothing; return how many that are."""
    ready = 0
    for o in range(t.operations):
        if t.fixed[o] == 0 and s.waits_for[o] == 0:
            s.eligible[ready], s.slot[o] = o, ready
            ready += 1
            refresh(t, c, s, o)
    return ready


@jit
def note(s: Scratch, r: Record, count: int, taken: int) -> None:
    """Record a choice for training."""
    choice, row = r.count[0], r.count[1]
    for i in range(count):
        for f in range(FEATURES):
            r.rows[row + i][f] = s.x[i][f]
    r.begins[choice], r.taken[choice] = row, taken
    r.count[0], r.count[1] = choice + 1, row + count


@jit
def release(t: Tables, c: Choice, s: Scratch, out: Built, o: int, ready: int) -> int:
    """Tell the successors of a placed operation; return how many are ready now."""
    for i in range(t.succ_ptr[o], t.succ_ptr[o + 1]):
        after = t.succ[i]
        if t.fixed[after] == 1:
            if out.end[o] > t.fixed_start[after]:
                out.broken[0] += 1
            continue
        s.waits_for[after] -= 1
        s.ready[after] = max(s.ready[after], out.end[o])
        if s.waits_for[after] == 0:
            s.eligible[ready], s.slot[after] = after, ready
            ready += 1
            refresh(t, c, s, after)
    return ready


@jit
def renew(t: Tables, c: Choice, s: Scratch, o: int, m: int, ready: int) -> int:
    """Take a placed operation out of those ready, and place anew all that its machine can do."""
    ready -= 1
    i, last = s.slot[o], s.eligible[ready]
    s.eligible[i], s.slot[last] = last, i
    s.slot_machine[i], s.slot_start[i] = s.slot_machine[ready], s.slot_start[ready]
    s.slot_end[i], s.slot_left[i] = s.slot_end[ready], s.slot_left[ready]
    simple = t.alt_ptr[t.operations] == t.operations
    for i in range(ready):
        if simple:
            if s.slot_machine[i] == m:
                refresh(t, c, s, s.eligible[i])
            continue
        other = s.eligible[i]
        for a in range(t.alt_ptr[other], t.alt_ptr[other + 1]):
            if t.alt_machine[a] == m:
                refresh(t, c, s, other)
                break
    return ready


@jit
def build(t: Tables, c: Choice, s: Scratch, r: Record, out: Built) -> int:
    """Build a whole schedule into ``out`` and return how many operations were placed."""
    done, ready = begin(t, s, out), find_ready(t, c, s)
    seed = c.seed
    recording = r.count[0] >= 0
    while ready > 0:
        count = candidates(c, s, ready)
        best = 0
        if count > 1:
            if c.score == NETWORK or recording:
                features(t, s, ready, count, done)
            if c.score == NETWORK:
                network(c, s, count)
            best, seed = pick(t, c, s, count, seed)
            if recording:
                note(s, r, count, best)
        o = s.candidate[best]
        m = commit(t, s, out, o, done)
        done += 1
        ready = renew(t, c, s, o, m, ready)
        ready = release(t, c, s, out, o, ready)
    for m in range(t.machines):
        leave_behind(t, s, out, m, t.pin_ptr[m + 1])
    return done
