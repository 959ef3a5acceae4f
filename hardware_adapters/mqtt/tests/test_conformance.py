"""The kit for ``Tags`` on a real mosquitto, with the device played by another client."""

from __future__ import annotations

import asyncio
import json
import math
import signal
import sys
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, ClassVar

import pytest

from millhand.contracts import Quality, Value
from millhand.testing.conformance import TagCase, TagsBench, TagsCapability, TagsKit
from millhand_mqtt import testing
from millhand_mqtt.adapter import Mqtt
from millhand_mqtt.payloads import parse, read

NOT_NUMBERS: tuple[Value, ...] = ("1", True, None, [1], math.nan, math.inf)
GREATEST_FLOAT = 3.4028234663852886e38


def tag(name: str, kind: str, **keys: Any) -> dict[str, Any]:
    return {
        "topic": f"t/{name}",
        "path": "$",
        "type": kind,
        "write": {"topic": f"set/{name}"},
        **keys,
    }


def integer(bits: int, *, signed: bool) -> TagCase:
    name = f"{'' if signed else 'u'}int{bits}"
    least = -(2 ** (bits - 1)) if signed else 0
    greatest = 2 ** (bits - (1 if signed else 0)) - 1
    misfits = (*NOT_NUMBERS, least - 1, greatest + 1, 0.5)
    return TagCase(tag(name, name), (least, greatest, 0, 1), misfits)


CASES: dict[str, TagCase] = {
    "bool": TagCase(tag("bool", "bool"), (True, False), (1, 0.0, "true", None)),
    **{
        f"{'' if signed else 'u'}int{bits}": integer(bits, signed=signed)
        for bits in (8, 16, 32, 64)
        for signed in (True, False)
    },
    "float": TagCase(
        tag("float", "float"),
        (0.5, GREATEST_FLOAT, -GREATEST_FLOAT, 1.401298464324817e-45, 0.0),
        (*NOT_NUMBERS, 1e39),
    ),
    "double": TagCase(
        tag("double", "double"), (0.1, sys.float_info.max, -sys.float_info.max, 5e-324), NOT_NUMBERS
    ),
    "limited": TagCase(
        tag("limited", "double", minimum=0, maximum=120), (0.0, 120.0), (-0.001, 120.001)
    ),
    "string": TagCase(
        tag("string", "string"), ("", "Gehäuse 漢字 \U0001f527", "x" * 5000), (1, None, "\ud800")
    ),
    "ring": TagCase(
        tag("ring", "int32[]"),
        ([2**31 - 1, -(2**31)] * 8, [0] * 16),
        (0, [2**31], ["0"], [None], None),
    ),
    "readonly": TagCase(
        {"topic": "t/readonly", "path": "$", "type": "int32"}, (1, 2), writable=False
    ),
    "counter": TagCase(tag("counter", "int32"), (3, 4), (2**31,)),
}


