"""From a value of the scenario to what the server stores, or the reason why it does not fit."""

from __future__ import annotations

import base64
import binascii
import math
import struct
import uuid
from datetime import UTC, datetime
from typing import Any

from asyncua import ua

from millhand.contracts import Value
from millhand.messages import tr
from millhand_opcua.kinds import INTEGERS
from millhand_opcua.variables import Variable

_UNWRITABLE_RANKS_FROM = 2


class DoesNotFit(ValueError):
    """The value cannot be written to the variable."""


def to_variant(variable: Variable, value: Value) -> tuple[ua.Variant, Value]:
    """Return what to send and, as a plain value, what the server will then hold.

    Raises:
        DoesNotFit: type, range, length or access.
    """
    _check_access(variable)
    kind = ua.VariantType[_VARIANT_NAMES[variable.kind]]
    if not isinstance(value, list):
        if variable.is_array:
            raise DoesNotFit(tr("needs a list, got {value}", value=repr(value)))
        raw = _scalar(variable, value)
        return ua.Variant(raw, kind), _sent(variable, raw)
    if variable.rank == -1 or variable.rank >= _UNWRITABLE_RANKS_FROM:
        raise DoesNotFit(tr("a list cannot be written to {kind}", kind=variable.type_name))
    if variable.length and len(value) != variable.length:
        raise DoesNotFit(
            tr("needs {length} elements, got {count}", length=variable.length, count=len(value))
        )
    raws = [_scalar(variable, element) for element in value]
    return ua.Variant(raws, kind, is_array=True), [_sent(variable, raw) for raw in raws]


def _check_access(variable: Variable) -> None:
    if variable.trouble:
        raise DoesNotFit(variable.trouble)
    if not variable.kind:
        raise DoesNotFit(tr("the server does not say which type it has"))
    if not variable.writable:
        raise DoesNotFit(tr("the server lets this user only read it"))
    if variable.kind not in _VARIANT_NAMES:
        raise DoesNotFit(tr("values of type {kind} are not written", kind=variable.kind))


_VARIANT_NAMES = {
    "boolean": "Boolean",
    "sbyte": "SByte",
    "byte": "Byte",
    "int16": "Int16",
    "uint16": "UInt16",
    "int32": "Int32",
    "uint32": "UInt32",
    "int64": "Int64",
    "uint64": "UInt64",
    "float": "Float",
    "double": "Double",
    "string": "String",
    "datetime": "DateTime",
    "guid": "Guid",
    "bytestring": "ByteString",
    "localizedtext": "LocalizedText",
}


def _scalar(variable: Variable, value: object) -> Any:
    kind = variable.kind
    if kind in INTEGERS or kind in {"float", "double"}:
        try:
            return _number(variable, value)
        except OverflowError:
            raise DoesNotFit(tr("{value} does not fit {kind}", value=value, kind=kind)) from None
    if kind == "boolean":
        if isinstance(value, bool):
            return value
        raise DoesNotFit(tr("needs true or false, got {value}", value=repr(value)))
    if not isinstance(value, str):
        raise DoesNotFit(tr("needs text, got {value}", value=repr(value)))
    return _from_text(kind, value)


def _number(variable: Variable, value: object) -> int | float:
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise DoesNotFit(tr("needs a number, got {value}", value=repr(value)))
    if isinstance(value, float) and not math.isfinite(value):
        raise DoesNotFit(tr("{value} is not finite", value=value))
    tag = variable.tag
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
    if variable.kind in INTEGERS:
        return _integer(variable.kind, round(raw) if tag.scaled else raw)
    return _float(variable.kind, raw)


def _integer(kind: str, value: float) -> int:
    if value != int(value):
        raise DoesNotFit(tr("{value} is not a whole number", value=value))
    least, greatest = INTEGERS[kind]
    number = int(value)
    if not least <= number <= greatest:
        raise DoesNotFit(
            tr(
                "{value} does not fit {kind} ({least} … {greatest})",
                value=number,
                kind=kind,
                least=least,
                greatest=greatest,
            )
        )
    return number


def _float(kind: str, value: float) -> float:
    number = float(value)
    if kind == "float":
        (number,) = struct.unpack("<f", struct.pack("<f", number))
    if not math.isfinite(number):
        raise DoesNotFit(tr("{value} does not fit {kind}", value=value, kind=kind))
    return number


def _from_text(kind: str, text: str) -> Any:
    try:
        if kind == "string":
            text.encode("utf-8")
            return text
        if kind == "localizedtext":
            text.encode("utf-8")
            return ua.LocalizedText(text)
        if kind == "datetime":
            return _moment(text)
        if kind == "guid":
            return uuid.UUID(text)
        return base64.b64decode(text, validate=True)
    except (ValueError, binascii.Error):
        raise DoesNotFit(tr("{text} is not a {kind}", text=repr(text), kind=kind)) from None


def _moment(text: str) -> datetime:
    moment = datetime.fromisoformat(text)
    if moment.tzinfo is None:
        raise DoesNotFit(tr("{text} lacks its time zone", text=text))
    return moment.astimezone(UTC)


def _sent(variable: Variable, raw: Any) -> Any:
    """Return what was really sent, in the scenario's terms."""
    if isinstance(raw, bool | str):
        return raw
    if isinstance(raw, int | float):
        tag = variable.tag
        return raw * tag.scale + tag.offset if tag.scaled else raw
    if isinstance(raw, datetime):
        return raw.isoformat()
    if isinstance(raw, bytes):
        return base64.b64encode(raw).decode("ascii")
    return raw.Text if isinstance(raw, ua.LocalizedText) else str(raw)
