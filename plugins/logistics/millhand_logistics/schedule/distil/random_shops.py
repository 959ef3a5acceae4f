"""Random shops to learn from and to test on, drawn by seed."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from millhand_logistics.schedule.instances import job_shop
from millhand_logistics.schedule.problem import (
    Machine,
    Objective,
    Operation,
    Order,
    Problem,
)
from millhand_logistics.schedule.tables import NO_FAMILY

SIZES = ((10, 10), (15, 10), (15, 15), (20, 10), (20, 15), (20, 20), (30, 10), (30, 15), (30, 20))
"""Orders and machines of classical shops."""


def classical(seed: int, size: tuple[int, int] | None = None) -> Problem:
    """Draw a job shop as Taillard (1993) did: times 1 to 99, each order once on each machine."""
    draw = np.random.default_rng(seed)
    orders, machines = size or SIZES[int(draw.integers(len(SIZES)))]
    times = draw.integers(1, 100, (orders, machines)).tolist()
    return job_shop(times, [draw.permutation(machines).tolist() for _ in range(orders)])


def everyday(seed: int, size: tuple[int, int] | None = None) -> Problem:
    """Draw a shop with alternatives, set-up families, shifts, releases, due dates and weights.

    One tick is a minute. The objective is weighted tardiness with a little makespan.
    """
    draw = np.random.default_rng(seed)
    orders, machines = size or (int(draw.integers(5, 31)), int(draw.integers(3, 11)))
    families = int(draw.integers(1, 5))
    setup = draw.integers(5, 61, (machines, families, families))
    setup[:, range(families), range(families)] = 0
    operations: list[Operation] = []
    listed: list[Order] = []
    load = 0.0
    for j in range(orders):
        release = int(draw.integers(0, 600)) if draw.random() < 0.3 else 0
        steps = int(draw.integers(1, min(machines, 8) + 1))
        for k in range(steps):
            operations.append(_operation(draw, j, k, len(operations), machines, families, release))
        work = sum(o.alternatives[0][1] for o in operations[-steps:])
        load += work / machines
        due = release + int((work + load * draw.uniform(0.2, 1.5)) * 2.2)
        listed.append(Order(str(j), due, int(draw.choice([1000, 1000, 2000, 5000]))))
    days = 8 + int(6 * load / 480)
    return Problem(
        tuple(operations),
        tuple(listed),
        tuple(_machine(draw, m, days, families) for m in range(machines)),
        setup,
        Objective(makespan=1, tardiness=5),
    )


def _operation(
    draw: np.random.Generator,
    j: int,
    k: int,
    index: int,
    machines: int,
    families: int,
    release: int,
) -> Operation:
    time = int(draw.integers(10, 181))
    count = min(machines, 1 + int(draw.random() < 0.4) + int(draw.random() < 0.15))
    chosen = draw.choice(machines, count, replace=False).tolist()
    alternatives = [(m, max(1, int(time * draw.uniform(0.8, 1.4)))) for m in chosen]
    return Operation(
        f"{j}.{k}",
        j,
        tuple(alternatives),
        (index - 1,) if k else (),
        family=int(draw.integers(families)) if draw.random() < 0.8 else NO_FAMILY,
        whole=bool(draw.random() < 0.3),
        release=release,
    )


def _machine(draw: np.random.Generator, m: int, days: int, families: int) -> Machine:
    if draw.random() < 0.3:
        return Machine(str(m), family=int(draw.integers(families)))
    length = int(draw.choice([480, 900]))
    intervals = tuple((day * 1440, day * 1440 + length) for day in range(days))
    return Machine(str(m), family=int(draw.integers(families)), intervals=intervals)


KINDS: dict[str, Callable[[int], Problem]] = {"classical": classical, "everyday": everyday}
"""Kinds of random shops by name; each takes a seed."""
