"""The student's own plans: its best guess and samples, from either end of the shop."""

from __future__ import annotations

from collections.abc import Iterator

from millhand_logistics.schedule.mirror import mirrored, turned
from millhand_logistics.schedule.policy import Policy
from millhand_logistics.schedule.problem import Problem
from millhand_logistics.schedule.simulate import Plan, simulate

STUDENT, SAMPLE = "student", "student, sampled"
SHARPNESS = 2.0
"""How much surer than it learnt to be the student is when it draws; chosen on random shops."""


def own_plans(problem: Problem, policy: Policy, samples: int = 0, seed: int = 0) -> Iterator[Plan]:
    """Yield the student's best guess, then those of its other plans that cost less than any before.

    Where the shop can be planned from its end, a second guess begins there, and every other sample.

    Args:
        problem: what is to be planned.
        policy: the student.
        samples: plans drawn beside the best guesses.
        seed: of the draws.
    """
    drawing = policy.sharpened(SHARPNESS)
    best = simulate(problem, policy.choose(problem), STUDENT)
    yield best
    mirror = mirrored(problem)
    draws = [(False, seed * 1_000_003 + number + 1) for number in range(samples)]
    if mirror is not None:
        draws = [(True, 0), *((number % 2 == 0, draw) for number, (_, draw) in enumerate(draws))]
    for backwards, draw in draws:
        shop = mirror if backwards and mirror is not None else problem
        source = SAMPLE if draw else STUDENT
        found = simulate(shop, (drawing if draw else policy).choose(shop, draw), source)
        if found.cost < best.cost:
            best = turned(problem, found) if backwards else found
            yield best
