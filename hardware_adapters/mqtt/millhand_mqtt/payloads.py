"""From a message to a tag's value, and from a value to a message. Pure, never raises on input."""

from __future__ import annotations

import json
import math
import struct
from datetime import datetime
from typing import Any, NamedTuple

from millhand.contracts import Quality, Value
from millhand.messages import tr
from millhand_mqtt.config import MqttTag
from millhand_mqtt.kinds import FLOATS, INTEGERS
from millhand_mqtt.paths import MISSING, JsonPath

_LONGEST_LIST = 10_000
_UNIX = ((1e17, 1), (1e14, 1_000), (1e11, 1_000_000), (0.0, 1_000_000_000))
"""Least magnitude of a Unix time in ns, µs, ms and s, and nanoseconds in one of it."""
_LARGEST_UTC_NS = 2**63 - 1


class DoesNotFit(ValueError):
    """The value is not one of the tag."""


class Reading(NamedTuple):
    """What a message says of one tag."""

    value: Value
    quality: Quality
    note: str = ""
    source_utc_ns: int | None = None


def parse(payload: bytes) -> Any:
    """Read a JSON message; :data:`MISSING` where it is none. NaN and infinities are let through."""
    try:
        return json.loads(payload)
    except (ValueError, RecursionError):
        return MISSING


def read(tag: MqttTag, payload: bytes, document: Any) -> Reading:
    """Return the tag's value in a message.

    Args:
        tag: the tag.
        payload: the message.
        document: what :func:`parse` made of it; shared by all tags of a topic.
    """
    if not tag.path:
        found = _plain(tag, payload, document)
    elif document is MISSING:
        return _bad(tr("the message is no JSON"))
    else:
        found = JsonPath.parse(tag.path).find(document)
    if found is MISSING:
        return _bad(tr("the message has nothing at {path}", path=tag.path or "$"))
    source = _time(JsonPath.parse(tag.time).find(document)) if tag.time else None
    try:
        value = _typed(tag, found)
    except DoesNotFit as misfit:
        return Reading(None, Quality.BAD, str(misfit), source)
    return Reading(value, Quality.GOOD, "", source)


def _plain(tag: MqttTag, payload: bytes, document: Any) -> Any:
    if tag.type == "string" or document is MISSING:
        try:
            return payload.decode("utf-8")
        except UnicodeDecodeError:
            return MISSING
    return document


def _bad(note: str) -> Reading:
    return Reading(None, Quality.BAD, note)


def _typed(tag: MqttTag, found: Any) -> Value:
    kind = tag.type.removesuffix("[]")
    if isinstance(found, list):
        if tag.type and not tag.type.endswith("[]"):
            raise DoesNotFit(tr("is a list, not {kind}", kind=tag.type))
        if len(found) > _LONGEST_LIST:
            raise DoesNotFit(tr("is a list of more than {limit}", limit=_LONGEST_LIST))
        return [_scalar(tag, kind, one) for one in found]
    if tag.type.endswith("[]"):
        raise DoesNotFit(tr("is no list"))
    return _scalar(tag, kind, found)


def _scalar(tag: MqttTag, kind: str, found: Any) -> None | bool | int | float | str:
    if isinstance(found, float) and not math.isfinite(found):
        raise DoesNotFit("nan" if math.isnan(found) else "inf" if found > 0 else "-inf")
    if isinstance(found, dict | list):
        raise DoesNotFit(tr("is no single value"))
    number = isinstance(found, int | float) and not isinstance(found, bool)
    if (
        (kind == "bool" and not isinstance(found, bool))
        or (kind == "string" and not isinstance(found, str))
        or (kind in FLOATS and not number)
        or (kind in INTEGERS and not (number and found == int(found)))
    ):
        raise DoesNotFit(tr("{value} is no {kind}", value=repr(found)[:80], kind=kind))
    if kind in INTEGERS:
        found = int(found)
        if not INTEGERS[kind][0] <= found <= INTEGERS[kind][1]:
            raise DoesNotFit(tr("{value} does not fit {kind}", value=found, kind=kind))
    if number and tag.scaled:
        found = found * tag.scale + tag.offset
    return float(found) if kind in FLOATS else found


