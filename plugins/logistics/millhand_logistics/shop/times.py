"""Moments and spans as people write them; every one ends up in a named time zone."""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta
from typing import Annotated, Any
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from pydantic import BeforeValidator, PlainSerializer, WithJsonSchema

from millhand.messages import tr
from millhand.scenario.parts import refusal
from millhand.scenario.words import shown


def _zone(value: Any) -> ZoneInfo:
    if isinstance(value, ZoneInfo):
        return value
    try:
        return ZoneInfo(value if isinstance(value, str) else "")
    except (ZoneInfoNotFoundError, ValueError, OSError) as error:
        raise refusal(
            tr("{zone} is no time zone.", zone=shown(value)),
            expected=tr("a name of the IANA time zone database, such as Europe/Berlin or UTC"),
        ) from error


Zone = Annotated[
    ZoneInfo,
    BeforeValidator(_zone),
    PlainSerializer(str, return_type=str),
    WithJsonSchema({"type": "string", "examples": ["Europe/Berlin", "Asia/Ho_Chi_Minh", "UTC"]}),
]
"""An IANA time zone."""


def _moment(value: Any) -> datetime:
    if isinstance(value, datetime):
        return value
    try:
        return datetime.fromisoformat(value if isinstance(value, str) else "")
    except ValueError as error:
        raise refusal(
            tr("{value} is no moment.", value=shown(value)),
            expected=tr(
                "ISO 8601: 2026-11-27T14:00 in the shop's time zone, or with one: "
                "2026-11-27T14:00+01:00, 2026-11-27T13:00Z"
            ),
        ) from error


Moment = Annotated[
    datetime,
    BeforeValidator(_moment),
    PlainSerializer(lambda moment: moment.isoformat(), return_type=str),
    WithJsonSchema({"type": "string", "examples": ["2026-11-27T14:00", "2026-11-27T13:00Z"]}),
]
"""A moment; without an offset it is in the shop's time zone. A bare date is its midnight."""


def _clock(value: Any) -> time:
    if isinstance(value, time):
        return value
    try:
        text = value if isinstance(value, str) and "+" not in value and "Z" not in value else ""
        return time.fromisoformat("00:00" if text == "24:00" else text)
    except ValueError as error:
        raise refusal(
            tr("{value} is no time of day.", value=shown(value)),
            expected=tr('a time of day in quotes, such as "06:00"'),
        ) from error


Clock = Annotated[
    time,
    BeforeValidator(_clock),
    PlainSerializer(lambda clock: clock.isoformat("minutes"), return_type=str),
    WithJsonSchema({"type": "string", "pattern": r"^\d\d:\d\d", "examples": ["06:00"]}),
]
"""A time of day; ``24:00`` is midnight."""


class NoSuchMoment(ValueError):
    """A local time that a change of clocks leaves out, or makes twice."""


def instant(moment: datetime, zone: ZoneInfo) -> datetime:
    """Return a moment in UTC.

    Raises:
        NoSuchMoment: without an offset, and the clocks make it twice or leave it out.
    """
    if moment.tzinfo is not None:
        return moment.astimezone(UTC)
    first, second = (moment.replace(tzinfo=zone, fold=fold).astimezone(UTC) for fold in (0, 1))
    if first == second:
        return first
    if first.astimezone(zone).replace(tzinfo=None) == moment:
        raise NoSuchMoment(
            tr(
                "{moment} comes twice in {zone}: the clocks are put back.",
                moment=moment.isoformat(),
                zone=zone,
            )
        )
    raise NoSuchMoment(
        tr(
            "{moment} does not exist in {zone}: the clocks are put forward.",
            moment=moment.isoformat(),
            zone=zone,
        )
    )


def at_clock(day: date, clock: time, zone: ZoneInfo) -> datetime:
    """Return a time of day in UTC; where the clocks change, as they were before."""
    return datetime.combine(day, clock, tzinfo=zone).astimezone(UTC)


def days(first: datetime, last: datetime, zone: ZoneInfo) -> list[date]:
    """List the local days that a span touches, with the day before it."""
    day, found = first.astimezone(zone).date() - timedelta(days=1), []
    end = last.astimezone(zone).date()
    while day <= end:
        found.append(day)
        day += timedelta(days=1)
    return found
