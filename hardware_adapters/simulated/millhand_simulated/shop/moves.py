"""How much a new plan throws over: operations that get another machine, or another turn."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Mapping, Sequence

Key = tuple[str, str]


def moved(before: Mapping[str, Sequence[Key]], after: Mapping[str, Sequence[Key]]) -> int:
    """Count operations in both plans that change machine, and the fewest that change turn.

    On each machine those that stay are a longest common run in the same order (Schensted 1961);
    the others were moved.
    """
    was = {key: (name, i) for name, keys in before.items() for i, key in enumerate(keys)}
    count = 0
    for name, keys in after.items():
        known = [was[key] for key in keys if key in was]
        same = [i for machine, i in known if machine == name]
        count += len(known) - _longest_rising(same)
    return count


def _longest_rising(numbers: Sequence[int]) -> int:
    ends: list[int] = []
    for number in numbers:
        at = bisect_left(ends, number)
        ends[at : at + 1] = [number]
    return len(ends)
