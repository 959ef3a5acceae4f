"""Fleet control and simulated vehicles over a real broker that is killed and frozen."""

from __future__ import annotations

import asyncio
import json
import signal
import uuid
from typing import Any

import pytest

from millhand.contracts import Link, Quality, SkillStatus
from millhand_mqtt.broker import BrokerConfig
from millhand_mqtt.link import BrokerLink
from millhand_vda5050.simulated.presence import Lie
from millhand_vda5050.simulated.world import Character
from millhand_vda5050.wire.codec import Topic

ROW = [f"n{column}-0" for column in range(6)]
ONE = {"agv1": "n0-0"}


@pytest.mark.parametrize("version", ["2.1.0", "3.0.0"])
async def test_a_drive_is_told_to_its_end(broker, cell, version) -> None:
    async with cell(broker, ONE, version=version) as one:
        progress = await one.perform(
            "drive", vehicle="agv1", order_id="o1", path=ROW, action="pick", load="box"
        )
        assert (progress[-1].status, progress[-1].fraction) == (SkillStatus.SUCCEEDED, 1.0)
        fractions = [step.fraction for step in progress]
        assert fractions == sorted(fractions)
        assert len(set(fractions)) > 2
        truth = one.fleet.vehicles["agv1"]
        assert (truth.at, truth.executed, truth.begun) == ("n5-0", {"o1/pick": 1}, [("o1", 0)])
        assert await one.value("agv1.node") == "n5-0"
        assert one.fleet.at_broker["agv1"].malformed == 0
        assert await one.value("fleet.doubt") == [""]


async def test_an_order_is_handed_over_and_extended(broker, cell, eventually) -> None:
    async with cell(broker, ONE) as one:
        goal = {"vehicle": "agv1", "order_id": "o1"}
        assert await one.ends("order", path=ROW, released=2, **goal) is SkillStatus.SUCCEEDED
        truth = one.fleet.vehicles["agv1"]
        await eventually(lambda: truth.at == "n1-0" and not truth.moving)
        update = {"path": ROW[1:], "first_sequence": 2, "update_id": 1}
        assert await one.ends("order", **update, **goal) is SkillStatus.SUCCEEDED
        # The same again, as after an answer that was lost: taken for what it is.
        assert await one.ends("order", **update, **goal) is SkillStatus.SUCCEEDED
        await eventually(lambda: truth.at == "n5-0")
        assert truth.begun == [("o1", 0), ("o1", 1)]
        # What the vehicle refuses is refused, with its word for it.
        (*_, last) = await one.perform("order", path=ROW, vehicle="agv1", order_id="o2")
        assert last.status == SkillStatus.REJECTED
        assert "noRouteError" in last.detail


async def test_orders_for_several_are_handed_over_together(broker, cell, eventually) -> None:
    starts = {f"agv{n}": f"n0-{n}" for n in range(4)}
    async with cell(broker, starts) as one:

        def orders(*extra: dict[str, Any]) -> dict[str, Any]:
            goals = [
                {
                    "vehicle": who,
                    "order_id": f"{who}/1",
                    "path": [f"n{column}-{n}" for column in range(6)],
                }
                for n, who in enumerate(starts)
            ]
            return {"orders": [json.dumps(goal) for goal in (*goals, *extra)]}

        wrong = {"vehicle": "agv0", "order_id": "x", "path": ["n0-0"]}
        for bad in (wrong, {**wrong, "vehicle": "agv9"}, {"order_id": 1}):
            assert await one.ends("orders", **orders(bad)) is SkillStatus.REJECTED
        assert not any(truth.begun for truth in one.fleet.vehicles.values())
        one.fleet.at_broker["agv3"].deaf = True
        (last,) = await one.perform("orders", 2.0, **orders())
        assert last.status == SkillStatus.FAILED
        assert "agv3" in last.detail
        assert "agv2" not in last.detail
        one.fleet.at_broker["agv3"].deaf = False
        assert await one.ends("orders", **orders()) is SkillStatus.SUCCEEDED
        await eventually(
            lambda: (
                [truth.at for truth in one.fleet.vehicles.values()] == [f"n5-{n}" for n in range(4)]
            )
        )
        for who, truth in one.fleet.vehicles.items():
            assert truth.begun == [(f"{who}/1", 0)]


