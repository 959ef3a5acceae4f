from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio

from millhand.contracts import Write
from millhand.errors import NotAllowed
from millhand_mqtt import testing
from millhand_mqtt.adapter import Mqtt


class OnePermit:
    """A permit as the guard makes them: once, for one device."""

    def __init__(self, device: str, *writes: tuple[str, Any]) -> None:
        self.device = device
        self.writes = tuple(Write(tag=tag, value=value) for tag, value in writes)
        self.redeemed = 0

    def redeem(self, device: str) -> tuple[Write, ...]:
        if device != self.device or self.redeemed:
            raise NotAllowed("spent or made out to another device")
        self.redeemed += 1
        return self.writes


@pytest.fixture
def permit() -> Callable[..., OnePermit]:
    def make(*writes: tuple[str, Any], device: str = "oven") -> OnePermit:
        return OnePermit(device, *writes)

    return make


@pytest.fixture
def eventually() -> Callable[..., Any]:
    async def wait_until(condition: Callable[[], Any], timeout_s: float = 20) -> None:
        async with asyncio.timeout(timeout_s):
            while not condition():
                await asyncio.sleep(0.005)

    return wait_until


@pytest.fixture
def mosquitto(tmp_path: Path) -> AsyncIterator[Callable[..., Any]]:
    """Return a maker of brokers; all are killed in the end."""
    if testing.BINARY is None:
        pytest.skip(testing.MISSING)
    made: list[Any] = []

    def make(*lines: str, scheme: str = "mqtt") -> Any:
        made.append(testing.Mosquitto(tmp_path, *lines, scheme=scheme))
        return made[-1]

    yield make
    for one in made:
        one.kill()


@pytest_asyncio.fixture
async def broker(mosquitto: Any) -> Any:
    started = mosquitto()
    await started.start()
    return started


@pytest.fixture
def adapt() -> Callable[..., Any]:
    @asynccontextmanager
    async def open_adapter(
        url: str, tags: dict[str, Any], *, connect: bool = True, **options: Any
    ) -> AsyncIterator[Mqtt]:
        config = Mqtt.Config.model_validate({"url": url, **options})
        models = {name: Mqtt.Tag.model_validate(tag) for name, tag in tags.items()}
        async with Mqtt("oven", config, models) as adapter:
            if connect:
                await adapter.wait_connected(20)
            yield adapter

    return open_adapter


class Peer:
    """Somebody else at the broker, who says and hears what the test wants: paho's own thread."""

    def __init__(self, port: int) -> None:
        import paho.mqtt.client as paho
        from paho.mqtt.enums import CallbackAPIVersion

        self.heard: list[tuple[str, bytes, bool]] = []
        self._client = paho.Client(CallbackAPIVersion.VERSION2)
        self._client.on_message = lambda _client, _data, message: self.heard.append(
            (message.topic, message.payload, message.retain)
        )
        self._subscribed = 0
        self._client.on_subscribe = self._count
        self._client.connect("127.0.0.1", port)
        self._client.loop_start()

    def _count(self, *_: Any) -> None:
        self._subscribed += 1

    async def listen(self, topic: str) -> None:
        wanted = self._subscribed + 1
        self._client.subscribe(topic, qos=1)
        async with asyncio.timeout(10):
            while self._subscribed < wanted:
                await asyncio.sleep(0.005)

    async def say(self, topic: str, payload: bytes | str, *, retain: bool = False) -> None:
        info = self._client.publish(topic, payload, qos=1, retain=retain)
        async with asyncio.timeout(10):
            while not info.is_published():
                await asyncio.sleep(0.005)

    def close(self) -> None:
        self._client.disconnect()
        self._client.loop_stop()


@pytest.fixture
def peer() -> Any:
    made: list[Peer] = []

    def make(broker: Any) -> Peer:
        made.append(Peer(broker.port))
        return made[-1]

    yield make
    for one in made:
        one.close()
