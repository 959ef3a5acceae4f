from __future__ import annotations

import math
from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import BaseModel, ValidationError

from millhand.scenario.units import (
    Duration,
    Percent,
    Size,
    UnitError,
    format_duration,
    format_percent,
    format_size,
    parse_duration,
    parse_percent,
    parse_size,
)


class Model(BaseModel):
    time: Duration = 2.0
    size: Size = 1000
    share: Percent = 0.01


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("80 ms", 0.08),
        ("80ms", 0.08),
        ("100 us", 1e-4),
        ("100 µs", 1e-4),
        ("2 s", 2.0),
        ("1.5 s", 1.5),
        ("5 min", 300.0),
        ("1 h", 3600.0),
        ("30 d", 2_592_000.0),
    ],
)
def test_a_time_is_read_as_seconds(text: str, seconds: float) -> None:
    assert parse_duration(text) == seconds


@pytest.mark.parametrize(
    ("text", "size"), [("500 MB", 500_000_000), ("2 GB", 2_000_000_000), ("64 MiB", 67_108_864)]
)
def test_a_size_is_read_as_bytes(text: str, size: int) -> None:
    assert parse_size(text) == size


def test_a_share_is_read_as_a_fraction() -> None:
    assert parse_percent("0.5 %") == 0.005
    with pytest.raises(UnitError, match="too much"):
        parse_percent("101 %")


@pytest.mark.parametrize("value", [80, 80.5, "80", " 80 ", "-5"])
def test_a_bare_number_is_an_error_that_says_so(value: object) -> None:
    with pytest.raises(UnitError, match="has no unit") as caught:
        parse_duration(value)
    assert "ms" in caught.value.mend


def test_a_wrong_unit_brings_the_right_one() -> None:
    with pytest.raises(UnitError) as caught:
        parse_size("5 mb")
    assert "“mb”" in str(caught.value)
    assert "MB" in caught.value.mend


@pytest.mark.parametrize("value", [None, True, [], {}, "", "s", "1 s 2 ms", "1e3 s", "٣ s", "0 s"])
def test_what_is_no_time_is_refused(value: object) -> None:
    with pytest.raises(UnitError):
        parse_duration(value)


@given(st.text(max_size=30) | st.integers() | st.floats() | st.none() | st.booleans())
def test_anything_is_read_or_refused_with_a_unit_error(value: object) -> None:
    for parse in (parse_duration, parse_size, parse_percent):
        refused = refusal_of(parse, value)
        assert refused is None or refused.expected


def refusal_of(parse: Callable[[object], float], value: object) -> UnitError | None:
    try:
        parse(value)
    except UnitError as error:
        return error
    return None


@given(st.integers(min_value=1, max_value=10**12).map(lambda micro: micro / 10**6))
def test_a_time_written_is_read_back(seconds: float) -> None:
    assert math.isclose(parse_duration(format_duration(seconds)), seconds, rel_tol=1e-12)


@given(st.integers(min_value=0, max_value=10**14))
def test_a_size_written_is_read_back(size: int) -> None:
    assert parse_size(format_size(size)) == size


@given(st.integers(min_value=0, max_value=10_000))
def test_a_share_written_is_read_back(parts: int) -> None:
    fraction = parts / 10_000
    assert math.isclose(parse_percent(format_percent(fraction)), fraction, abs_tol=1e-12)


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (0.08, "80 ms"),
        (0.1, "100 ms"),
        (3600, "1 h"),
        (90, "90 s"),
        (604800, "7 d"),
        (1e-7, "0.1 us"),
    ],
)
def test_a_time_is_written_in_its_natural_unit(seconds: float, text: str) -> None:
    assert format_duration(seconds) == text


def test_a_model_holds_base_units_and_dumps_text() -> None:
    model = Model.model_validate({"time": "80 ms", "size": "2 GB", "share": "1 %"})
    assert (model.time, model.size, model.share) == (0.08, 2_000_000_000, 0.01)
    assert model.model_dump(mode="json") == {"time": "80 ms", "size": "2 GB", "share": "1 %"}
    assert Model.model_validate(model.model_dump(mode="json")) == model


def test_a_models_error_carries_expected_and_mend() -> None:
    with pytest.raises(ValidationError) as caught:
        Model.model_validate({"time": 80})
    context = caught.value.errors()[0]["ctx"]
    assert "such as 80 ms" in context["expected"]
    assert "one of us, ms" in context["mend"]