async def test_tags_tell_of_one_and_of_all(broker, cell) -> None:
    async with cell(broker, {"agv1": "n0-0", "agv2": "n3-3"}) as one:
        feed = one.control.subscribe(["fleet.node", "agv1.order"], 0.05)
        first = await asyncio.wait_for(anext(feed), 10)
        assert [sample.value for sample in first] == [["n0-0", "n3-3"], ""]
        assert all(sample.initial for sample in first)
        await one.perform("drive", vehicle="agv1", order_id="o1", path=ROW)
        seen: dict[str, Any] = {}
        while seen.get("fleet.node") != ["n5-0", "n3-3"]:
            for sample in await asyncio.wait_for(anext(feed), 10):
                assert sample.good
                assert not sample.initial
                seen[sample.tag] = sample.value
        assert seen["agv1.order"] == "o1"
        await feed.aclose()
        found = {info.address for info in await one.control.browse()}
        assert {"fleet.charge", "agv2.charge"} <= found
        (unknown,) = await one.control.read(["agv9.node"])
        assert unknown.quality is Quality.BAD


async def test_who_vanishes_is_not_there_and_comes_back(broker, cell, eventually) -> None:
    async with cell(broker, ONE) as one:
        gone = one.fleet.at_broker["agv1"]
        slow = asyncio.create_task(
            one.ends("drive", vehicle="agv1", order_id="o1", path=ROW, action="wait")
        )
        one.fleet.world.blocked.add("n5-0")
        async with asyncio.timeout(20):
            while await one.value("agv1.order") != "o1":
                await asyncio.sleep(0.01)
        await gone.vanish()
        assert await slow is SkillStatus.UNKNOWN
        (sample,) = await one.control.read(["agv1.node"])
        assert sample.quality is Quality.STALE
        assert await one.value("agv1.online") is False
        assert await one.ends("order", vehicle="agv1", order_id="o2", path=ROW) is (
            SkillStatus.REJECTED
        )
        await gone.start()
        one.fleet.world.blocked.clear()
        async with asyncio.timeout(20):
            while not await one.value("agv1.online"):
                await asyncio.sleep(0.02)
        await eventually(lambda: one.fleet.vehicles["agv1"].at == "n5-0")
        assert one.fleet.vehicles["agv1"].begun == [("o1", 0)]


@pytest.mark.parametrize("lie", Lie)
async def test_who_lies_gets_no_order_until_a_person_trusts_it(broker, cell, lie) -> None:
    async with cell(broker, ONE) as one:
        goal: dict[str, Any] = {"vehicle": "agv1", "order_id": "o1", "path": ROW[:3]}
        assert await one.ends("drive", **goal) is SkillStatus.SUCCEEDED
        vehicle = one.fleet.at_broker["agv1"]
        vehicle.lie = lie
        async with asyncio.timeout(20):
            while not await one.value("agv1.doubt"):
                await asyncio.sleep(0.02)
        vehicle.lie = None
        onward = {"vehicle": "agv1", "order_id": "o2", "path": ROW[2:]}
        (*_, last) = await one.perform("order", **onward)
        assert last.status == SkillStatus.REJECTED
        assert "not believed" in last.detail
        await vehicle.tell()
        await asyncio.sleep(0.3)
        assert await one.ends("trust", vehicle="agv1") is SkillStatus.SUCCEEDED
        assert await one.ends("drive", **onward) is SkillStatus.SUCCEEDED


async def test_repetitions_and_nonsense_change_nothing(broker, cell, eventually) -> None:
    async with cell(broker, ONE) as one:
        vehicle = one.fleet.at_broker["agv1"]
        track = one.control._control.tracks["agv1"]
        for _ in range(5):
            await vehicle.repeat()
        await eventually(lambda: track.counter.repeated >= 5)
        for payload in (b"", b"{}", b"[" * 10_000, b'{"headerId": "x"}', b"\xff" * 50):
            for topic in (Topic.STATE, Topic.CONNECTION, Topic.FACTSHEET):
                await vehicle.link.publish(vehicle.topic(topic), payload)
            await vehicle.link.publish(vehicle.topic(Topic.ORDER), payload)
        await eventually(lambda: track.malformed >= 15 and vehicle.malformed >= 5)
        goal = {"vehicle": "agv1", "order_id": "o1", "path": ROW[:3]}
        assert await one.ends("drive", **goal) is SkillStatus.SUCCEEDED
        assert await one.value("agv1.doubt") == ""


