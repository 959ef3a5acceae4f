from __future__ import annotations

import math
import time
from typing import Any

import pytest
from asyncua import ua

from millhand.contracts import Link, Quality

pytestmark = pytest.mark.asyncio(loop_scope="module")

LIMITS: list[tuple[str, ua.VariantType, list[Any]]] = [
    ("boolean", ua.VariantType.Boolean, [False, True]),
    ("sbyte", ua.VariantType.SByte, [-128, 127]),
    ("byte", ua.VariantType.Byte, [0, 255]),
    ("int16", ua.VariantType.Int16, [-(2**15), 2**15 - 1]),
    ("uint16", ua.VariantType.UInt16, [0, 2**16 - 1]),
    ("int32", ua.VariantType.Int32, [-(2**31), 2**31 - 1]),
    ("uint32", ua.VariantType.UInt32, [0, 2**32 - 1]),
    ("int64", ua.VariantType.Int64, [-(2**63), 2**63 - 1]),
    ("uint64", ua.VariantType.UInt64, [0, 2**64 - 1]),
    ("float", ua.VariantType.Float, [3.4028234663852886e38, -1.401298464324817e-45]),
    ("double", ua.VariantType.Double, [1.7976931348623157e308, 5e-324, -0.0]),
    ("string", ua.VariantType.String, ["", "Größe ✓", "x" * 5000]),
]


@pytest.mark.parametrize(("name", "kind", "values"), LIMITS, ids=[row[0] for row in LIMITS])
async def test_every_scalar_type_arrives_at_its_limits(plant, adapt, name, kind, values) -> None:
    tag = {"node": f"s=Scalar.{name}", "type": name}
    async with adapt(plant.url, {"tag": tag}) as plc:
        for value in values:
            await plant.set(f"Scalar.{name}", ua.DataValue(ua.Variant(value, kind)))
            (sample,) = await plc.read(["tag"])
            assert sample.value == value
            assert type(sample.value) is type(value)
            assert sample.quality is Quality.GOOD
            assert sample.good


@pytest.mark.parametrize(
    ("value", "note"), [(math.nan, "nan"), (math.inf, "inf"), (-math.inf, "-inf")]
)
@pytest.mark.parametrize("name", ["float", "double"])
async def test_a_number_that_is_not_finite_is_no_value(plant, adapt, name, value, note) -> None:
    kind = ua.VariantType.Float if name == "float" else ua.VariantType.Double
    async with adapt(plant.url, {"tag": f"s=Scalar.{name}"}) as plc:
        await plant.set(f"Scalar.{name}", ua.DataValue(ua.Variant(value, kind)))
        (sample,) = await plc.read(["tag"])
        assert (sample.value, sample.note, sample.quality) == (None, note, Quality.BAD)


async def test_rarer_types_arrive_as_text(plant, adapt) -> None:
    names = ["datetime", "bytestring", "localizedtext"]
    async with adapt(plant.url, {name: f"s=Scalar.{name}" for name in names}) as plc:
        values = [sample.value for sample in await plc.read(names)]
    assert values == ["2026-01-02T03:04:05+00:00", "AP8=", "en" and "Gate"]


async def test_arrays_arrive_as_lists(plant, adapt) -> None:
    await plant.set("Ring", ua.DataValue(ua.Variant(list(range(16)), ua.VariantType.Int32)))
    async with adapt(plant.url, {"ring": {"node": "s=Ring", "type": "int32[]"}}) as plc:
        (sample,) = await plc.read(["ring"])
    assert sample.value == list(range(16))


async def test_an_unknown_tag_spoils_only_itself(plant, adapt) -> None:
    tags = {"counter": "s=Counter", "ghost": "s=Ghost"}
    async with adapt(plant.url, tags) as plc:
        first, ghost, stranger, again = await plc.read(["counter", "ghost", "nowhere", "counter"])
        assert first.good
        assert again.good
        assert (ghost.quality, ghost.status) == (Quality.BAD, ua.StatusCodes.BadNodeIdUnknown)
        assert stranger.quality is Quality.BAD
        assert [first.tag, ghost.tag, stranger.tag] == ["counter", "ghost", "nowhere"]
        assert "Ghost" in plc.health().detail


