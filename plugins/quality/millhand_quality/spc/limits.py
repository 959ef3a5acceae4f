"""Where a process lies and how it spreads when nothing special acts on it, and its limits."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

from millhand_quality.spc.constants import factors


@dataclass(frozen=True, slots=True)
class Limits:
    """Centre line and control limits of one chart, in the unit of what is charted."""

    centre: float
    lower: float
    upper: float


@dataclass(frozen=True, slots=True)
class Process:
    """Centre and spread of single values under common causes alone, charted ``n`` at a time.

    ``sigma`` comes from ranges within subgroups (moving ranges of two for single values), so
    that what shifts between them does not widen the limits.
    """

    centre: float
    sigma: float
    n: int

    @property
    def place(self) -> Limits:
        """Limits of the chart of single values, or of subgroup means."""
        reach = 3 * self.error
        return Limits(self.centre, self.centre - reach, self.centre + reach)

    @property
    def spread(self) -> Limits:
        """Limits of the chart of moving ranges, or of subgroup ranges."""
        known = factors(max(2, self.n))
        mean = known.d2 * self.sigma
        return Limits(mean, known.lower * mean, known.upper * mean)

    @property
    def error(self) -> float:
        """Standard error of what is charted."""
        return self.sigma / math.sqrt(self.n)

    def points(self, charted: Sequence[float]) -> list[float]:
        """Return charted values in standard errors from the centre."""
        return [(value - self.centre) / self.error for value in charted]


def study(values: Sequence[float], n: int) -> Process:
    """Return what a run of values says of its process.

    Args:
        values: in the order in which they were measured.
        n: size of a subgroup; 1 for single values, whose moving ranges are taken.

    Raises:
        ValueError: there are too few values, or they do not differ at all.
    """
    ranges = moving_ranges(values) if n == 1 else [max(g) - min(g) for g in groups(values, n)]
    if not ranges:
        raise ValueError(f"{len(values)} values are too few")
    whole = values if n == 1 else values[: len(ranges) * n]
    sigma = math.fsum(ranges) / len(ranges) / factors(max(2, n)).d2
    if not sigma > 0:
        raise ValueError("the values do not differ")
    return Process(math.fsum(whole) / len(whole), sigma, n)


def moving_ranges(values: Sequence[float]) -> list[float]:
    """Return how far each value lies from the one before."""
    return [abs(b - a) for a, b in pairwise(values)]


def groups(values: Sequence[float], n: int) -> list[Sequence[float]]:
    """Return full subgroups of ``n`` in order; what is left over is left out."""
    return [values[at : at + n] for at in range(0, len(values) - n + 1, n)]
