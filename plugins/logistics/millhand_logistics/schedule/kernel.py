"""The builder: from a problem and a way to choose to a semi-active schedule.

Candidates come from Giffler and Thompson's conflict set, for alternatives as well: of each ready
operation the alternative that ends first. Written in the part of Python that numba compiles, on
flat tables, so that the interpreter runs the very same lines where numba is missing.
"""

from __future__ import annotations

import math
from typing import Any

from millhand_logistics.schedule.jit import jit
from millhand_logistics.schedule.tables import (
    ANY_MACHINE,
    ATCS,
    EARLIEST_DUE,
    FEATURES,
    FIRST_COME,
    HIDDEN,
    HIDDEN_2,
    LEAST_SLACK,
    MOST_OPERATIONS,
    MOST_WORK,
    NETWORK,
    NON_DELAY,
    SERIAL,
    SHORTEST,
    STATIC,
    Built,
    Choice,
    Record,
    Scratch,
    Tables,
)

_FAR = 1 << 60


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
def soonest(c: Choice, s: Scratch, ready: int) -> int:
    """Return the place of what ends first; in non-delay schedules of what begins first."""
    best = 0
    for i in range(1, ready):
        key, least = s.slot_end[i], s.slot_end[best]
        if c.style == NON_DELAY and s.slot_start[i] != s.slot_start[best]:
            key, least = s.slot_start[i], s.slot_start[best]
        if key < least or (key == least and s.eligible[i] < s.eligible[best]):
            best = i
    return best


@jit
def candidates(c: Choice, s: Scratch, ready: int) -> int:
    """Fill ``s.candidate`` with the operations to choose from and return how many they are."""
    if c.style == SERIAL:
        for i in range(ready):
            s.candidate[i] = s.eligible[i]
        return ready
    first = soonest(c, s, ready)
    m, end, earliest = s.slot_machine[first], s.slot_end[first], s.slot_start[first]
    for i in range(ready):
        if s.slot_machine[i] == m:
            earliest = min(earliest, s.slot_start[i])
    delta = 0 if c.style == NON_DELAY else c.delta
    room = delta * max(end - earliest - 1, 0)
    count = 0
    for i in range(ready):
        if s.slot_machine[i] == m and (s.slot_start[i] - earliest) * 1000 <= room:
            s.candidate[count] = s.eligible[i]
            count += 1
    return count


@jit
def rule_score(t: Tables, c: Choice, s: Scratch, o: int) -> float:
    """Score a candidate by a rule; the highest is taken."""
    time: int = t.alt_time[s.alt[o]]
    setup: int = s.setup_end[o] - s.setup_start[o]
    left: int = time + t.tail[o]
    due = t.due[t.order[o]]
    if c.score == MOST_WORK:
        return float(left)
    if c.score == MOST_OPERATIONS:
        return float(t.tail_count[o] + 1)
    if c.score == SHORTEST:
        return -float(time + setup)
    if c.score == FIRST_COME:
        return -float(s.ready[o])
    if c.score == EARLIEST_DUE:
        return -float(due if due >= 0 else _FAR)
    slack = float(due - s.start[o] - left) if due >= 0 else -float(left)
    if c.score == LEAST_SLACK:
        return -slack
    if c.score == ATCS:
        scale = 3.0 * t.mean_time
        urgency = math.exp(-max(slack, 0.0) / scale) * math.exp(-setup / (0.5 * t.mean_time))
        return float(t.weight[t.order[o]]) * urgency / max(time, 1)
    return -time / max(left, 1)


@jit
def postponed(t: Tables, s: Scratch, chosen: int, count: int) -> int:
    """Return when the last order would be done, at best, if the other candidates came second."""
    latest, end = 0, s.end[s.candidate[chosen]]
    for i in range(count):
        o = s.candidate[i]
        if i != chosen:
            latest = max(latest, max(end, s.start[o]) + t.alt_time[s.alt[o]] + t.tail[o])
    return latest