async def test_bad_and_uncertain_survive_a_batch_with_their_status(plant, adapt) -> None:
    names = ["int16", "int32", "uint16"]
    codes = [
        ua.StatusCodes.BadSensorFailure,
        ua.StatusCodes.UncertainLastUsableValue,
        ua.StatusCodes.GoodClamped,
    ]
    for name, code in zip(names, codes, strict=True):
        kind, value = ua.VariantType[name.replace("int", "Int").replace("uI", "UI")], 7
        await plant.set(
            f"Scalar.{name}", ua.DataValue(ua.Variant(value, kind), ua.StatusCode(code))
        )
    async with adapt(plant.url, {name: f"s=Scalar.{name}" for name in names}) as plc:
        samples = await plc.read(names)
    assert [sample.quality for sample in samples] == [Quality.BAD, Quality.UNCERTAIN, Quality.GOOD]
    assert [sample.status for sample in samples] == codes
    assert samples[1].value == 7


async def test_a_declared_type_that_differs_makes_that_tag_bad_alone(plant, adapt) -> None:
    tags = {
        "wrong": {"node": "s=Counter", "type": "float"},
        "list": {"node": "s=Counter", "type": "int32[]"},
        "scaled": {"node": "s=Scalar.localizedtext", "scale": 2},
        "right": {"node": "s=Counter", "type": "int32"},
    }
    async with adapt(plant.url, tags) as plc:
        samples = await plc.read(list(tags))
        assert [sample.good for sample in samples] == [False, False, False, True]
        assert "float" in samples[0].note
        assert "int32" in samples[0].note
        health = plc.health()
        assert health.link is Link.UP
        assert "wrong" in health.detail


async def test_each_sample_has_its_clocks(plant, adapt) -> None:
    before_utc, before = time.time_ns(), time.monotonic_ns()
    async with adapt(plant.url, {"counter": "s=Counter"}) as plc:
        await plant.node("Counter").write_value(ua.Variant(5, ua.VariantType.Int32))
        (sample,) = await plc.read(["counter"])
    assert before_utc <= sample.received_utc_ns <= time.time_ns()
    assert before <= sample.received_monotonic_ns <= time.monotonic_ns()
    assert sample.source_utc_ns is not None
    assert abs(sample.source_utc_ns - before_utc) < 60e9
    assert sample.epoch == 1
    assert not sample.initial


async def test_scale_and_offset_give_the_unit(plant, adapt) -> None:
    await plant.set("Scalar.int32", ua.DataValue(ua.Variant(215, ua.VariantType.Int32)))
    tag = {"node": "s=Scalar.int32", "scale": 0.1, "offset": -10}
    async with adapt(plant.url, {"temperature": tag}) as plc:
        (sample,) = await plc.read(["temperature"])
    assert sample.value == pytest.approx(11.5)


async def test_a_value_that_is_missing_is_bad_and_a_null_string_is_empty(plant, adapt) -> None:
    await plant.set("Scalar.string", ua.DataValue(ua.Variant(None, ua.VariantType.String)))
    await plant.set("Scalar.double", ua.DataValue(ua.Variant()))
    tags = {"text": "s=Scalar.string", "number": "s=Scalar.double"}
    async with adapt(plant.url, tags) as plc:
        text, number = await plc.read(["text", "number"])
    assert (text.value, text.quality) == ("", Quality.GOOD)
    assert (number.value, number.quality) == (None, Quality.BAD)
    assert number.note


async def test_more_tags_than_fit_one_request_arrive_in_order(plant, adapt) -> None:
    names = [f"Scalar.{kind}" for kind in ("sbyte", "byte", "int64", "uint64", "boolean")]
    async with adapt(plant.url, {name: f"s={name}" for name in names}, max_batch=2) as plc:
        samples = await plc.read(names)
    assert [sample.tag for sample in samples] == names
    assert all(sample.good for sample in samples)
