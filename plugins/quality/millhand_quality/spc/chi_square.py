"""The chi-square distribution by its definition; a statistics library would be a hundred MB."""

from __future__ import annotations

import math

_CLOSE = 1e-14
_MOST_TERMS = 10_000


def chi_square_cdf(x: float, freedom: float) -> float:
    """Return P(X ≤ ``x``) for ``freedom`` degrees of freedom.

    The regularised lower incomplete gamma function by its series or, beyond its middle, by the
    continued fraction of the rest (Abramowitz and Stegun 6.5.29 and 6.5.31).
    """
    a, x = freedom / 2, x / 2
    if x <= 0:
        return 0.0
    front = math.exp(a * math.log(x) - x - math.lgamma(a))
    return front * _series(a, x) if x < a + 1 else 1 - front * _fraction(a, x)


def chi_square_quantile(probability: float, freedom: float) -> float:
    """Return x with ``chi_square_cdf(x, freedom) == probability``, by bisection.

    Raises:
        ValueError: ``probability`` is not within 0 … 1.
    """
    if not 0 < probability < 1:
        raise ValueError(f"probability {probability} is not between 0 and 1")
    low, high = 0.0, max(1.0, freedom)
    while chi_square_cdf(high, freedom) < probability:
        high *= 2
    while high - low > _CLOSE * high:
        middle = (low + high) / 2
        if middle in (low, high):
            break
        if chi_square_cdf(middle, freedom) < probability:
            low = middle
        else:
            high = middle
    return (low + high) / 2


def _series(a: float, x: float) -> float:
    term = total = 1 / a
    for n in range(1, _MOST_TERMS):
        term *= x / (a + n)
        total += term
        if term < _CLOSE * total:
            break
    return total


def _fraction(a: float, x: float) -> float:
    """Lentz's method for the continued fraction."""
    b = x + 1 - a
    c, d = math.inf, 1 / b
    found = d
    for n in range(1, _MOST_TERMS):
        factor = n * (a - n)
        b += 2
        d = 1 / (factor * d + b)
        c = b + factor / c
        found *= c * d
        if abs(c * d - 1) < _CLOSE:
            break
    return found