async def test_stop_pauses_all_and_resume_lets_one_go_on(broker, cell, eventually) -> None:
    crawl = Character(speed=2.0, acceleration=10.0)
    async with cell(broker, {"agv1": "n0-0", "agv2": "n0-1"}, character=crawl) as one:
        rows = {f"agv{n}": [f"n{column}-{n - 1}" for column in range(6)] for n in (1, 2)}
        drives = [
            asyncio.create_task(one.ends("drive", vehicle=who, order_id=who, path=path))
            for who, path in rows.items()
        ]
        await eventually(lambda: all(truth.moving for truth in one.fleet.vehicles.values()))
        await one.control.stop()
        assert [await drive for drive in drives] == [SkillStatus.STOPPED] * 2
        await eventually(lambda: not any(t.moving for t in one.fleet.vehicles.values()))
        assert await one.ends("resume", vehicle="agv1") is SkillStatus.SUCCEEDED
        await eventually(lambda: one.fleet.vehicles["agv1"].moving)
        assert not one.fleet.vehicles["agv2"].moving


async def test_instant_actions_have_one_effect(broker, cell) -> None:
    async with cell(broker, ONE) as one:
        goal = {"vehicle": "agv1", "action": "stateRequest", "action_id": str(uuid.uuid4())}
        for _ in range(3):
            assert await one.ends("instant", **goal) is SkillStatus.SUCCEEDED
        assert one.fleet.vehicles["agv1"].executed[goal["action_id"]] == 1
        dance = {"vehicle": "agv1", "action": "dance", "action_id": "d"}
        assert await one.ends("instant", **dance) is SkillStatus.FAILED


async def test_a_vehicle_that_lost_its_memory_is_not_given_the_order_again(
    broker, cell, eventually
) -> None:
    """It might be carried out twice; the outcome is unknown instead."""
    async with cell(broker, ONE) as one:
        vehicle = one.fleet.at_broker["agv1"]
        first = {"vehicle": "agv1", "order_id": "o1", "path": ROW[:2]}
        assert await one.ends("drive", **first) is SkillStatus.SUCCEEDED
        vehicle.deaf = True
        onward = {"vehicle": "agv1", "order_id": "o2", "path": ROW[1:]}
        handing = asyncio.create_task(one.ends("order", **onward))
        await asyncio.sleep(0.1)
        vehicle.vehicle._order = None
        await vehicle.tell()
        assert await handing is SkillStatus.UNKNOWN


@pytest.mark.parametrize("version", ["2.1.0", pytest.param("3.0.0", marks=pytest.mark.slow)])
async def test_twenty_broker_kills_and_nothing_is_done_twice(mosquitto, cell, version) -> None:
    """Orders that are under way when the broker dies are carried out once, all of them."""
    broker = mosquitto()
    await broker.start()
    starts = {f"agv{n}": f"n0-{n}" for n in range(4)}
    swift = Character(speed=100.0, acceleration=500.0, handling_s=0.05)
    options = {"version": version, "silent_after_s": 30.0, "confirm_s": 0.3}
    async with cell(broker, starts, character=swift, **options) as one:
        for kill in range(20):
            ways = {}
            for n, who in enumerate(starts):
                row = [f"n{column}-{n}" for column in range(6)]
                ways[who] = row if kill % 2 == 0 else row[::-1]
            orders = [
                asyncio.create_task(
                    one.ends(
                        "order", 60, vehicle=who, order_id=f"{who}/{kill}", path=path, action="wait"
                    )
                )
                for who, path in ways.items()
            ]
            await asyncio.sleep(0.002 * (kill % 5))
            broker.kill()
            await broker.start()
            async with asyncio.timeout(60):
                while True:
                    truths = one.fleet.vehicles.values()
                    if all(truth.begun[-1:] == [(f"{truth.serial}/{kill}", 0)] for truth in truths):
                        break
                    done, _ = await asyncio.wait(orders, timeout=0.05)
                    for n, who in enumerate(starts):
                        # Refused because the link was away: the agent asks again, same ids.
                        if orders[n] in done and orders[n].result() is SkillStatus.REJECTED:
                            orders[n] = asyncio.create_task(
                                one.ends(
                                    "order",
                                    60,
                                    vehicle=who,
                                    order_id=f"{who}/{kill}",
                                    path=ways[who],
                                    action="wait",
                                )
                            )
                            await asyncio.sleep(0.1)
                while not all(
                    truth.at == ways[truth.serial][-1] and truth.state(0).idle for truth in truths
                ):
                    await asyncio.sleep(0.02)
            await asyncio.wait(orders, timeout=60)
            async with asyncio.timeout(60):
                while not all(await one.value("fleet.idle")) or not all(
                    await one.value("fleet.online")
                ):
                    await asyncio.sleep(0.02)
        for truth in one.fleet.vehicles.values():
            wanted = [f"{truth.serial}/{kill}" for kill in range(20)]
            assert truth.begun == [(order, 0) for order in wanted]
            assert truth.executed == {f"{order}/wait": 1 for order in wanted}
        assert await one.value("fleet.doubt") == [""] * 4


