"""The exact binomial interval: what a count of k in n says about the rate behind it.

Clopper and Pearson, "The use of confidence or fiducial limits illustrated in the case of the
binomial", Biometrika 26 (1934): it never promises more than it holds, however small the counts.
"""

from __future__ import annotations

import math

from msgspec import Struct

_TINY = 1e-300
_CLOSE = 1e-15
_MAX_TERMS = 10_000


class Share(Struct, frozen=True, kw_only=True):
    """``count`` of ``of``, with the two-sided interval of the rate at ``confidence``."""

    count: int
    of: int
    low: float
    high: float
    confidence: float

    @property
    def rate(self) -> float:
        """The rate seen, 0 to 1; 0 where there was nothing to count."""
        return self.count / self.of if self.of else 0.0

    def contains(self, rate: float) -> bool:
        """Whether the counts agree with ``rate``."""
        return self.low <= rate <= self.high


def share(count: int, of: int, confidence: float = 0.95) -> Share:
    """Return ``count`` of ``of`` with its Clopper-Pearson interval.

    Raises:
        ValueError: ``count`` is not within 0 … ``of``, or ``confidence`` not within 0 … 1.
    """
    if not 0 <= count <= of:
        raise ValueError(f"{count} of {of} is no share")
    if not 0 < confidence < 1:
        raise ValueError(f"confidence {confidence} is not between 0 and 1")
    tail = (1 - confidence) / 2
    low = 0.0 if count == 0 else beta_quantile(tail, count, of - count + 1)
    high = 1.0 if count == of else beta_quantile(1 - tail, count + 1, of - count)
    return Share(count=count, of=of, low=low, high=high, confidence=confidence)


def beta_quantile(probability: float, a: float, b: float) -> float:
    """Return x with ``beta_cdf(x, a, b) == probability``, by bisection to the last bit or so."""
    low, high = 0.0, 1.0
    while high - low > _CLOSE * high:
        middle = (low + high) / 2
        if middle in (low, high):
            break
        if beta_cdf(middle, a, b) < probability:
            low = middle
        else:
            high = middle
    return (low + high) / 2


def beta_cdf(x: float, a: float, b: float) -> float:
    """Return the regularised incomplete beta function I_x(a, b) for a, b > 0."""
    if x <= 0:
        return 0.0
    if x >= 1:
        return 1.0
    if x > (a + 1) / (a + b + 2):
        return 1.0 - beta_cdf(1.0 - x, b, a)
    log_front = (
        math.lgamma(a + b)
        - math.lgamma(a)
        - math.lgamma(b)
        + a * math.log(x)
        + b * math.log1p(-x)
        - math.log(a)
    )
    return math.exp(log_front) * _continued_fraction(x, a, b)


def _continued_fraction(x: float, a: float, b: float) -> float:
    """The fraction 8.17.22 of the NIST Digital Library of Mathematical Functions (Lentz)."""
    c = 1.0
    d = 1.0 / _away_from_zero(1.0 - (a + b) * x / (a + 1))
    result = d
    for m in range(1, _MAX_TERMS):
        for term in (
            m * (b - m) * x / ((a + 2 * m - 1) * (a + 2 * m)),
            -(a + m) * (a + b + m) * x / ((a + 2 * m) * (a + 2 * m + 1)),
        ):
            d = 1.0 / _away_from_zero(1.0 + term * d)
            c = _away_from_zero(1.0 + term / c)
            result *= c * d
        if abs(c * d - 1.0) < _CLOSE:
            return result
    raise ArithmeticError(f"the incomplete beta function did not settle at {x}, {a}, {b}")


def _away_from_zero(value: float) -> float:
    return value if abs(value) > _TINY else _TINY
