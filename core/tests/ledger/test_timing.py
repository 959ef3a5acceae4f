"""Percentiles are times that occurred; the sheet's durations add up to the whole."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from millhand.ledger.timing import percentile, spread, timing_sheet

MS = 1_000_000


@given(st.lists(st.integers(0, 10**12), min_size=1), st.floats(0.01, 1.0))
def test_percentile_occurred_and_covers_its_share(times, share):
    ordered = sorted(times)
    found = percentile(ordered, share)
    assert found in ordered
    assert sum(time <= found for time in ordered) >= share * len(ordered) - 1e-6
    assert sum(time < found for time in ordered) < share * len(ordered) + 1e-6


def test_spread_of_known_times():
    found = spread([time * MS for time in range(1, 101)])
    assert (found.count, found.p50_ms, found.p90_ms, found.p99_ms, found.max_ms) == (
        100,
        50.0,
        90.0,
        99.0,
        100.0,
    )
    assert spread([]) is None


def test_sheet_orders_stages_by_when_they_end_and_counts_from_the_one_before():
    sheet = timing_sheet(
        [{"answered": 30 * MS, "observed": 5 * MS, "decided": 12 * MS} for _ in range(3)]
    )
    assert [(line.stage, line.took.p50_ms, line.ended.p50_ms) for line in sheet] == [
        ("observed", 5.0, 5.0),
        ("decided", 7.0, 12.0),
        ("answered", 18.0, 30.0),
    ]


@given(
    st.lists(st.integers(0, 10**9), min_size=1, max_size=8, unique=True),
)
def test_durations_of_one_decision_add_up_to_its_end(ends):
    stages = {f"s{index}": end for index, end in enumerate(ends)}
    sheet = timing_sheet([stages])
    assert sum(line.took.p50_ms for line in sheet) == pytest.approx(max(ends) / MS)
