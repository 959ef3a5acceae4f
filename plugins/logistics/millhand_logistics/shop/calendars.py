"""Working time: shifts, closed times and breakdowns as intervals in UTC."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

from millhand_logistics.shop.model import Calendar, Shop, Span
from millhand_logistics.shop.times import at_clock, days, instant

Interval = tuple[datetime, datetime]
ALWAYS: Interval = (datetime.min.replace(tzinfo=UTC), datetime.max.replace(tzinfo=UTC))


def working(shop: Shop, machine: str, first: datetime, last: datetime) -> list[Interval]:
    """Return when a machine works between two moments, breakdowns taken out."""
    described = shop.machines[machine]
    name = described.calendar
    if name is None:
        intervals = [(first, last)]
    else:
        intervals = calendar_intervals(shop.calendars[name], shop.time_zone, first, last)
    return without(intervals, spans(described.down, shop.time_zone))


def calendar_intervals(
    calendar: Calendar, zone: ZoneInfo, first: datetime, last: datetime
) -> list[Interval]:
    """Return a calendar's working intervals between two moments: apart and in order."""
    own = calendar.time_zone or zone
    found: list[Interval] = []
    for day in days(first, last, own):
        for shift in calendar.shifts:
            if day.weekday() in shift.days:
                over = timedelta(days=int(shift.ends <= shift.begins))
                found.append(
                    (at_clock(day, shift.begins, own), at_clock(day + over, shift.ends, own))
                )
    found = without(merged(found), spans(calendar.closed, own))
    found = merged([*found, *spans(calendar.extra, own)])
    clipped = [(max(begin, first), min(end, last)) for begin, end in found]
    return [(begin, end) for begin, end in clipped if begin < end]


def spans(written: Iterable[Span], zone: ZoneInfo) -> list[Interval]:
    """Return spans in UTC."""
    return [(instant(span.begins, zone), instant(span.ends, zone)) for span in written]


def merged(intervals: Iterable[Interval]) -> list[Interval]:
    """Return the union of intervals: apart and in order."""
    found: list[Interval] = []
    for begin, end in sorted(intervals):
        if begin >= end:
            continue
        if found and begin <= found[-1][1]:
            found[-1] = (found[-1][0], max(found[-1][1], end))
        else:
            found.append((begin, end))
    return found


def without(intervals: Iterable[Interval], holes: Iterable[Interval]) -> list[Interval]:
    """Return intervals less the holes in them."""
    found = list(intervals)
    for hole_begin, hole_end in merged(holes):
        kept: list[Interval] = []
        for begin, end in found:
            kept += [(begin, min(end, hole_begin)), (max(begin, hole_end), end)]
        found = [(begin, end) for begin, end in kept if begin < end]
    return found
