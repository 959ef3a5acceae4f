from __future__ import annotations

import asyncio
from typing import Any

import pytest

from millhand.contracts import Quality, WriteStatus
from millhand.errors import NotAllowed

TAGS: dict[str, Any] = {
    "temperature": {"topic": "oven/state", "path": "$.temperature", "type": "double"},
    "door": {"topic": "oven/state", "path": "$.door", "type": "bool", "time": "$.at"},
    "name": "oven/name",
    "setpoint": {
        "topic": "oven/setpoint",
        "type": "double",
        "minimum": 0,
        "maximum": 300,
        "write": "oven/setpoint/set $.value",
    },
}


async def test_what_the_broker_has_kept_is_there_when_the_link_is_up(broker, peer, adapt) -> None:
    other = peer(broker)
    await other.say("oven/state", b'{"temperature": 180.5, "door": false}', retain=True)
    async with adapt(broker.url, TAGS) as oven:
        temperature, door, name, unknown = await oven.read(["temperature", "door", "name", "nix"])
        assert (temperature.value, temperature.quality) == (180.5, Quality.GOOD)
        assert (door.value, door.quality, door.epoch) == (False, Quality.GOOD, 1)
        assert (name.value, name.quality) == (None, Quality.BAD)
        assert "no message" in name.note
        assert (unknown.tag, unknown.quality) == ("nix", Quality.BAD)


async def test_changes_are_handed_on_together_and_in_order(broker, peer, adapt) -> None:
    other = peer(broker)
    async with adapt(broker.url, TAGS, retained_wait_s=0.05) as oven:
        feed = oven.subscribe(["temperature", "door", "name"], 0.01)
        first = await anext(feed)
        assert [sample.tag for sample in first] == ["temperature", "door", "name"]
        assert all(sample.initial and sample.quality is Quality.BAD for sample in first)
        await other.say("oven/state", b'{"temperature": 1, "door": true, "at": 1763000000}')
        one, two = await asyncio.wait_for(anext(feed), 10)
        assert (one.value, two.value) == (1.0, True)
        assert not one.initial
        assert two.source_utc_ns == 1_763_000_000 * 10**9
        await other.say("oven/state", b'{"temperature": 1, "door": true}')
        await other.say("oven/state", b'{"temperature": 2, "door": true}')
        await other.say("oven/state", b'{"door": true}')
        (only,) = await asyncio.wait_for(anext(feed), 10)
        assert (only.tag, only.value) == ("temperature", 2.0)
        (gone,) = await asyncio.wait_for(anext(feed), 10)
        assert (gone.tag, gone.value, gone.quality) == ("temperature", None, Quality.BAD)
        await feed.aclose()


async def test_a_retained_message_is_old_news(broker, peer, adapt) -> None:
    await peer(broker).say("oven/name", b"impeller", retain=True)
    async with adapt(broker.url, TAGS) as oven:
        feed = oven.subscribe(["name"], 0.01)
        (first,) = await anext(feed)
        assert (first.value, first.initial, first.gap) == ("impeller", True, False)
        await feed.aclose()


async def test_a_value_grows_stale_and_fresh_again(broker, peer, adapt) -> None:
    other = peer(broker)
    tags = {"name": {"topic": "oven/name", "stale_after_s": 0.2}}
    async with adapt(broker.url, tags, retained_wait_s=0) as oven:
        feed = oven.subscribe(["name"], 0.01)
        await anext(feed)
        await other.say("oven/name", b"impeller")
        (fresh,) = await asyncio.wait_for(anext(feed), 10)
        assert fresh.good
        (stale,) = await asyncio.wait_for(anext(feed), 10)
        assert (stale.value, stale.quality) == ("impeller", Quality.STALE)
        assert (await oven.read(["name"]))[0].quality is Quality.STALE
        await other.say("oven/name", b"impeller")
        (again,) = await asyncio.wait_for(anext(feed), 10)
        assert again.good
        await feed.aclose()


