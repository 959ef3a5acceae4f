"""When pictures were exposed: steady, out of a backlog, after a stall, with drift and losses."""

from __future__ import annotations

import pytest

from millhand_cameras.stream_clock import StreamClock

MS = 1_000_000
PERIOD_MS = 40.0


def test_a_backlog_after_opening_is_not_taken_for_the_present() -> None:
    clock = StreamClock()
    opened_ns = 10_000 * MS
    backlog = [clock.exposed_ns(opened_ns + n, n * PERIOD_MS, 10) for n in range(20)]
    assert backlog == [None] * 20
    arrived_ns = opened_ns + 30 * MS
    assert clock.exposed_ns(arrived_ns, 20 * PERIOD_MS, 30 * MS) == arrived_ns


def steady(clock: StreamClock, pictures: int, period_ms: float = PERIOD_MS) -> int:
    """Feed pictures that come when they are due; return when the last one came."""
    arrived_ns = 0
    for number in range(1, pictures + 1):
        arrived_ns = round(number * period_ms * MS)
        clock.exposed_ns(arrived_ns, number * PERIOD_MS, 35 * MS)
    return arrived_ns


def test_pictures_kept_back_by_a_stall_are_known_to_be_old() -> None:
    clock = StreamClock()
    last_ns = steady(clock, 50)
    thawed_ns = last_ns + 1000 * MS
    for number in range(1, 25):
        exposed_ns = clock.exposed_ns(thawed_ns + number, (50 + number) * PERIOD_MS, 10)
        assert exposed_ns == pytest.approx(last_ns + number * PERIOD_MS * MS, abs=MS)


def test_a_clock_that_runs_apart_is_followed() -> None:
    clock = StreamClock()
    slow = PERIOD_MS * (1 + 100e-6)
    last_ns = steady(clock, 25 * 3600, slow)
    next_ns = round(last_ns + slow * MS)
    exposed_ns = clock.exposed_ns(next_ns, (25 * 3600 + 1) * PERIOD_MS, 35 * MS)
    assert exposed_ns == pytest.approx(next_ns, abs=5 * MS)


def test_what_the_stream_left_out_is_counted() -> None:
    clock = StreamClock()
    steady(clock, 10)
    clock.exposed_ns(14 * 40 * MS, 14 * PERIOD_MS, 35 * MS)
    assert clock.lost == 3


def test_without_stream_times_a_picture_is_as_old_as_its_arrival() -> None:
    clock = StreamClock()
    clock.exposed_ns(5 * MS, 0.0, 5 * MS)
    assert clock.exposed_ns(45 * MS, 0.0, 40 * MS) == 45 * MS