async def test_a_frozen_broker_leaves_an_order_unknown_or_refused_never_double(
    broker, cell, eventually
) -> None:
    async with cell(broker, ONE) as one:
        handing = asyncio.create_task(
            one.ends("order", 30, vehicle="agv1", order_id="o1", path=ROW, action="wait")
        )
        await asyncio.sleep(0)
        broker.signal(signal.SIGSTOP)
        await eventually(lambda: one.control.health().link is Link.DOWN)
        broker.signal(signal.SIGCONT)
        assert await handing is SkillStatus.SUCCEEDED
        await eventually(lambda: one.fleet.vehicles["agv1"].at == "n5-0")
        await eventually(lambda: one.fleet.vehicles["agv1"].executed == {"o1/wait": 1})
        assert one.fleet.vehicles["agv1"].begun == [("o1", 0)]


async def test_a_permit_for_another_goal_moves_nothing(broker, cell) -> None:
    from millhand.errors import NotAllowed
    from millhand.testing.permits import permit_for

    async with cell(broker, ONE) as one:
        goal = {"vehicle": "agv1", "order_id": "o1", "path": ROW}
        for writes in (
            (("skill.order", json.dumps({**goal, "path": ROW[:2]})),),
            (("skill.drive", json.dumps(goal)),),
            (("skill.order", json.dumps(goal)), ("skill.order", json.dumps(goal))),
        ):
            permit = permit_for("agvs", *writes)
            with pytest.raises(NotAllowed):
                async for _ in one.control.perform(permit, "order", goal, 2**62):
                    pass
        assert one.fleet.vehicles["agv1"].begun == []


async def test_asked_again_while_it_is_handed_over_an_order_is_begun_once(broker, cell) -> None:
    async with cell(broker, ONE) as one:
        text = json.dumps({"vehicle": "agv1", "order_id": "o1", "path": ROW})
        endings = await asyncio.gather(*(one.ends("orders", orders=[text]) for _ in range(3)))
        assert endings == [SkillStatus.SUCCEEDED] * 3
        assert one.fleet.vehicles["agv1"].begun == [("o1", 0)]


async def test_an_order_that_was_driven_is_not_handed_over_again(broker, cell) -> None:
    async with cell(broker, ONE) as one:
        first = {"vehicle": "agv1", "order_id": "o1", "path": ROW[:2]}
        assert await one.ends("drive", **first) is SkillStatus.SUCCEEDED
        second = {"vehicle": "agv1", "order_id": "o2", "path": ROW[1:3]}
        assert await one.ends("drive", **second) is SkillStatus.SUCCEEDED
        late = {**second, "order_id": "o1", "path": ROW[2:4]}
        assert await one.ends("order", **late) is SkillStatus.REJECTED
        assert one.fleet.vehicles["agv1"].begun == [("o1", 0), ("o2", 0)]


async def test_hostile_messages_and_other_versions_are_counted_and_change_nothing(
    broker, cell, eventually
) -> None:
    config = BrokerConfig.model_validate({"url": broker.url})
    link = BrokerLink("intruder", config, [], lambda _: None)
    await link.start()
    await link.wait_connected(20)
    async with cell(broker, ONE) as one:
        truth = one.fleet.at_broker["agv1"]
        state, order = truth.topic(Topic.STATE), truth.topic(Topic.ORDER)
        good = json.loads(truth._last_state)
        bad = [
            b"", b"{", b"\xff\xfe", b"null", b"[" * 5000, b"1e999", b'{"headerId": 1}',
            json.dumps({**good, "version": "3.0.0"}).encode(),
            json.dumps({**good, "version": "9"}).encode(),
            json.dumps({**good, "lastNodeSequenceId": "0"}).encode(),
            json.dumps({**good, "batteryState": {"batteryCharge": float("nan")}}).encode(),
        ]  # fmt: skip
        for payload in bad:
            await link.publish(state, payload)
            await link.publish(order, payload)
        track = one.control._control.tracks["agv1"]
        await eventually(lambda: track.malformed >= len(bad))
        await eventually(lambda: truth.malformed >= len(bad))
        assert truth.vehicle.begun == []
        assert await one.value("agv1.node") == "n0-0"
        assert await one.ends("order", vehicle="agv1", order_id="o1", path=ROW) is (
            SkillStatus.SUCCEEDED
        )
    await link.stop()
