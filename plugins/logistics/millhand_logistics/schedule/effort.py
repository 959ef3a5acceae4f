"""From the time there is to counts of work by a fixed table: plans do not depend on the load."""

from __future__ import annotations

from millhand_logistics.schedule.jit import COMPILED
from millhand_logistics.schedule.propose import Effort

RULES_US = 12 if COMPILED else 300
"""Microseconds for each operation that the rules take, together; measured on a slow core."""
SAMPLE_US = 3 if COMPILED else 300
MOST_SAMPLES = 128
TRY_US = 0.05 if COMPILED else 5
"""Of one small change and its pricing."""
MOST_TRIES = 100_000
_SHARE = 0.6
"""Of the time; the rest is for reading, checking and a busy processor."""


def effort_within(
    seconds: float, operations: int, *, twice: bool = False, solver: float = 0.0
) -> Effort:
    """Return as many samples as fit into half of a time, and small changes in what is left.

    Args:
        seconds: time for a plan.
        operations: of the shop.
        twice: whether candidates are drawn twice, as where promises are kept.
        solver: CP-SAT's deterministic time, beside.
    """
    rounds = 2 if twice else 1
    many = max(operations, 1)
    left_us = seconds * 1e6 * _SHARE - rounds * RULES_US * operations
    samples = min(max(int(left_us / 2 / (rounds * SAMPLE_US * many)), 0), MOST_SAMPLES)
    left_us -= rounds * samples * SAMPLE_US * many
    tries = min(max(int(left_us / (TRY_US * many)), 0), MOST_TRIES)
    return Effort(samples=samples, tries=tries, solver=solver)
