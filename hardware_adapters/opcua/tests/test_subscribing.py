from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable
from datetime import UTC, datetime
from types import SimpleNamespace
from typing import Any

import pytest
import pytest_asyncio
from asyncua import ua

from millhand.contracts import Link, Quality

pytestmark = pytest.mark.asyncio(loop_scope="module")

POLLED_S = 0.01
SUBSCRIBED_S = 0.1
BOTH = pytest.mark.parametrize("interval_s", [POLLED_S, SUBSCRIBED_S])


async def soon(awaitable: Awaitable[Any]) -> Any:
    return await asyncio.wait_for(awaitable, 5)


async def int32(plant, name: str, value: int, code: int = 0) -> None:
    variant = ua.Variant(value, ua.VariantType.Int32)
    data = ua.DataValue(variant, ua.StatusCode(code), SourceTimestamp=datetime.now(UTC))
    await plant.set(name, data)


@pytest_asyncio.fixture(loop_scope="module")
async def granted(plant):
    """The publishing intervals asked of the server, in ms; set ``least`` to have them revised."""
    service = plant.server.iserver.subscription_service
    original = service.create_subscription

    seen = SimpleNamespace(least=0.0, asked=[])

    async def create(params, *args, **options):
        seen.asked.append(params.RequestedPublishingInterval)
        params.RequestedPublishingInterval = max(params.RequestedPublishingInterval, seen.least)
        return await original(params, *args, **options)

    service.create_subscription = create
    yield seen
    service.create_subscription = original


@BOTH
async def test_all_come_first_then_what_changes(plant, adapt, granted, interval_s) -> None:
    await int32(plant, "Counter", 0)
    tags = {"counter": "s=Counter", "other": "s=Scalar.int32"}
    async with adapt(plant.url, tags) as plc:
        feed = plc.subscribe(["counter", "other"], interval_s)
        first = await soon(anext(feed))
        assert [sample.tag for sample in first] == ["counter", "other"]
        assert all(sample.initial and not sample.gap for sample in first)
        for value in (1, 2, 3):
            await int32(plant, "Counter", value)
            (change,) = await soon(anext(feed))
            assert (change.tag, change.value) == ("counter", value)
            assert (change.initial, change.gap) == (False, False)
            assert change.source_utc_ns is not None
        await feed.aclose()
    assert bool(granted.asked) == (interval_s == SUBSCRIBED_S)


@BOTH
async def test_bad_and_uncertain_are_changes(plant, adapt, interval_s) -> None:
    await int32(plant, "Counter", 1)
    async with adapt(plant.url, {"counter": "s=Counter"}) as plc:
        feed = plc.subscribe(["counter"], interval_s)
        await soon(anext(feed))
        for code, quality in (
            (ua.StatusCodes.UncertainLastUsableValue, Quality.UNCERTAIN),
            (ua.StatusCodes.BadSensorFailure, Quality.BAD),
            (0, Quality.GOOD),
        ):
            await int32(plant, "Counter", 1, code)
            (change,) = await soon(anext(feed))
            assert (change.status, change.quality) == (code, quality)
        await feed.aclose()


@BOTH
async def test_an_unknown_tag_and_nan_do_not_disturb_the_others(plant, adapt, interval_s) -> None:
    nan = ua.DataValue(ua.Variant(float("nan"), ua.VariantType.Double))
    await plant.set("Scalar.double", nan)
    await int32(plant, "Counter", 1)
    tags = {"ghost": "s=Ghost", "number": "s=Scalar.double", "counter": "s=Counter"}
    async with adapt(plant.url, tags) as plc:
        feed = plc.subscribe(list(tags), interval_s)
        ghost, number, counter = await soon(anext(feed))
        assert (ghost.quality, number.note, counter.value) == (Quality.BAD, "nan", 1)
        await plant.set("Scalar.double", nan)
        await asyncio.sleep(2 * interval_s)
        await int32(plant, "Counter", 2)
        (change,) = await soon(anext(feed))
        assert change.tag == "counter"
        await feed.aclose()


async def test_a_server_that_revises_the_interval_is_polled(plant, adapt, granted) -> None:
    await int32(plant, "Counter", 0)
    granted.least = 1000.0
    async with adapt(plant.url, {"counter": "s=Counter"}) as plc:
        feed = plc.subscribe(["counter"], SUBSCRIBED_S)
        await soon(anext(feed))
        worst = 0.0
        for value in range(1, 6):
            await asyncio.sleep(0.03)
            started = time.monotonic()
            await int32(plant, "Counter", value)
            (change,) = await soon(anext(feed))
            assert change.value == value
            worst = max(worst, time.monotonic() - started)
        assert granted.asked
        assert worst < 0.5
        assert SUBSCRIBED_S <= plc.effective_interval_s(SUBSCRIBED_S) < 0.5
        await feed.aclose()
    assert not plant.server.iserver.subscription_service.subscriptions


