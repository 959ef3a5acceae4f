from __future__ import annotations

import asyncio

from millhand.contracts import Quality, WriteStatus


async def test_read_write_subscribe(plant, adapt, permit) -> None:
    tags = {"counter": "s=Counter", "text": {"node": "s=Scalar.string", "type": "string"}}
    async with adapt(plant.url, tags) as plc:
        counter, text = await plc.read(["counter", "text"])
        assert (counter.value, text.value) == (0, "impeller")
        assert counter.quality is Quality.GOOD
        feed = plc.subscribe(["counter"], 0.005)
        first = await anext(feed)
        assert first[0].initial
        result = await plc.write(permit(("text", "housing"), ("counter", 7)))
        assert result.status is WriteStatus.SENT, result
        assert result.sent == ("housing", 7)
        (change,) = await asyncio.wait_for(anext(feed), 2)
        assert change.value == 7
        assert not change.initial
        await feed.aclose()
        slow = plc.subscribe(["counter"], 0.2)
        await anext(slow)
        await plc.write(permit(("counter", 8)))
        (change,) = await asyncio.wait_for(anext(slow), 2)
        assert change.value == 8
        await slow.aclose()
