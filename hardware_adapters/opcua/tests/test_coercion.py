from __future__ import annotations

import struct
from typing import Any

import pytest
from asyncua import ua
from hypothesis import given
from hypothesis import strategies as st

from millhand_opcua.coercion import DoesNotFit, to_variant
from millhand_opcua.config import OpcUaTag
from millhand_opcua.kinds import INTEGERS
from millhand_opcua.variables import Variable


def variable(kind: str, *, rank: int = -1, **options: Any) -> Variable:
    shape = {key: options.pop(key) for key in ("length", "writable") if key in options}
    return Variable(
        "tag", OpcUaTag(node="i=1", **options), ua.NodeId(1), kind=kind, rank=rank, **shape
    )


@pytest.mark.parametrize("kind", INTEGERS)
def test_integers_fit_to_their_limits_and_not_beyond(kind: str) -> None:
    least, greatest = INTEGERS[kind]
    for value in (least, greatest, 0):
        variant, sent = to_variant(variable(kind), value)
        assert (variant.Value, sent, variant.VariantType.name.lower()) == (value, value, kind)
    for value in (least - 1, greatest + 1, 1e30):
        with pytest.raises(DoesNotFit):
            to_variant(variable(kind), value)


@pytest.mark.parametrize("kind", [*INTEGERS, "float", "double"])
@pytest.mark.parametrize("value", [float("nan"), float("inf"), -float("inf"), True, "1", None, [1]])
def test_what_is_no_finite_number_is_refused(kind: str, value: Any) -> None:
    with pytest.raises(DoesNotFit):
        to_variant(variable(kind), value)


@pytest.mark.parametrize(
    ("kind", "value"),
    [
        ("boolean", 1),
        ("boolean", "true"),
        ("string", 1),
        ("string", None),
        ("string", "\ud800"),
        ("int32", 1.5),
        ("float", 3.5e38),
        pytest.param("double", 10**400, id="huge"),
        ("guid", "x"),
        ("datetime", "2026-01-01T00:00:00"),
        ("datetime", "soon"),
        ("bytestring", "*"),
        ("qualifiedname", "a"),
        ("", 1),
    ],
)
def test_wrong_types_and_values_are_refused(kind: str, value: Any) -> None:
    with pytest.raises(DoesNotFit):
        to_variant(variable(kind), value)


def test_a_whole_float_is_an_integer_and_a_float_says_what_was_really_sent() -> None:
    assert to_variant(variable("int16"), 3.0)[1] == 3
    variant, sent = to_variant(variable("float"), 0.1)
    assert sent == variant.Value == struct.unpack("<f", struct.pack("<f", 0.1))[0]


def test_the_scenarios_range_is_kept() -> None:
    limited = variable("double", minimum=-1, maximum=2)
    assert to_variant(limited, 2)[1] == 2
    for value in (-1.01, 2.01):
        with pytest.raises(DoesNotFit, match="outside"):
            to_variant(limited, value)


@given(st.floats(-3000, 3000))
def test_scaled_values_are_rounded_and_told_as_sent(value: float) -> None:
    scaled = variable("int16", scale=0.1, offset=5)
    variant, sent = to_variant(scaled, value)
    assert isinstance(variant.Value, int)
    assert sent == pytest.approx(variant.Value * 0.1 + 5)
    assert sent == pytest.approx(value, abs=0.0501)


def test_arrays_need_a_list_of_the_right_length() -> None:
    ring = variable("int32", rank=1, length=3)
    variant, sent = to_variant(ring, [1, 2, 3])
    assert variant.is_array
    assert sent == [1, 2, 3]
    for wrong in (1, [1, 2], [1, 2, "3"], [1, 2, 2**31]):
        with pytest.raises(DoesNotFit):
            to_variant(ring, wrong)
    with pytest.raises(DoesNotFit):
        to_variant(variable("int32"), [1])
    assert to_variant(variable("int32", rank=1), [])[0].is_array


def test_what_may_only_be_read_is_not_written() -> None:
    with pytest.raises(DoesNotFit, match="only read"):
        to_variant(variable("int32", writable=False), 1)