def _time(found: Any) -> int | None:
    """Return UTC in ns, or None where it is no time that we understand."""
    try:
        if isinstance(found, str):
            moment = datetime.fromisoformat(found)
            return None if moment.tzinfo is None else round(moment.timestamp() * 1e9)
        if isinstance(found, int | float) and not isinstance(found, bool):
            for least, factor in _UNIX:
                if found >= least:
                    utc_ns = int(found * factor)
                    return utc_ns if 0 < utc_ns <= _LARGEST_UTC_NS else None
    except (ValueError, OverflowError, OSError):
        return None
    return None


# --- writing ---


def message(tag: MqttTag, value: Value) -> tuple[bytes, Value]:
    """Return what to publish and, in the scenario's terms, what it says.

    Raises:
        DoesNotFit: the tag is read-only, or type or range do not fit.
    """
    if tag.write is None:
        raise DoesNotFit(tr("has no write topic, so it is only read"))
    kind = tag.type.removesuffix("[]")
    if isinstance(value, list):
        if tag.type and not tag.type.endswith("[]"):
            raise DoesNotFit(tr("a list cannot be written to {kind}", kind=tag.type))
        raws: Any = [_raw(tag, kind, one) for one in value]
        sent: Value = [_sent(tag, raw) for raw in raws]
    elif tag.type.endswith("[]"):
        raise DoesNotFit(tr("needs a list, got {value}", value=repr(value)))
    else:
        raws = _raw(tag, kind, value)
        sent = _sent(tag, raws)
    try:
        return JsonPath.parse(tag.write.path).around(raws), sent
    except ValueError as error:
        raise DoesNotFit(str(error)) from None


def _raw(tag: MqttTag, kind: str, value: object) -> Any:
    if kind == "bool" or (not kind and isinstance(value, bool)):
        if not isinstance(value, bool):
            raise DoesNotFit(tr("needs true or false, got {value}", value=repr(value)))
        return value
    if kind == "string" or (not kind and isinstance(value, str)):
        if not isinstance(value, str):
            raise DoesNotFit(tr("needs text, got {value}", value=repr(value)))
        try:
            value.encode("utf-8")
        except UnicodeEncodeError:
            raise DoesNotFit(tr("is no text that can be sent")) from None
        return value
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise DoesNotFit(tr("needs a number, got {value}", value=repr(value)))
    return _number(tag, kind, value)


def _number(tag: MqttTag, kind: str, value: float) -> int | float:
    if not math.isfinite(value):
        raise DoesNotFit(tr("{value} is not finite", value=value))
    if (tag.minimum is not None and value < tag.minimum) or (
        tag.maximum is not None and value > tag.maximum
    ):
        raise DoesNotFit(
            tr(
                "{value} is outside {minimum} … {maximum}",
                value=value,
                minimum="−∞" if tag.minimum is None else tag.minimum,
                maximum="∞" if tag.maximum is None else tag.maximum,
            )
        )
    raw = (value - tag.offset) / tag.scale if tag.scaled else value
    if kind in INTEGERS:
        whole = round(raw) if tag.scaled else int(raw)
        if not tag.scaled and whole != raw:
            raise DoesNotFit(tr("{value} is not a whole number", value=raw))
        least, greatest = INTEGERS[kind]
        if not least <= whole <= greatest:
            raise DoesNotFit(tr("{value} does not fit {kind}", value=whole, kind=kind))
        return whole
    if kind in FLOATS:
        return _float(kind, raw)
    return raw


def _float(kind: str, value: float) -> float:
    try:
        number = float(value)
        if kind == "float":
            (number,) = struct.unpack("<f", struct.pack("<f", number))
    except OverflowError:
        number = math.inf
    if not math.isfinite(number):
        raise DoesNotFit(tr("{value} does not fit {kind}", value=value, kind=kind))
    return number


def _sent(tag: MqttTag, raw: Any) -> Any:
    if tag.scaled and isinstance(raw, int | float) and not isinstance(raw, bool):
        return raw * tag.scale + tag.offset
    return raw