async def test_a_slow_reader_loses_history_but_not_the_present(
    broker, peer, adapt, eventually
) -> None:
    other = peer(broker)
    async with adapt(broker.url, TAGS, retained_wait_s=0, queue_limit=4) as oven:
        feed = oven.subscribe(["name", "setpoint"], 0.01)
        await anext(feed)
        for number in range(20):
            await other.say("oven/name", f"part {number}")
        await other.say("oven/setpoint", b"5")
        await eventually(lambda: oven._board._samples.get("setpoint") is not None)
        assert oven.dropped_samples > 0
        seen: dict[str, Any] = {}
        while "setpoint" not in seen:
            for sample in await asyncio.wait_for(anext(feed), 10):
                seen[sample.tag] = sample
        assert seen["name"].value == "part 19"
        assert seen["setpoint"].value == 5
        await feed.aclose()
    assert oven.dropped_samples > 0


# --- writing ---


async def test_a_write_is_published_once_and_acknowledged(broker, peer, adapt, permit, eventually):
    other = peer(broker)
    await other.listen("oven/setpoint/#")
    async with adapt(broker.url, TAGS, retained_wait_s=0) as oven:
        leave = permit(("setpoint", 210))
        result = await oven.write(leave)
        assert (result.status, result.sent) == (WriteStatus.SENT, (210.0,))
        await eventually(lambda: other.heard)
        assert other.heard == [("oven/setpoint/set", b'{"value": 210.0}', False)]
        with pytest.raises(NotAllowed):
            await oven.write(leave)
        with pytest.raises(NotAllowed):
            await oven.write(permit(("setpoint", 1), device="other"))
    assert len(other.heard) == 1


@pytest.mark.parametrize("write", [("setpoint", 301), ("setpoint", "hot"), ("name", 1), ("nix", 1)])
async def test_what_does_not_fit_is_rejected_and_the_permit_unspent(
    broker, adapt, permit, write
) -> None:
    async with adapt(broker.url, TAGS, retained_wait_s=0) as oven:
        leave = permit(("setpoint", 1), write)
        result = await oven.write(leave)
        assert (result.status, result.sent, leave.redeemed) == (WriteStatus.REJECTED, (), 0)
        assert write[0] in result.detail


async def test_several_writes_go_out_in_order(broker, peer, adapt, permit, eventually) -> None:
    tags = {
        name: {"topic": f"plc/{name}", "type": "int32", "write": f"plc/{name}"}
        for name in ("part", "result", "id")
    }
    other = peer(broker)
    await other.listen("plc/#")
    async with adapt(broker.url, tags, retained_wait_s=0) as plc:
        for number in range(50):
            writes = (("part", number), ("result", 1), ("id", number))
            assert (await plc.write(permit(*writes))).status is WriteStatus.SENT
        await eventually(lambda: len(other.heard) == 150)
        topics = [topic.removeprefix("plc/") for topic, _, _ in other.heard]
        assert topics == ["part", "result", "id"] * 50


async def test_a_refusal_by_the_broker_is_rejected(mosquitto, adapt, permit, tmp_path) -> None:
    acl = tmp_path / "acl"
    acl.write_text("topic read #\n")
    acl.chmod(0o644)
    broker = mosquitto(f"acl_file {acl}")
    await broker.start()
    async with adapt(broker.url, TAGS, retained_wait_s=0) as oven:
        result = await oven.write(permit(("setpoint", 1)))
        assert result.status is WriteStatus.REJECTED
        assert "authorized" in result.detail.lower()


@pytest.mark.parametrize("protocol", ["3.1.1", "5"])
async def test_both_versions_of_the_protocol(broker, peer, adapt, permit, eventually, protocol):
    other = peer(broker)
    await other.listen("oven/setpoint/set")
    async with adapt(broker.url, TAGS, retained_wait_s=0, protocol=protocol) as oven:
        assert (await oven.write(permit(("setpoint", 7)))).status is WriteStatus.SENT
        await eventually(lambda: other.heard)


async def test_browse_lists_what_speaks(broker, peer, adapt) -> None:
    other = peer(broker)
    await other.say(
        "oven/state", b'{"zones": [1, 2], "door": true, "deep": {"a b": 1.5}}', retain=True
    )
    await other.say("oven/name", b"impeller", retain=True)
    async with adapt(broker.url, TAGS, browse_s=0.3) as oven:
        found = {info.address: info.type for info in await oven.browse()}
    assert found == {
        "oven/name": "string",
        "oven/state $.zones": "int64[]",
        "oven/state $.door": "bool",
        "oven/state $.deep['a b']": "double",
    }
    # Each address is a whole tag.
    for address in found:
        oven.Tag.model_validate(address)
