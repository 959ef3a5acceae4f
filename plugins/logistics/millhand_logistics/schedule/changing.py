"""The search by small changes, compiled like :mod:`placing`: change a sequence, place it, keep it.

A plan is a sequence of operations, each after what it waits for, with a machine for each. Placing
it takes no choices, so that a change costs one pass over the operations.
"""

from __future__ import annotations

from typing import Any

from millhand_logistics.schedule.jit import jit
from millhand_logistics.schedule.placing import begin, leave_behind, place
from millhand_logistics.schedule.tables import BROKEN, Built, Goal, Scratch, Search, Tables

_PRIME = 2147483647
_OF_CHAIN = 0.9
"""Share of the draws that are of the chain."""
_BACK = 12
"""Places in its machine's line that an operation may jump ahead."""
_OTHER_MACHINE, _AND_EARLIER = 0.5, 0.7


@jit
def place_sequence(t: Tables, s: Scratch, out: Built, sequence: Any, machine: Any) -> None:
    """Place operations in turn, each on its machine, into ``out``."""
    done = begin(t, s, out)
    for k in range(t.operations - done):
        o = sequence[k]
        m = machine[o]
        a = t.alt_ptr[o]
        while t.alt_machine[a] != m:
            a += 1
        start, end, setup_start, setup_end, pin = place(t, s, o, a)
        out.start[o], out.end[o], out.machine[o] = start, end, m
        out.setup_start[o], out.setup_end[o] = setup_start, setup_end
        out.sequence[done + k] = o
        leave_behind(t, s, out, m, pin)
        if t.family[o] >= 0:
            s.family[m] = t.family[o]
        s.free[m] = end
        for i in range(t.succ_ptr[o], t.succ_ptr[o + 1]):
            after = t.succ[i]
            s.ready[after] = max(s.ready[after], end)
            if t.fixed[after] == 1 and end > t.fixed_start[after]:
                out.broken[0] += 1
    for m in range(t.machines):
        leave_behind(t, s, out, m, t.pin_ptr[m + 1])


@jit
def cost_of(t: Tables, goal: Goal, out: Built, done: Any) -> int:
    """Return what a plan costs, as :func:`~millhand_logistics.schedule.simulate.priced` says."""
    cost: int = out.broken[0] * BROKEN
    makespan = 0
    for j in range(t.orders):
        done[j] = 0
    for o in range(t.operations):
        done[t.order[o]] = max(done[t.order[o]], out.end[o])
        makespan = max(makespan, out.end[o])
        if goal.setup > 0:
            cost += 1000 * goal.setup * (out.setup_end[o] - out.setup_start[o])
    cost += 1000 * goal.makespan * makespan
    for j in range(t.orders):
        if t.due[j] >= 0 and done[j] > t.due[j]:
            cost += goal.tardiness * (done[j] - t.due[j]) * t.weight[j]
        if goal.flow > 0:
            cost += goal.flow * done[j] * t.weight[j]
    return cost


@jit
def look_back(w: Search, out: Built, p: int, moment: int, waiting: int) -> int:
    """Put an operation that ends at a moment among those to follow back; return how many wait."""
    if out.end[p] != moment or w.mark[p] == 1:
        return waiting
    w.stack[waiting], w.mark[p] = p, 1
    return waiting + 1


@jit
def find_chain(t: Tables, out: Built, w: Search, count: int) -> int:
    """Write the movable operations that the cost hangs on into ``w.chain``; return how many.

    Each ends when the next one begins, down to the last of an order that is late or last.
    """
    waiting, found = find_ends(t, out, w), 0
    for m in range(t.machines):
        w.last[m] = -1
    for k in range(count):
        o = w.sequence[k]
        m = w.machine[o]
        w.before[o], w.last[m] = w.last[m], o
    while waiting > 0:
        waiting -= 1
        o = w.stack[waiting]
        for i in range(t.pred_ptr[o], t.pred_ptr[o + 1]):
            waiting = look_back(w, out, t.pred[i], out.start[o], waiting)
        free = out.start[o]
        if out.setup_end[o] > out.setup_start[o]:
            free = out.setup_start[o]
        m = out.machine[o]
        for i in range(t.pin_ptr[m], t.pin_ptr[m + 1]):
            waiting = look_back(w, out, t.pin_op[i], free, waiting)
        if t.fixed[o] == 0:
            w.chain[found] = o
            found += 1
            if w.before[o] >= 0:
                waiting = look_back(w, out, w.before[o], free, waiting)
    return found


@jit
def find_ends(t: Tables, out: Built, w: Search) -> int:
    """Write the last operations of orders that are late or last into ``w.stack``."""
    makespan, waiting = 0, 0
    for o in range(t.operations):
        w.mark[o] = 0
        makespan = max(makespan, out.end[o])
    for o in range(t.operations):
        j = t.order[o]
        late = t.due[j] >= 0 and w.done[j] > t.due[j]
        if late or w.done[j] == makespan:
            waiting = look_back(w, out, o, w.done[j], waiting)
    return waiting


