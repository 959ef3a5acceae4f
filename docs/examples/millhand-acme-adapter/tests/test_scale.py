"""The adapter against a scale on a real socket."""

from __future__ import annotations

import asyncio
from time import monotonic_ns

import pytest
from millhand_acme_adapter.adapter import Scale
from millhand_acme_adapter.config import ScaleConfig, ScaleTag

from millhand.contracts import Link, Quality, Write, WriteStatus
from millhand.errors import NotAllowed
from millhand.guard import PermitOffice
from millhand.testing import worthless_permits

TAGS = {"weight": ScaleTag(address="weight"), "tare": ScaleTag(address="tare")}
SECOND_NS = 1_000_000_000


@pytest.fixture
async def scale(toy_scale):
    config = ScaleConfig(host="127.0.0.1", port=toy_scale.port, timeout_s=0.3)
    async with Scale("scale", config, TAGS) as adapter:
        await until(lambda: adapter.health().link is Link.UP)
        yield adapter


async def until(holds) -> None:
    """Wait until a condition holds, at most ten seconds."""
    async with asyncio.timeout(10):
        while not holds():
            await asyncio.sleep(0.01)


def permit(*values, tag: str = "tare", device: str = "scale"):
    writes = tuple(Write(tag=tag, value=value) for value in values)
    return PermitOffice().issue(device, writes, expires_monotonic_ns=monotonic_ns() + SECOND_NS)


async def test_values_come_with_their_quality(scale, toy_scale) -> None:
    stable, tare = await scale.read(["weight", "tare"])
    toy_scale.weight = "S D 499.20 g"
    (moving,) = await scale.read(["weight"])
    assert (stable.value, stable.quality) == (500.0, Quality.GOOD)
    assert (tare.value, tare.quality) == (0.0, Quality.GOOD)
    assert (moving.value, moving.quality) == (499.2, Quality.UNCERTAIN)


async def test_an_unknown_tag_spoils_only_itself(scale) -> None:
    unknown, weight = await scale.read(["wieght", "weight"])
    assert (unknown.quality, weight.quality) == (Quality.BAD, Quality.GOOD)


async def test_a_write_is_applied_when_the_scale_repeats_it(scale, toy_scale) -> None:
    result = await scale.write(permit(12.5))
    assert (result.status, result.sent, toy_scale.tare) == (WriteStatus.APPLIED, (12.5,), 12.5)


@pytest.mark.parametrize("value", [-1.0, 1e9, float("nan"), "12", True, None])
async def test_a_value_that_does_not_fit_is_not_sent(scale, toy_scale, value) -> None:
    leave = permit(value)
    assert (await scale.write(leave)).status is WriteStatus.REJECTED
    assert toy_scale.heard == []
    assert leave.redeem("scale"), "the permit was not spent"


async def test_the_weight_cannot_be_written(scale) -> None:
    assert (await scale.write(permit(1.0, tag="weight"))).status is WriteStatus.REJECTED


async def test_what_the_scale_refuses_is_rejected(scale, toy_scale) -> None:
    assert (await scale.write(permit(6000.0))).status is WriteStatus.REJECTED
    assert toy_scale.tare == 0.0


async def test_a_permit_that_is_not_worth_it_writes_nothing(scale, toy_scale) -> None:
    for worthless in worthless_permits("scale", ("tare", 1.0)).values():
        with pytest.raises(NotAllowed):
            await scale.write(worthless)
    assert toy_scale.heard == []


async def test_a_write_without_an_answer_is_unknown_and_never_repeated(scale, toy_scale) -> None:
    toy_scale.silent = True
    result = await scale.write(permit(12.5))
    toy_scale.silent = False
    await until(lambda: scale.health().epoch == 2)
    assert result.status is WriteStatus.UNKNOWN
    assert [line for line in toy_scale.heard if line.startswith("TA ")] == ["TA 12.500 g"]


async def test_a_late_answer_is_not_taken_for_the_next(scale, toy_scale) -> None:
    toy_scale.silent = True
    (lost,) = await scale.read(["weight"])
    toy_scale.silent = False
    await until(lambda: scale.health().epoch == 2)
    (tare,) = await scale.read(["tare"])
    assert (lost.quality, tare.value) == (Quality.DISCONNECTED, 0.0)


async def test_a_scale_that_went_comes_back_by_itself(scale, toy_scale) -> None:
    batches = scale.subscribe(["weight", "tare"], 0.02)
    first = await anext(batches)
    await toy_scale.stop()
    lost = await anext(batches)
    assert (await scale.write(permit(1.0))).status is WriteStatus.NOT_SENT
    await toy_scale.start()
    back = await anext(batches)
    await batches.aclose()
    assert [sample.initial for sample in first] == [True, True]
    assert {sample.quality for sample in lost} == {Quality.DISCONNECTED}
    assert {(sample.initial, sample.gap, sample.epoch) for sample in back} == {(True, True, 2)}


async def test_only_what_changed_is_told(scale, toy_scale) -> None:
    batches = scale.subscribe(["weight", "tare"], 0.02)
    await anext(batches)
    toy_scale.weight = "S S 501.00 g"
    (changed,) = await anext(batches)
    await batches.aclose()
    assert (changed.tag, changed.value, changed.initial) == ("weight", 501.0, False)
    assert changed.unchanged_monotonic_ns < changed.received_monotonic_ns


async def test_leaving_leaves_no_task_and_no_socket(toy_scale) -> None:
    before = asyncio.all_tasks()
    config = ScaleConfig(host="127.0.0.1", port=toy_scale.port)
    async with Scale("scale", config, TAGS) as adapter:
        await until(lambda: adapter.health().link is Link.UP)
    await until(lambda: toy_scale.connections == 0)
    await until(lambda: asyncio.all_tasks() == before)