async def test_polls_keep_to_their_schedule(plant, adapt) -> None:
    async with adapt(plant.url, {"counter": "s=Counter"}) as plc:
        feed = plc.subscribe(["counter"], 0.02)
        await soon(anext(feed))
        started = time.monotonic()
        seen = []

        async def count() -> None:
            async for batch in feed:
                seen.extend(batch)

        counting = asyncio.create_task(count())
        value = 0
        while time.monotonic() - started < 1.0:
            value += 1
            await int32(plant, "Counter", 1000 + value)
            await asyncio.sleep(0.002)
        counting.cancel()
        await asyncio.gather(counting, return_exceptions=True)
        await feed.aclose()
    assert 20 <= len(seen) <= 51


async def test_a_slow_reader_gets_the_present_value_and_the_gap(plant, adapt) -> None:
    await int32(plant, "Counter", 0)
    async with adapt(plant.url, {"counter": "s=Counter"}, queue_limit=2) as plc:
        feed = plc.subscribe(["counter"], 0.002)
        await soon(anext(feed))
        for value in range(1, 30):
            await int32(plant, "Counter", value)
            await asyncio.sleep(0.02)
        got = [(await soon(anext(feed)))[0] for _ in range(2)]
        assert got[-1].value == 29
        assert got[0].gap
        assert plc.dropped_samples > 0
        await feed.aclose()
        assert plc.dropped_samples > 0


@BOTH
async def test_a_lost_link_is_told_once_and_all_comes_again(
    plant, relay, adapt, interval_s
) -> None:
    await int32(plant, "Counter", 10)
    async with adapt(relay.url, {"counter": "s=Counter"}) as plc:
        feed = plc.subscribe(["counter"], interval_s)
        await soon(anext(feed))
        relay.cut()
        (gone,) = await soon(anext(feed))
        assert gone.quality is Quality.DISCONNECTED
        assert gone.value is None
        await int32(plant, "Counter", 11)
        (back,) = await soon(anext(feed))
        assert (back.value, back.initial, back.gap, back.epoch) == (11, True, True, 2)
        await int32(plant, "Counter", 12)
        (change,) = await soon(anext(feed))
        assert (change.value, change.initial, change.gap) == (12, False, False)
        assert plc.health().link is Link.UP
        await feed.aclose()


async def test_a_subscription_that_the_server_ends_is_made_again(
    plant, adapt, granted, eventually
) -> None:
    await int32(plant, "Counter", 20)
    async with adapt(plant.url, {"counter": "s=Counter"}) as plc:
        feed = plc.subscribe(["counter"], SUBSCRIBED_S)
        await soon(anext(feed))
        service = plant.server.iserver.subscription_service
        await eventually(lambda: granted.asked and service.subscriptions)
        *_, subscription = service.subscriptions.values()
        await asyncio.sleep(SUBSCRIBED_S)
        await subscription.monitored_item_srv.trigger_statuschange(
            ua.StatusCode(ua.StatusCodes.BadTimeout)
        )
        (again,) = await soon(anext(feed))
        assert (again.value, again.initial, again.gap) == (20, True, True)
        await int32(plant, "Counter", 21)
        (change,) = await soon(anext(feed))
        assert change.value == 21
        await feed.aclose()
    assert len(granted.asked) == 2


async def test_two_feeds_live_side_by_side(plant, adapt) -> None:
    await int32(plant, "Counter", 30)
    async with adapt(plant.url, {"counter": "s=Counter"}) as plc:
        feeds = [plc.subscribe(["counter"], each) for each in (SUBSCRIBED_S, 0.2, POLLED_S)]
        for feed in feeds:
            await soon(anext(feed))
        await asyncio.sleep(0.2)
        await feeds[0].aclose()
        await int32(plant, "Counter", 31)
        for feed in feeds[1:]:
            (change,) = await soon(anext(feed))
            assert change.value == 31
            await feed.aclose()


async def test_leaving_the_adapter_ends_the_iteration(plant, adapt) -> None:
    async with adapt(plant.url, {"counter": "s=Counter"}) as plc:
        feed = plc.subscribe(["counter"], POLLED_S)
        await soon(anext(feed))
    with pytest.raises(StopAsyncIteration):
        await soon(anext(feed))


async def test_a_poll_never_stands_before_a_write(plant, relay, adapt, permit) -> None:
    await int32(plant, "Counter", 498)
    interval_s = 0.04
    async with adapt(relay.url, {"counter": "s=Counter"}) as plc:
        feed = plc.subscribe(["counter"], interval_s)
        await soon(anext(feed))
        await int32(plant, "Counter", 499)
        await soon(anext(feed))
        relay.answers.clear()
        relay.sent.clear()
        writing = asyncio.create_task(plc.write(permit(("counter", 500))))
        await asyncio.sleep(4 * interval_s)
        assert len(relay.sent) == 1
        relay.answers.set()
        assert (await writing).sent == (500,)
        assert (await soon(anext(feed)))[0].value == 500
        await feed.aclose()
