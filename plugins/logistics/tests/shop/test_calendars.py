"""Working time over nights, changes of clocks, holidays and breakdowns."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from millhand_logistics.shop.calendars import calendar_intervals, merged, without
from millhand_logistics.shop.reading import shop_text

HEAD = """\
millhand_shop: 1
time_zone: Europe/Berlin
machines: {m: {calendar: c}}
orders: [{id: A, operations: [{id: a, machine: m, time: 1 h}]}]
"""


def hours(calendar: str, first: str, last: str) -> list[tuple[str, str]]:
    shop = shop_text(HEAD + "calendars:\n  c: " + calendar)
    found = calendar_intervals(
        shop.calendars["c"],
        shop.time_zone,
        datetime.fromisoformat(first),
        datetime.fromisoformat(last),
    )
    return [(begin.isoformat()[5:16], end.isoformat()[5:16]) for begin, end in found]


def test_a_night_shift_ends_on_the_next_day() -> None:
    night = '{shifts: [{days: fri, from: "22:00", to: "06:00"}]}'
    found = hours(night, "2026-11-25T00:00Z", "2026-12-01T00:00Z")
    assert found == [("11-27T21:00", "11-28T05:00")]


def test_a_shift_over_the_change_of_clocks_is_an_hour_longer_or_shorter() -> None:
    night = '{shifts: [{days: sat, from: "22:00", to: "06:00"}]}'
    autumn = hours(night, "2026-10-24T00:00Z", "2026-10-26T00:00Z")
    assert autumn == [("10-24T20:00", "10-25T05:00")]
    spring = hours(night, "2026-03-28T00:00Z", "2026-03-30T00:00Z")
    assert spring == [("03-28T21:00", "03-29T04:00")]


def test_holidays_are_taken_out_and_overtime_is_added() -> None:
    found = hours(
        '{shifts: [{days: mon-sun, from: "08:00", to: "16:00"}],'
        " closed: [{from: 2026-12-25, to: 2026-12-26}],"
        " extra: [{from: 2026-12-25T10:00, to: 2026-12-25T11:00}]}",
        "2026-12-24T00:00Z",
        "2026-12-26T00:00Z",
    )
    assert found == [("12-24T07:00", "12-24T15:00"), ("12-25T09:00", "12-25T10:00")]


def test_shifts_that_touch_are_one() -> None:
    found = hours(
        '{shifts: [{days: mon-sun, from: "06:00", to: "14:00"},'
        ' {days: mon-sun, from: "14:00", to: "06:00"}]}',
        "2026-12-01T00:00Z",
        "2026-12-08T00:00Z",
    )
    assert found == [("12-01T00:00", "12-08T00:00")]


def test_a_calendar_may_have_a_zone_of_its_own() -> None:
    found = hours(
        '{time_zone: Asia/Ho_Chi_Minh, shifts: [{days: wed, from: "08:00", to: "16:00"}]}',
        "2026-11-24T00:00Z",
        "2026-11-27T00:00Z",
    )
    assert found == [("11-25T01:00", "11-25T09:00")]


EPOCH = datetime(2026, 1, 1, tzinfo=UTC)
spans = st.lists(
    st.tuples(st.integers(0, 100), st.integers(1, 30)).map(
        lambda p: (EPOCH + timedelta(hours=p[0]), EPOCH + timedelta(hours=p[0] + p[1]))
    ),
    max_size=8,
)


@given(spans, spans)
def test_intervals_minus_holes_hour_by_hour(open_: list, holes: list) -> None:
    found = without(merged(open_), holes)
    for hour in range(140):
        at = EPOCH + timedelta(hours=hour)
        inside = any(b <= at < e for b, e in open_) and not any(b <= at < e for b, e in holes)
        assert any(b <= at < e for b, e in found) == inside
    assert found == merged(found)