@jit
def features(t: Tables, s: Scratch, ready: int, count: int, done: int) -> None:
    """Write what the network sees of each candidate into ``s.x``."""
    bound, most_left, most_load = 1, 1, 1
    for m in range(t.machines):
        s.queue[m] = 0
        most_load = max(most_load, s.load[m])
    for i in range(ready):
        bound = max(bound, s.slot_end[i] + t.tail[s.eligible[i]])
        most_left = max(most_left, s.slot_left[i])
        s.queue[s.slot_machine[i]] += 1
    first, soonest, longest, together = s.start[s.candidate[0]], s.end[s.candidate[0]], 1, 1
    for i in range(count):
        o = s.candidate[i]
        first, soonest = min(first, s.start[o]), min(soonest, s.end[o])
        longest = max(longest, t.tail[o])
        together += t.alt_time[s.alt[o]]
    scale = t.mean_time
    for i in range(count):
        o = s.candidate[i]
        m, j = t.alt_machine[s.alt[o]], t.order[o]
        time, x = t.alt_time[s.alt[o]], s.x[i]
        x[0] = time / scale
        x[1] = (s.start[o] - first) / scale
        x[2] = (s.end[o] - soonest) / scale
        x[3] = t.tail[o] / longest
        x[4] = (time + t.tail[o]) / most_left
        x[5] = t.tail_count[o] / t.most_count
        x[6] = min((bound - s.end[o] - t.tail[o]) / (10.0 * scale), 4.0)
        x[7] = s.load[m] / most_load
        x[8] = min(max((s.free[m] + s.load[m] - bound) / (10.0 * scale), -3.0), 3.0)
        x[9] = min(count, 30) / 10.0
        x[10] = done / t.operations
        x[11] = (s.setup_end[o] - s.setup_start[o]) / scale
        slack = (t.due[j] - s.end[o] - t.tail[o]) / (10.0 * scale) if t.due[j] >= 0 else 3.0
        x[12] = min(max(slack, -3.0), 3.0)
        x[13] = t.weight[j] / t.mean_weight
        x[14] = min((s.start[o] - s.ready[o]) / scale, 10.0) / 5.0
        x[15] = t.tail[o] / max(t.tail_count[o], 1) / scale
        x[16] = (t.alt_ptr[o + 1] - t.alt_ptr[o] - 1) / t.machines
        x[17] = min((s.start[o] - s.free[m]) / scale, 10.0) / 5.0
        x[18] = time * count / together
        x[19] = min(max((postponed(t, s, i, count) - bound) / (10.0 * scale), -3.0), 3.0)
        for f in range(20, FEATURES):
            x[f] = 0.0
        if t.succ_ptr[o] == t.succ_ptr[o + 1]:
            x[20] = 1.0
            continue
        after = t.succ[t.succ_ptr[o]]
        n = t.quickest_machine[after]
        x[21] = t.quickest[after] / scale
        x[22] = s.load[n] / most_load
        x[23] = min(max((s.free[n] - s.end[o]) / scale, -3.0), 3.0)
        x[24] = s.queue[n] / 10.0
        x[25] = min(max((s.free[n] + s.load[n] - bound) / (10.0 * scale), -3.0), 3.0)
        if t.succ_ptr[after] < t.succ_ptr[after + 1]:
            n = t.quickest_machine[t.succ[t.succ_ptr[after]]]
            x[26] = min(max((s.free[n] - s.end[o]) / scale, -3.0), 3.0)


@jit
def weigh(values: Any, count: int, table: Any, first: int, base: Any, out: Any, width: int) -> None:
    """Write ``base + Σ values[f] * table[first + f]`` into ``out``; ``width`` is of eights.

    Eight sums at a time stay in a vector register, each added up in the order of ``f``, so that
    compiled and interpreted sums are the same to the last bit.
    """
    for u in range(0, width, 8):
        a, b, c, d = base[u], base[u + 1], base[u + 2], base[u + 3]
        e, f, g, h = base[u + 4], base[u + 5], base[u + 6], base[u + 7]
        for i in range(count):
            x, w = values[i], table[first + i]
            a += x * w[u]
            b += x * w[u + 1]
            c += x * w[u + 2]
            d += x * w[u + 3]
            e += x * w[u + 4]
            f += x * w[u + 5]
            g += x * w[u + 6]
            h += x * w[u + 7]
        out[u], out[u + 1], out[u + 2], out[u + 3] = a, b, c, d
        out[u + 4], out[u + 5], out[u + 6], out[u + 7] = e, f, g, h


@jit
def network(c: Choice, s: Scratch, count: int) -> None:
    """Score all candidates, each in the light of their mean, into ``s.score``."""
    for u in range(HIDDEN):
        s.mean[u] = 0.0
    for i in range(count):
        h = s.h[i]
        weigh(s.x[i], FEATURES, c.w1, 0, c.b1, h, HIDDEN)
        for u in range(HIDDEN):
            h[u] = max(h[u], 0.0)
            s.mean[u] += h[u]
    for u in range(HIDDEN):
        s.mean[u] /= count
    weigh(s.mean, HIDDEN, c.w2, HIDDEN, c.b2, s.shared, HIDDEN_2)
    for i in range(count):
        weigh(s.h[i], HIDDEN, c.w2, 0, s.shared, s.g, HIDDEN_2)
        score = 0.0
        for v in range(HIDDEN_2):
            score += max(s.g[v], 0.0) * c.w3[v]
        s.score[i] = score


@jit
def pick(t: Tables, c: Choice, s: Scratch, count: int, seed: int) -> tuple[int, int]:
    """Return the place of the best candidate, and the random state after it.

    Sampling adds Gumbel noise, which draws in proportion to the softmax of the scores.
    """
    if c.score == STATIC:
        for i in range(count):
            s.score[i] = -c.priority[s.candidate[i]]
    elif c.score != NETWORK:
        for i in range(count):
            s.score[i] = rule_score(t, c, s, s.candidate[i])
    best = -1
    for i in range(count):
        if seed > 0:
            seed = seed * 48271 % 2147483647
            s.score[i] -= math.log(-math.log(seed / 2147483647.0))
        if (
            best < 0
            or s.score[i] > s.score[best]
            or (s.score[i] == s.score[best] and s.candidate[i] < s.candidate[best])
        ):
            best = i
    return best, seed


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
def begin(t: Tables, c: Choice, s: Scratch, out: Built) -> tuple[int, int]:
    """Place what is fixed and find what is ready: how many of each."""
    out.broken[0] = 0
    done, ready = 0, 0
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
    for o in range(t.operations):
        if t.fixed[o] == 0 and s.waits_for[o] == 0:
            s.eligible[ready], s.slot[o] = o, ready
            ready += 1
            refresh(t, c, s, o)
    return done, ready


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
    done, ready = begin(t, c, s, out)
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
