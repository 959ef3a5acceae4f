"""Choosing among the operations that are ready: who is a candidate, and how each is scored.

Candidates come from Giffler and Thompson's conflict set, for alternatives as well: of each ready
operation the alternative that ends first. Compiled like :mod:`placing`.
"""

from __future__ import annotations

import math
from typing import Any

from millhand_logistics.schedule.jit import jit
from millhand_logistics.schedule.tables import (
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
    Choice,
    Scratch,
    Tables,
)

_FAR = 1 << 60


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
