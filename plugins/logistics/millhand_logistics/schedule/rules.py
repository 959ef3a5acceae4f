"""Ways to choose: the classical rules, and an order that is given."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from numpy.typing import ArrayLike

from millhand_logistics.schedule.problem import Problem
from millhand_logistics.schedule.tables import (
    ACTIVE,
    ANY_MACHINE,
    ATCS,
    EARLIEST_DUE,
    FIRST_COME,
    LEAST_SLACK,
    MOST_OPERATIONS,
    MOST_WORK,
    NON_DELAY,
    SERIAL,
    SHARE,
    SHORTEST,
    STATIC,
    Choice,
)

_EMPTY, _TABLE = np.zeros(1), np.zeros((1, 1))

RULES: dict[str, tuple[int, int]] = {
    "MWKR": (MOST_WORK, NON_DELAY),
    "MWKR, active": (MOST_WORK, ACTIVE),
    "MOPNR": (MOST_OPERATIONS, NON_DELAY),
    "SPT": (SHORTEST, NON_DELAY),
    "FIFO": (FIRST_COME, NON_DELAY),
    "EDD": (EARLIEST_DUE, NON_DELAY),
    "slack": (LEAST_SLACK, NON_DELAY),
    "ATCS": (ATCS, NON_DELAY),
    "SPT/TWKR": (SHARE, NON_DELAY),
}
"""The rules that every plan is held against: the eight usual variants, and the one of the field
that is best on classical shops. Name to score and style."""


def choice(
    problem: Problem,
    style: int,
    score: int,
    *,
    priority: ArrayLike | None = None,
    use_machine: ArrayLike | None = None,
) -> Choice:
    """Make a way to choose without a network."""
    n = problem.tables.operations
    return Choice(
        style=style,
        score=score,
        delta=1000,
        priority=np.zeros(n) if priority is None else np.asarray(priority, np.float64),
        use_machine=(
            np.full(n, ANY_MACHINE, np.int64)
            if use_machine is None
            else np.asarray(use_machine, np.int64)
        ),
        seed=0,
        w1=_TABLE,
        b1=_EMPTY,
        w2=_TABLE,
        b2=_EMPTY,
        w3=_EMPTY,
    )


def rule(problem: Problem, name: str) -> Choice:
    """Return one of :data:`RULES`."""
    score, style = RULES[name]
    return choice(problem, style, score)


def every_rule(problem: Problem) -> Iterator[tuple[str, Choice]]:
    """Yield every rule with its name."""
    for name in RULES:
        yield name, rule(problem, name)


def in_order(problem: Problem, priority: ArrayLike, use_machine: ArrayLike) -> Choice:
    """Append operations as ``priority`` says (lowest first among those ready), machines as given.

    With the starts and machines of a plan this gives that plan, moved to the left where it can be
    and to the right where it must: the *right-shift* of a plan that was disturbed.
    """
    return choice(problem, SERIAL, STATIC, priority=priority, use_machine=use_machine)


def by_priority(problem: Problem, priority: ArrayLike) -> Choice:
    """Choose within the conflict set as ``priority`` says, lowest first."""
    return choice(problem, ACTIVE, STATIC, priority=priority)