class MqttBench(TagsBench):
    """A broker in a process of its own, and a client that is the device."""

    device = "oven"
    cases = CASES
    counter, second, floating = "counter", "string", "double"
    ghost: ClassVar[Mapping[str, Any]] = {"topic": "t/ghost", "path": "$"}
    quick: ClassVar[Mapping[str, Any]] = {"request_timeout_s": 0.5, "keepalive_s": 1}
    small_queue: ClassVar[Mapping[str, Any]] = {"queue_limit": 4}

    def __init__(self, folder: Path, peer: Any) -> None:
        self._peer_of = peer
        self._peer: Any = None
        # What was kept must outlive a kill, as on a broker that saves to disk.
        self.broker = testing.Mosquitto(
            folder,
            "persistence true",
            f"persistence_location {folder}/",
            "autosave_interval 0",
        )
        self._saved = folder / "mosquitto.db"
        self._adapters: list[Mqtt] = []
        self._told: dict[str, bytes] = {}
        self._sync = 0

    def close(self) -> None:
        if self._peer is not None:
            self._peer.close()  # before its broker goes, or it would wait to connect again
        self.broker.kill()

    async def ready(self) -> None:
        if self.broker.running:
            self.broker.signal(signal.SIGCONT)
        else:
            await self.restart()
        if self._peer is None:
            await self._listen()
        self._adapters.clear()
        for name, case in self.cases.items():
            await self._publish(name, json.dumps(case.values[0]).encode())
        await self._settled()
        self._peer.heard.clear()

    async def _listen(self) -> None:
        self._peer = self._peer_of(self.broker)
        await self._peer.listen("set/#")
        await self._peer.listen("sync")

    @property
    def address(self) -> tuple[str, int]:
        return "127.0.0.1", self.broker.port

    def adapter(
        self, tags: Mapping[str, Any], address: tuple[str, int] | None = None, **options: Any
    ) -> Mqtt:
        host, port = address or self.address
        # The ghost never speaks, so every start would wait for it.
        short = {"browse_s": 0.5, "retained_wait_s": 0.1, "retry_limit_s": 0.3}
        config = {"url": f"mqtt://{host}:{port}", **short, **options}
        made = Mqtt(
            self.device,
            Mqtt.Config.model_validate(config),
            {name: Mqtt.Tag.model_validate(one) for name, one in tags.items()},
        )
        self._adapters.append(made)
        return made

    async def set(self, tag: str, value: Value, quality: Quality = Quality.GOOD) -> None:
        payload = json.dumps(value) if quality is Quality.GOOD else '{"broken": "sensor"}'
        await self._publish(tag, payload.encode())
        # The adapter reads what it was told; wait until it was.
        async with asyncio.timeout(10):
            while not all(self._has(one, tag, payload) for one in self._adapters):
                await asyncio.sleep(0.002)

    def _has(self, adapter: Mqtt, tag: str, payload: str) -> bool:
        if not adapter._link.up or tag not in adapter._tags:
            return True
        reading = read(adapter._tags[tag], payload.encode(), parse(payload.encode()))
        seen = adapter._board._samples.get(tag)
        return seen is not None and (seen.value, seen.quality, seen.note) == reading[:3]

    async def _publish(self, name: str, payload: bytes) -> None:
        self._told[name] = payload
        await self._peer.say(f"t/{name}", payload, retain=True)

    async def _settled(self) -> None:
        """Return when the broker has handed out all that it was sent before."""
        self._sync += 1
        mark = str(self._sync).encode()
        await self._peer.say("sync", mark)
        async with asyncio.timeout(10):
            while not any(topic == "sync" and body == mark for topic, body, _ in self._peer.heard):
                await asyncio.sleep(0.002)

    async def written(self, tag: str) -> Sequence[Value]:
        await self._settled()
        return [json.loads(body) for topic, body, _ in self._peer.heard if topic == f"set/{tag}"]

    async def order_written(self) -> Sequence[str]:
        await self._settled()
        topics = [topic for topic, _, _ in self._peer.heard]
        return [topic.removeprefix("set/") for topic in topics if topic.startswith("set/")]

    async def kill(self) -> None:
        self._saved.unlink(missing_ok=True)
        self.broker.signal(signal.SIGUSR1)
        async with asyncio.timeout(10):
            while not self._saved.exists():
                await asyncio.sleep(0.002)
        self.broker.kill()
        self._peer.close()
        self._peer = None

    async def restart(self, *, reordered: bool = False) -> None:
        del reordered
        await self.broker.start()
        await self._listen()
        for name, payload in list(self._told.items()):
            await self._publish(name, payload)

    async def freeze(self) -> None:
        self.broker.signal(signal.SIGSTOP)

    async def thaw(self) -> None:
        self.broker.signal(signal.SIGCONT)


class TestMosquitto(TagsKit):
    subject, peer, independent = "mqtt", "mosquitto", True
    lacks: ClassVar[Mapping[str, str]] = {
        TagsCapability.UNCERTAIN: "a JSON value is there or not; there is no quality between",
        TagsCapability.REORDER: "topics are names, never numbers that a restart could change",
        TagsCapability.SECURITY: "test_link.py has brokers with TLS, passwords and access lists",
    }

    @pytest.fixture
    def bench(self, tmp_path: Path, peer_maker: Any) -> Iterator[MqttBench]:
        if testing.BINARY is None:
            pytest.skip(testing.MISSING)
        made = MqttBench(tmp_path, peer_maker)
        yield made
        made.close()

    async def test_dead_device_delays_no_other(self, bench: TagsBench) -> None:
        """Reads are answered from what was heard: a silent broker delays nobody at all."""
        async with (
            self.up(bench) as other,
            self.through_proxy(bench) as (adapter, proxy),
        ):
            proxy.black_hole()
            async with asyncio.timeout(1):
                for one in (adapter, other) * 5:
                    assert await one.read([bench.counter])
            proxy.lift()
