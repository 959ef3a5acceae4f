"""From bytes to checked messages and back."""

from __future__ import annotations

from enum import StrEnum
from typing import Any

import msgspec

from millhand.errors import MillhandError
from millhand.messages import tr
from millhand_vda5050.wire import v2, v3
from millhand_vda5050.wire.base import Wire


class Version(StrEnum):
    """Versions of the protocol that are spoken; a message's own patch level may differ."""

    V2 = "2.1.0"
    V3 = "3.0.0"

    @property
    def major(self) -> str:
        """The part of the topic that names the version: ``v2``."""
        return f"v{self.value.partition('.')[0]}"


class Topic(StrEnum):
    """Last part of a topic; what may be sent on it depends on the version."""

    ORDER = "order"
    INSTANT_ACTIONS = "instantActions"
    STATE = "state"
    CONNECTION = "connection"
    VISUALIZATION = "visualization"
    FACTSHEET = "factsheet"
    RESPONSES = "responses"


class Malformed(MillhandError):
    """A message is not what its schema asks for. Carries the place in it."""


_TYPES: dict[tuple[Version, Topic], type[Wire]] = {
    (Version.V2, Topic.ORDER): v2.Order,
    (Version.V2, Topic.INSTANT_ACTIONS): v2.InstantActions,
    (Version.V2, Topic.STATE): v2.State,
    (Version.V2, Topic.CONNECTION): v2.Connection,
    (Version.V2, Topic.VISUALIZATION): v2.Visualization,
    (Version.V2, Topic.FACTSHEET): v2.Factsheet,
    (Version.V3, Topic.ORDER): v3.Order,
    (Version.V3, Topic.INSTANT_ACTIONS): v3.InstantActions,
    (Version.V3, Topic.STATE): v3.State,
    (Version.V3, Topic.CONNECTION): v3.Connection,
    (Version.V3, Topic.VISUALIZATION): v3.Visualization,
    (Version.V3, Topic.FACTSHEET): v3.Factsheet,
    (Version.V3, Topic.RESPONSES): v3.Responses,
}
_DECODERS = {key: msgspec.json.Decoder(kind) for key, kind in _TYPES.items()}
_LARGEST = 2.0**63
_ENCODER = msgspec.json.Encoder()


def decode(version: Version, topic: Topic, payload: bytes) -> Wire:
    """Return a message that its schema allows.

    Raises:
        Malformed: it does not; the text names the place and what was expected there.
    """
    decoder = _DECODERS.get((version, topic))
    if decoder is None:
        raise Malformed(
            tr("VDA 5050 {version} has no topic {topic}.", version=version, topic=topic)
        )
    try:
        return decoder.decode(payload)
    except msgspec.ValidationError as error:
        reason: Exception = error
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
        raise _malformed(version, topic, error) from None
    try:
        whole = _whole(msgspec.json.decode(payload))
        return msgspec.convert(whole, _TYPES[version, topic])
    except (msgspec.MsgspecError, RecursionError):
        raise _malformed(version, topic, reason) from None


def _malformed(version: Version, topic: Topic, reason: Exception) -> Malformed:
    return Malformed(
        tr(
            "{topic} of VDA 5050 {version}: {reason}",
            topic=topic,
            version=version,
            reason=reason,
        )
    )


def _whole(value: Any) -> Any:
    """Make 2.0 a 2 everywhere: JSON Schema takes it for an integer, and some vehicles write it."""
    if isinstance(value, dict):
        return {key: _whole(one) for key, one in value.items()}
    if isinstance(value, list):
        return [_whole(one) for one in value]
    if isinstance(value, float) and value.is_integer() and abs(value) < _LARGEST:
        return int(value)
    return value


def encode(message: Wire) -> bytes:
    """Return the message as JSON."""
    return _ENCODER.encode(message)
