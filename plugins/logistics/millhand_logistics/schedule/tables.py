"""The tables that the builder works on: flat, so that compiled and interpreted code share them.

All times are whole ticks from the problem's origin. Tables hold numpy arrays for the compiled
builder and lists for the interpreted one, which is why their types are open.
"""

from __future__ import annotations

from typing import Any, NamedTuple

FEATURES = 27
"""Figures that the dispatching network sees of each candidate."""
HIDDEN, HIDDEN_2 = 32, 24
"""Widths of the network's two layers."""

NO_FAMILY = -1
ANY_MACHINE = -1


class Tables(NamedTuple):
    """A problem. Indices: operation ``o``, order ``j``, machine ``m``, alternative ``a``."""

    operations: int
    orders: int
    machines: int
    families: int
    # by operation
    order: Any
    family: Any
    """Set-up family, or :data:`NO_FAMILY`."""
    whole: Any
    """1 where it must not be interrupted by time in which the machine does not work."""
    release: Any
    pred_ptr: Any
    pred: Any
    succ_ptr: Any
    succ: Any
    alt_ptr: Any
    alt_machine: Any
    alt_time: Any
    """Working time."""
    quickest: Any
    """Shortest time over the alternatives."""
    quickest_machine: Any
    tail: Any
    """Longest path of quickest times after the operation, without it."""
    tail_count: Any
    """Operations on that path."""
    # operations whose place is given (started, pinned, frozen)
    fixed: Any
    fixed_machine: Any
    fixed_start: Any
    fixed_end: Any
    # by order
    due: Any
    """-1 for none."""
    weight: Any
    """Thousandths."""
    # by machine
    machine_ready: Any
    machine_family: Any
    cal_ptr: Any
    cal_start: Any
    cal_end: Any
    """Working intervals, in order and apart; a machine without any works always."""
    pin_ptr: Any
    pin_op: Any
    """Fixed operations by machine in order of their start."""
    setup: Any
    """``[m * families² + from * families + to]``."""
    # scales of the network's features
    mean_time: float
    most_count: int
    mean_weight: float


class Choice(NamedTuple):
    """How the builder chooses among candidates."""

    style: int
    score: int
    delta: int
    """Thousandths between non-delay (0) and active (1000) schedules."""
    priority: Any
    """By operation, lowest first; for :data:`STATIC`."""
    use_machine: Any
    """By operation; :data:`ANY_MACHINE` leaves it to the earliest completion."""
    seed: int
    """0: the best score wins; else scores are sampled from."""
    w1: Any
    """``[feature][unit]``."""
    b1: Any
    w2: Any
    """``[unit][unit2]``; first the candidate's units, then the mean's."""
    b2: Any
    w3: Any


class Goal(NamedTuple):
    """Prices of a tick, as :class:`~millhand_logistics.schedule.problem.Objective` has them."""

    makespan: int
    tardiness: int
    flow: int
    setup: int


BROKEN = 1 << 44
"""Cost of a fixed operation that begins before what it needs is done: more than any delay."""


class Built(NamedTuple):
    """What the builder writes, by operation."""

    start: Any
    end: Any
    machine: Any
    setup_start: Any
    setup_end: Any
    sequence: Any
    """Operations in the order in which they were placed; fixed ones first."""
    broken: Any
    """One number: fixed operations that begin before what they need is done."""


class Record(NamedTuple):
    """Choices made, for training: rows of features, where each choice begins, which was taken."""

    rows: Any
    begins: Any
    taken: Any
    count: Any
    """Two numbers: choices and rows so far; -1 choices: do not record."""


SERIAL, ACTIVE, NON_DELAY = 0, 1, 2
"""Styles. Serial: the best score of all that are ready is appended. Active: Giffler and Thompson
(1960). Non-delay: no machine waits while work is ready for it."""

MOST_WORK, MOST_OPERATIONS, SHORTEST, FIRST_COME, EARLIEST_DUE, LEAST_SLACK, ATCS, SHARE = range(8)
"""Rules by their usual names: MWKR, MOPNR, SPT, FIFO, EDD, slack, ATCS (Lee, Bhaskaran and Pinedo
1997), SPT/TWKR."""
STATIC, NETWORK = 100, 200


class Scratch(NamedTuple):
    """Working memory of one build, by operation unless said otherwise."""

    waits_for: Any
    ready: Any
    eligible: Any
    alt: Any
    start: Any
    end: Any
    setup_start: Any
    setup_end: Any
    next_pin: Any
    candidate: Any
    slot: Any
    """Place among those ready."""
    slot_machine: Any
    """By place among those ready, so that they are read in a row: where, when, what is left."""
    slot_start: Any
    slot_end: Any
    slot_left: Any
    score: Any
    x: Any
    h: Any
    shared: Any
    """By unit of the second layer: what all candidates of a choice have in common, and one's."""
    g: Any
    free: Any
    """By machine: when it is free."""
    family: Any
    pin: Any
    """By machine: the next fixed operation, as a place in ``pin_op``."""
    load: Any
    queue: Any
    mean: Any


class Search(NamedTuple):
    """Working memory of the search by small changes, by operation unless said otherwise."""

    sequence: Any
    """By place: operations whose place is not given, each after what it waits for."""
    trial: Any
    """The same, changed."""
    place: Any
    machine: Any
    chain: Any
    """Operations that the cost hangs on, one after another."""
    stack: Any
    mark: Any
    before: Any
    """The operation before, on the same machine; -1 for none."""
    line: Any
    done: Any
    """By order: when it is done."""
    last: Any
    """By machine: the operation seen last."""
    best_sequence: Any
    best_machine: Any
    history: Any
    """By number of the change, over and over: what the plan cost then."""
