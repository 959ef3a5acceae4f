"""What can be heard on a broker, for people who write a ``tags:`` section."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator, Sequence
from typing import Any

from millhand.contracts import TagInfo
from millhand_mqtt.config import MqttConfig
from millhand_mqtt.link import BrokerLink
from millhand_mqtt.paths import MISSING, JsonPath
from millhand_mqtt.payloads import parse
from millhand_mqtt.session import Message

MOST_TAGS = 5_000
_DEEPEST = 6


async def browse(name: str, config: MqttConfig) -> Sequence[TagInfo]:
    """Listen over a connection of its own and list what came, each value once.

    Raises:
        NotAllowed: the broker says no.
        Unavailable: there is no link.
    """
    found: dict[str, TagInfo] = {}

    def hear(message: Message) -> None:
        document = parse(message.payload)
        for path, value in _leaves(document):
            address = f"{message.topic} {path}" if path else message.topic
            if len(found) < MOST_TAGS or address in found:
                found[address] = TagInfo(address=address, type=_type(value), writable=False)

    listener = config.model_copy(update={"client_id": ""})
    link = BrokerLink(f"{name}-browse", listener, [config.browse_filter], hear)
    await link.start()
    try:
        await link.wait_connected(config.connect_timeout_s)
        await asyncio.sleep(config.browse_s)
    finally:
        await link.stop()
    return [found[address] for address in sorted(found)]


def _leaves(document: Any, steps: tuple[str | int, ...] = ()) -> Iterator[tuple[str, Any]]:
    if isinstance(document, dict) and document and len(steps) < _DEEPEST:
        for key, value in document.items():
            if "'" not in key and "\\" not in key:
                yield from _leaves(value, (*steps, key))
    elif document is MISSING:
        yield "", ""
    else:
        yield (str(JsonPath(steps)) if steps else ""), document


def _type(value: Any) -> str:
    if isinstance(value, list):
        return f"{_type(value[0]) if value else ''}[]"
    for python, name in ((bool, "bool"), (int, "int64"), (float, "double"), (str, "string")):
        if isinstance(value, python):
            return name
    return ""
