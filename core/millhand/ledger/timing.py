"""Where the time of a decision goes: percentiles from the trigger on, and a sheet by stage."""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence

from msgspec import Struct

_NS_PER_MS = 1e6


class Spread(Struct, frozen=True, kw_only=True):
    """How a time is spread, in milliseconds. Percentiles are times that really occurred."""

    count: int
    p50_ms: float
    p90_ms: float
    p99_ms: float
    max_ms: float


class StageTime(Struct, frozen=True, kw_only=True):
    """One stage of a decision's life: how long it took, and when it ended after the trigger."""

    stage: str
    took: Spread
    ended: Spread


def percentile(ordered: Sequence[float], share: float) -> float:
    """Return the smallest value that at least ``share`` (0 to 1) of ``ordered`` do not exceed."""
    rank = max(1, math.ceil(share * len(ordered) - 1e-9))
    return ordered[rank - 1]


def spread(times_ns: Iterable[int]) -> Spread | None:
    """Describe times in nanoseconds; None where there are none."""
    ordered = sorted(time / _NS_PER_MS for time in times_ns)
    if not ordered:
        return None
    return Spread(
        count=len(ordered),
        p50_ms=percentile(ordered, 0.50),
        p90_ms=percentile(ordered, 0.90),
        p99_ms=percentile(ordered, 0.99),
        max_ms=ordered[-1],
    )


def timing_sheet(decisions: Iterable[Mapping[str, int]]) -> tuple[StageTime, ...]:
    """Break decisions down by stage, in the order in which the stages ended.

    Args:
        decisions: for each decision its stages with the nanoseconds from the trigger to the
            stage's end. A stage's duration counts from the end of the stage before it.
    """
    took: dict[str, list[int]] = defaultdict(list)
    ended: dict[str, list[int]] = defaultdict(list)
    for stages in decisions:
        before = 0
        for stage, end in sorted(stages.items(), key=lambda item: item[1]):
            took[stage].append(end - before)
            ended[stage].append(end)
            before = end
    sheet = [
        StageTime(stage=stage, took=_some(took[stage]), ended=_some(ended[stage]))
        for stage in ended
    ]
    return tuple(sorted(sheet, key=lambda line: line.ended.p50_ms))


def _some(times_ns: list[int]) -> Spread:
    found = spread(times_ns)
    assert found is not None
    return found
