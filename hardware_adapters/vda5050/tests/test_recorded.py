"""Every message of a run, recorded at the broker by somebody else, is one of the schemas."""

from __future__ import annotations

import json
from collections import Counter
from typing import Any

import fastjsonschema
import pytest

from millhand.contracts import SkillStatus
from millhand_mqtt.broker import BrokerConfig
from millhand_mqtt.link import BrokerLink
from millhand_vda5050.wire.codec import Topic, Version

ROW = [f"n{column}-0" for column in range(6)]


@pytest.mark.parametrize("version", Version)
async def test_every_message_is_one_of_the_schema(broker, cell, schema_of, version) -> None:
    recorded: list[tuple[str, bytes]] = []
    config = BrokerConfig.model_validate({"url": broker.url})
    recorder = BrokerLink(
        "recorder", config, ["#"], lambda one: recorded.append((one.topic, one.payload))
    )
    await recorder.start()
    await recorder.wait_connected(20)
    async with cell(broker, {"agv1": "n0-0"}, version=version.value) as one:
        first: dict[str, Any] = {"vehicle": "agv1", "order_id": "o1"}
        assert await one.ends("order", path=ROW, released=2, **first) is SkillStatus.SUCCEEDED
        assert (
            await one.ends(
                "drive",
                **first,
                update_id=1,
                path=ROW[1:],
                first_sequence=2,
                action="pick",
                load="box",
            )
            is SkillStatus.SUCCEEDED
        )
        (*_, refused) = await one.perform("order", path=ROW, vehicle="agv1", order_id="o2")
        assert refused.status == SkillStatus.REJECTED
        await one.control.stop()
        assert await one.ends("resume", vehicle="agv1") is SkillStatus.SUCCEEDED
    await recorder.stop()
    validators = {
        topic: fastjsonschema.compile(schema_of(version, topic))
        for topic in Topic
        if topic is not Topic.RESPONSES
    }
    seen: Counter[Topic] = Counter()
    headers: dict[str, int] = {}
    for where, payload in recorded:
        *begin, name = where.split("/")
        assert begin == ["uagv", version.major, "millhand", "agv1"]
        message = validators[Topic(name)](json.loads(payload))
        assert message["version"] == version.value
        seen[Topic(name)] += 1
        if Topic(name) in (Topic.STATE, Topic.ORDER, Topic.INSTANT_ACTIONS):
            assert message["headerId"] == headers.get(name, message["headerId"] - 1) + 1
            headers[name] = message["headerId"]
    assert set(seen) == set(Topic) - {Topic.RESPONSES, Topic.VISUALIZATION}
    assert seen[Topic.STATE] > 5