@jit
def another_machine(t: Tables, w: Search, o: int, draw: float) -> int:
    """Return a machine that can do an operation and is not its own."""
    others = t.alt_ptr[o + 1] - t.alt_ptr[o] - 1
    number = int(draw * others)
    for a in range(t.alt_ptr[o], t.alt_ptr[o + 1]):
        if t.alt_machine[a] == w.machine[o]:
            continue
        if number == 0:
            return int(t.alt_machine[a])
        number -= 1
    return int(w.machine[o])


@jit
def place_ahead(w: Search, o: int, m: int, draw: float) -> int:
    """Return the place of one of those that come before an operation on a machine; -1: none."""
    count, k = 0, w.place[o] - 1
    while k >= 0 and count < _BACK:
        if w.machine[w.sequence[k]] == m:
            w.line[count] = k
            count += 1
        k -= 1
    if count == 0:
        return -1
    return int(w.line[int(draw * count)])


@jit
def move_ahead(t: Tables, w: Search, o: int, to: int, count: int) -> bool:
    """Write the sequence with an operation moved to a place, and with it what it waits for.

    False where what stands there is waited for itself.
    """
    at = w.place[o]
    for k in range(to, at):
        w.mark[w.sequence[k]] = 0
    w.mark[o] = 1
    for k in range(at, to - 1, -1):
        x = w.sequence[k]
        if w.mark[x] == 1:
            for i in range(t.pred_ptr[x], t.pred_ptr[x + 1]):
                w.mark[t.pred[i]] = 1
    if w.mark[w.sequence[to]] == 1:
        return False
    for k in range(count):
        w.trial[k] = w.sequence[k]
    put = to
    for wanted in (1, 0):
        for k in range(to, at + 1):
            x = w.sequence[k]
            if w.mark[x] == wanted:
                w.trial[put] = x
                put += 1
    return True


@jit
def draw_change(
    t: Tables, w: Search, seed: int, chain: int, count: int
) -> tuple[int, int, int, int]:
    """Draw an operation, a machine for it and a place ahead (-1: its own), and the next seed."""
    seed = seed * 48271 % _PRIME
    of_chain = chain > 0 and seed < _OF_CHAIN * _PRIME
    seed = seed * 48271 % _PRIME
    o = w.chain[seed % chain] if of_chain else w.sequence[seed % count]
    m = w.machine[o]
    seed = seed * 48271 % _PRIME
    other = t.alt_ptr[o + 1] - t.alt_ptr[o] > 1 and seed < _OTHER_MACHINE * _PRIME
    if other:
        seed = seed * 48271 % _PRIME
        m = another_machine(t, w, o, seed / _PRIME)
    seed = seed * 48271 % _PRIME
    if other and seed >= _AND_EARLIER * _PRIME:
        return o, m, -1, seed
    seed = seed * 48271 % _PRIME
    return o, m, place_ahead(w, o, m, seed / _PRIME), seed


@jit
def keep(w: Search, best_sequence: Any, best_machine: Any, count: int) -> None:
    """Note the present plan as the best."""
    for k in range(count):
        o = w.sequence[k]
        best_sequence[k], best_machine[o] = o, w.machine[o]


@jit
def search(t: Tables, goal: Goal, s: Scratch, w: Search, out: Built, tries: int, seed: int) -> None:
    """Try changes from ``w.sequence`` and ``w.machine`` on; leave the best plan in them.

    A change is kept where it costs no more than now, or than some changes ago (late acceptance,
    Burke and Bykov 2017), so that the search gets out of where no single change helps.
    """
    count = t.operations - begin(t, s, out)
    for k in range(count):
        w.place[w.sequence[k]] = k
    place_sequence(t, s, out, w.sequence, w.machine)
    now = cost_of(t, goal, out, w.done)
    best = now
    keep(w, w.best_sequence, w.best_machine, count)
    chain = find_chain(t, out, w, count)
    memory = len(w.history)
    for i in range(memory):
        w.history[i] = now
    for i in range(tries):
        o, m, to, seed = draw_change(t, w, seed, chain, count)
        moved = to >= 0 and move_ahead(t, w, o, to, count)
        was = w.machine[o]
        if not moved and m == was:
            continue
        w.machine[o] = m
        place_sequence(t, s, out, w.trial if moved else w.sequence, w.machine)
        cost = cost_of(t, goal, out, w.done)
        if cost > now and cost > w.history[i % memory]:
            w.machine[o] = was
        else:
            now = cost
            if moved:
                at = w.place[o]
                for k in range(to, at + 1):
                    w.sequence[k] = w.trial[k]
                    w.place[w.trial[k]] = k
            chain = find_chain(t, out, w, count)
            if now < best:
                best = now
                keep(w, w.best_sequence, w.best_machine, count)
        w.history[i % memory] = min(now, w.history[i % memory])
    for k in range(count):
        o = w.best_sequence[k]
        w.sequence[k], w.machine[o] = o, w.best_machine[o]
