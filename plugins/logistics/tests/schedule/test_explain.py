"""Reasons: what binds each start, and what waiting would cost."""

from __future__ import annotations

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from millhand_logistics.schedule.check import faults
from millhand_logistics.schedule.distil.random_shops import everyday
from millhand_logistics.schedule.explain import Bind, cost_of_waiting, reason, words
from millhand_logistics.schedule.problem import Machine, Operation, Order, Problem
from millhand_logistics.schedule.rules import in_order, rule
from millhand_logistics.schedule.simulate import simulate


def test_each_kind_of_reason() -> None:
    setup = np.zeros((2, 2, 2), np.int64)
    setup[1, 0, 1] = 4
    problem = Problem(
        (
            Operation("a", 0, ((0, 5),), release=1),
            Operation("b", 0, ((1, 2),), after=(0,), family=0),
            Operation("c", 1, ((0, 3),)),
            Operation("d", 1, ((1, 2),), after=(2,), family=1),
            Operation("e", 2, ((0, 3),), whole=True),
        ),
        (Order("x"), Order("y"), Order("z")),
        (Machine("m", intervals=((0, 10), (20, 99))), Machine("n", family=1)),
        setup,
    )
    plan = simulate(problem, in_order(problem, [1, 2, 0, 3, 4], [0, 1, 0, 1, 0]))
    found = {o.name: reason(problem, plan, i) for i, o in enumerate(problem.operations)}
    assert plan.start.tolist() == [3, 8, 0, 14, 20]
    assert [found[n].bind for n in "abcde"] == [
        Bind.MACHINE,
        Bind.BEFORE,
        Bind.RELEASE,
        Bind.SETUP,
        Bind.BREAK,
    ]
    assert words(problem, found["a"]) == "the machine does c first"


@settings(max_examples=25, deadline=None)
@given(st.integers(0, 10_000))
def test_waiting_is_priced_as_the_simulation_prices_it(seed: int) -> None:
    problem = everyday(seed, (6, 3))
    plan = simulate(problem, rule(problem, "ATCS"))
    assert faults(problem, plan) == []
    costs = [cost_of_waiting(problem, plan, o) for o in range(len(problem.operations))]
    last = [o for o, cost in enumerate(costs) if cost is None]
    # Exactly the last operation of each machine that is used has nobody to wait for.
    assert len(last) == len(set(plan.machine.tolist()))
