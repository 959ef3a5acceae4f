"""One product's charts, value by value: first the study of the process, then control."""

from __future__ import annotations

import math
from dataclasses import dataclass

from millhand.messages import tr
from millhand_quality.spc.capability import capability
from millhand_quality.spc.config import SpcConfig, Tolerance
from millhand_quality.spc.limits import Limits, Process, groups, moving_ranges, study
from millhand_quality.spc.memory import Charted
from millhand_quality.spc.rules import LONGEST, broken


@dataclass(frozen=True, slots=True)
class Point:
    """A point on one chart."""

    value: float
    limits: Limits
    broken: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Followed:
    """What a value came to."""

    said: str
    place: Point | None = None
    """On the chart of single values or means."""
    spread: Point | None = None
    """On the chart of ranges."""


def follow(
    charted: Charted, value: float, config: SpcConfig, tolerance: Tolerance | None
) -> Followed:
    """Take one value into ``charted``, which is changed."""
    if charted.process is None:
        return _study(charted, value, config, tolerance)
    charted.open.append(value)
    if config.subgroup == 1:
        spread = moving_ranges(charted.open[-2:])[-1:]
        charted.open = charted.open[-1:]
        return _chart(charted, value, spread[0] if spread else None, config)
    if len(charted.open) < config.subgroup:
        return Followed(
            tr("value {n} of {size} of a subgroup", n=len(charted.open), size=config.subgroup)
        )
    group, charted.open = charted.open, []
    return _chart(charted, math.fsum(group) / len(group), max(group) - min(group), config)


def _chart(charted: Charted, value: float, spread: float | None, config: SpcConfig) -> Followed:
    process = charted.process
    assert process is not None
    charted.tail = [*charted.tail, value][-LONGEST:]
    place = Point(value, process.place, broken(process.points(charted.tail), config.rules))
    ranged = None
    if spread is not None:
        limits = process.spread
        ranged = Point(spread, limits, () if limits.lower <= spread <= limits.upper else (1,))
    charted.broken = tuple(sorted({*place.broken, *(ranged.broken if ranged else ())}))
    charted.count += 1
    return Followed(tr("in control") if not charted.broken else "", place, ranged)


def _study(
    charted: Charted, value: float, config: SpcConfig, tolerance: Tolerance | None
) -> Followed:
    """Collect until there are enough values, then take limits from them if they are in control.

    Where they are not, the older half goes and the study goes on: limits that a special cause
    has widened would hide the next one.
    """
    n, wanted = config.subgroup, config.subgroup * config.baseline
    charted.studied.append(value)
    have = len(charted.studied)
    if have < wanted:
        return Followed(tr("value {have} of {wanted} for the limits", have=have, wanted=wanted))
    values = charted.studied
    try:
        process = study(values, n)
    except ValueError:
        charted.studied = values[wanted // 2 :]
        return Followed(tr("no limits: the values do not differ"))
    if not _in_control(process, values):
        charted.studied = values[wanted // 2 // n * n :]
        return Followed(tr("no limits yet: the values for them are not in control"))
    charted.process, charted.studied = process, []
    charted.open = values[-1:] if n == 1 else []
    if tolerance is not None:
        charted.capability = capability(values, tolerance.lower, tolerance.upper)
    return Followed(tr("limits are set from {count} values", count=have))


def _in_control(process: Process, values: list[float]) -> bool:
    """Whether no point and no range of the study lies beyond its own limits."""
    if process.n == 1:
        places, spreads = values, moving_ranges(values)
    else:
        cut = groups(values, process.n)
        places = [math.fsum(group) / process.n for group in cut]
        spreads = [max(group) - min(group) for group in cut]
    place, spread = process.place, process.spread
    return all(place.lower <= v <= place.upper for v in places) and all(
        spread.lower <= v <= spread.upper for v in spreads
    )
