"""Nelson's tests for special causes.

L. S. Nelson, "The Shewhart Control Chart – Tests for Special Causes", Journal of Quality
Technology 16 (1984), 237–239. Each looks at the newest point and those before it, in standard
errors from the centre; a test is met where the newest point completes its pattern.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from itertools import pairwise

from millhand.messages import tr

LONGEST = 15
"""So many points are looked at by the longest test."""

Points = Sequence[float]


def broken(points: Points, rules: Collection[int]) -> tuple[int, ...]:
    """Return the numbers of those ``rules`` that the newest of ``points`` completes, in order.

    Args:
        points: oldest first, each in standard errors from the centre line.
        rules: numbers of the tests to apply, 1 to 8.
    """
    return tuple(rule for rule in sorted(rules) if points and TESTS[rule](points))


def beyond_three(points: Points) -> bool:
    """Test 1: one point more than three standard errors from the centre."""
    return abs(points[-1]) > 3


def same_side(points: Points, length: int = 9) -> bool:
    """Test 2: nine points in a row on one side of the centre."""
    last = points[-length:]
    return len(last) == length and (min(last) > 0 or max(last) < 0)


def trend(points: Points, length: int = 6) -> bool:
    """Test 3: six points in a row, each higher than the one before, or each lower."""
    steps = _steps(points[-length:])
    return len(steps) == length - 1 and (min(steps) > 0 or max(steps) < 0)


def alternating(points: Points, length: int = 14) -> bool:
    """Test 4: fourteen points in a row up and down in turn."""
    steps = _steps(points[-length:])
    return len(steps) == length - 1 and all(a * b < 0 for a, b in pairwise(steps))


def two_of_three(points: Points) -> bool:
    """Test 5: two of three points more than two standard errors away, on one side."""
    return _some_beyond(points, 2, 3, 2.0)


def four_of_five(points: Points) -> bool:
    """Test 6: four of five points more than one standard error away, on one side."""
    return _some_beyond(points, 4, 5, 1.0)


def hugging(points: Points, length: int = 15) -> bool:
    """Test 7: fifteen points in a row within one standard error, on either side."""
    last = points[-length:]
    return len(last) == length and all(abs(z) < 1 for z in last)


def avoiding(points: Points, length: int = 8) -> bool:
    """Test 8: eight points in a row on both sides, none within one standard error."""
    last = points[-length:]
    both = bool(last) and min(last) < 0 < max(last)
    return len(last) == length and both and all(abs(z) > 1 for z in last)


TESTS: Mapping[int, Callable[[Points], bool]] = {
    1: beyond_three,
    2: same_side,
    3: trend,
    4: alternating,
    5: two_of_three,
    6: four_of_five,
    7: hugging,
    8: avoiding,
}


def said(rule: int) -> str:
    """Say in words what a test has found."""
    return {
        1: tr("one point beyond three sigma"),
        2: tr("nine in a row on one side"),
        3: tr("six in a row up or down"),
        4: tr("fourteen in a row up and down in turn"),
        5: tr("two of three beyond two sigma"),
        6: tr("four of five beyond one sigma"),
        7: tr("fifteen in a row within one sigma"),
        8: tr("eight in a row beyond one sigma on both sides"),
    }[rule]


def _steps(points: Points) -> list[float]:
    return [b - a for a, b in pairwise(points)]


def _some_beyond(points: Points, some: int, of: int, distance: float) -> bool:
    """The newest point is one of ``some`` of the last ``of`` beyond ``distance`` on its side."""
    sign = 1.0 if points[-1] > 0 else -1.0
    far = [sign * z > distance for z in points[-of:]]
    return far[-1] and sum(far) >= some
