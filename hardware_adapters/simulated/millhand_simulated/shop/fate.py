"""What befalls a shop whatever its planner does: true times and breakdowns, drawn by seed."""

from __future__ import annotations

from hashlib import sha256

import numpy as np

from millhand_simulated.shop.config import JobShopConfig

_LONGEST_S = 30 * 86400.0


def true_time(config: JobShopConfig, order: str, operation: str, planned_s: float) -> float:
    """Return how long an operation really takes, on whichever machine: near its planned time."""
    draw = np.random.default_rng([config.seed, *_number(f"{order}/{operation}")])
    return planned_s * (1 + config.spread * draw.uniform(-1, 1))


def breakdowns(config: JobShopConfig, machine: str) -> list[tuple[float, float]]:
    """Return a machine's breakdowns as begin and end, in seconds after the opening."""
    draw = np.random.default_rng([config.seed, *_number(machine)])
    found, at = [], 0.0
    while at < _LONGEST_S:
        at += draw.exponential(config.breakdown_every)
        end = at + config.repair * draw.uniform(0.5, 1.5)
        found.append((at, end))
        at = end
    return found


def is_down(spans: list[tuple[float, float]], at: float) -> bool:
    """Whether a machine is down at a moment."""
    return any(begin <= at < end for begin, end in spans if begin <= at)


def _number(text: str) -> list[int]:
    """Turn a name into numbers for a seed; the same on every machine."""
    return list(sha256(text.encode()).digest()[:8])
