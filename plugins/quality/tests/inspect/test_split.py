"""Which pictures are fitted on, and which are held out."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from millhand.errors import ConfigError
from millhand_quality.inspect.pictures import Picture, Shape
from millhand_quality.inspect.split import (
    FEWEST_TO_HOLD_OUT,
    divide,
    parts_to_fit,
    worst_by_part,
)
from millhand_quality.inspect.threshold import scores_needed


def pictures(parts: int, each: int = 1) -> list[Picture]:
    return [
        Picture(Path(f"{part}_{view}.png"), f"p{part}", "0" * 64, Shape(96, 96, 3))
        for part in range(parts)
        for view in range(each)
    ]


@given(st.integers(4, 1000), st.sampled_from([0.001, 0.01, 0.05]))
def test_the_promise_comes_first(parts: int, rate: float) -> None:
    fit = parts_to_fit(parts, rate)
    assert 0 < fit <= parts
    if parts >= scores_needed(rate) + FEWEST_TO_HOLD_OUT:
        assert parts - fit >= scores_needed(rate)
    if parts < FEWEST_TO_HOLD_OUT:
        assert fit == parts


@given(st.integers(4, 80), st.integers(1, 4), st.integers(0, 5))
def test_no_part_is_on_both_sides(parts: int, each: int, seed: int) -> None:
    division = divide(pictures(parts, each), 0.05, seed)
    fit = {one.part for one in division.fit}
    held = {one.part for one in division.held_out}
    assert not fit & held
    assert len(fit) + len(held) == parts
    assert len(division.fit) + len(division.held_out) == parts * each


def test_too_few_parts_are_refused() -> None:
    with pytest.raises(ConfigError, match="at least 4") as raised:
        divide(pictures(3, each=10), 0.01, 0)
    assert "150" in raised.value.mend


def test_a_part_counts_once_by_its_worst_picture() -> None:
    shown = pictures(2, each=2)
    assert worst_by_part(shown, [1.0, 5.0, 2.0, 0.5]) == [5.0, 2.0]
