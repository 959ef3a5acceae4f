"""Whether a process can keep its tolerance: Cp and Cpk, with what so few values allow to say."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from statistics import NormalDist

from millhand_quality.spc.chi_square import chi_square_quantile


@dataclass(frozen=True, slots=True)
class Index:
    """A capability index with its two-sided interval."""

    value: float
    low: float
    high: float


@dataclass(frozen=True, slots=True)
class Capability:
    """Indices of a process; they mean something only while it is in control and normal."""

    items: int
    cp: Index | None
    """Tolerance over spread; None where it has one side."""
    cpk: Index


def capability(
    values: Sequence[float],
    lower: float | None,
    upper: float | None,
    confidence: float = 0.95,
) -> Capability:
    """Return Cp and Cpk by the standard deviation of ``values``.

    The interval of Cp is exact for normal values (chi-square); that of Cpk is Bissell's
    approximation ("How reliable is your capability index?", Applied Statistics 39 (1990),
    331–340).

    Args:
        values: of a process in control, at least two that differ.
        lower: lower tolerance, in the values' unit, or None.
        upper: upper tolerance, or None.
        confidence: of each interval.

    Raises:
        ValueError: there is no tolerance, or the values are too few or do not differ.
    """
    n = len(values)
    mean = math.fsum(values) / n if n else math.nan
    s = math.sqrt(math.fsum((v - mean) ** 2 for v in values) / (n - 1)) if n > 1 else 0.0
    sides = [upper - mean] if upper is not None else []
    sides += [mean - lower] if lower is not None else []
    if not sides or not s > 0:
        raise ValueError("capability needs a tolerance and values that differ")
    cp = None
    if lower is not None and upper is not None:
        cp = _cp((upper - lower) / (6 * s), n, confidence)
    return Capability(n, cp, _cpk(min(sides) / (3 * s), n, confidence))


def _cp(value: float, n: int, confidence: float) -> Index:
    tail, freedom = (1 - confidence) / 2, n - 1
    low = value * math.sqrt(chi_square_quantile(tail, freedom) / freedom)
    high = value * math.sqrt(chi_square_quantile(1 - tail, freedom) / freedom)
    return Index(value, low, high)


def _cpk(value: float, n: int, confidence: float) -> Index:
    z = NormalDist().inv_cdf((1 + confidence) / 2)
    reach = z * math.sqrt(1 / (9 * n) + value**2 / (2 * (n - 1)))
    return Index(value, value - reach, value + reach)
