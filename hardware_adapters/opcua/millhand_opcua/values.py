"""From what came over the wire to samples."""

from __future__ import annotations

import base64
import math
from datetime import UTC, datetime
from typing import Any

from asyncua import ua

from millhand.contracts import Quality, Sample, Value
from millhand.messages import tr
from millhand_opcua.kinds import NAMES
from millhand_opcua.status import BAD_DATA_UNAVAILABLE, BAD_NOT_CONNECTED
from millhand_opcua.variables import Variable

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_SEVERITY = (Quality.GOOD, Quality.UNCERTAIN, Quality.BAD, Quality.BAD)
_OVERFLOW = 0x0480
"""Info bits of a DataValue's status: InfoType DataValue and Overflow."""

_AS_IS = frozenset(
    {
        ua.VariantType.Boolean,
        ua.VariantType.SByte,
        ua.VariantType.Byte,
        ua.VariantType.Int16,
        ua.VariantType.UInt16,
        ua.VariantType.Int32,
        ua.VariantType.UInt32,
        ua.VariantType.Int64,
        ua.VariantType.UInt64,
        ua.VariantType.String,
    }
)
_EMPTY_WHEN_NULL = frozenset({ua.VariantType.String, ua.VariantType.ByteString})
_FLOATS = frozenset({ua.VariantType.Float, ua.VariantType.Double})


class Receipt:
    """What all samples of one answer have in common."""

    __slots__ = ("epoch", "gap", "initial", "monotonic_ns", "unchanged_ns", "utc_ns")

    def __init__(
        self,
        utc_ns: int,
        monotonic_ns: int,
        epoch: int,
        *,
        initial: bool = False,
        gap: bool = False,
        unchanged_ns: int | None = None,
    ) -> None:
        self.utc_ns = utc_ns
        self.monotonic_ns = monotonic_ns
        self.epoch = epoch
        self.initial = initial
        self.gap = gap
        self.unchanged_ns = unchanged_ns


def to_sample(variable: Variable, data: ua.DataValue, receipt: Receipt) -> Sample:
    """Turn one DataValue into a sample; never raises, whatever the server sent."""
    status = data.StatusCode.value if data.StatusCode is not None else 0
    quality = _SEVERITY[status >> 30]
    variant = data.Value
    note = ""
    if (
        variable.as_sent
        and variant is not None
        and variant.Value is not None
        and variant.VariantType in _AS_IS
        and not variant.is_array
    ):
        value = variant.Value  # the quick way, which most values take
    else:
        value, note = _value_and_note(variable, variant, quality)
    if note:
        quality = Quality.BAD
    return Sample(
        tag=variable.name,
        value=value,
        quality=quality,
        status=status,
        note=note,
        source_utc_ns=_nanoseconds(data.SourceTimestamp),
        server_utc_ns=_nanoseconds(data.ServerTimestamp),
        received_utc_ns=receipt.utc_ns,
        received_monotonic_ns=receipt.monotonic_ns,
        unchanged_monotonic_ns=receipt.unchanged_ns,
        initial=receipt.initial,
        gap=receipt.gap or (status & _OVERFLOW) == _OVERFLOW,
        epoch=receipt.epoch,
    )


def bad_sample(name: str, receipt: Receipt, note: str, status: int = 0) -> Sample:
    """Make the sample of a tag that could not be asked for."""
    return Sample(
        tag=name,
        quality=Quality.BAD,
        status=status or BAD_DATA_UNAVAILABLE,
        note=note,
        received_utc_ns=receipt.utc_ns,
        received_monotonic_ns=receipt.monotonic_ns,
        unchanged_monotonic_ns=receipt.unchanged_ns,
        initial=receipt.initial,
        gap=receipt.gap,
        epoch=receipt.epoch,
    )


def disconnected_sample(name: str, receipt: Receipt, note: str) -> Sample:
    """Make the sample of a tag while the link is away."""
    return Sample(
        tag=name,
        quality=Quality.DISCONNECTED,
        status=BAD_NOT_CONNECTED,
        note=note,
        received_utc_ns=receipt.utc_ns,
        received_monotonic_ns=receipt.monotonic_ns,
        unchanged_monotonic_ns=receipt.unchanged_ns,
        initial=receipt.initial,
        gap=receipt.gap,
        epoch=receipt.epoch,
    )


def _nanoseconds(moment: datetime | None) -> int | None:
    if moment is None:
        return None
    since = moment - _EPOCH
    return (since.days * 86_400 + since.seconds) * 1_000_000_000 + since.microseconds * 1_000


def _value_and_note(
    variable: Variable, variant: ua.Variant | None, quality: Quality
) -> tuple[Value, str]:
    """Return the value, or None with the reason why there is none to trust."""
    if variable.mismatch:
        return None, variable.mismatch
    if variant is None or variant.Value is None:
        if variant is not None and variant.VariantType in _EMPTY_WHEN_NULL and not variant.is_array:
            return "", ""
        return None, "" if quality is Quality.BAD else tr("no value")
    kind = variant.VariantType
    if variable.tag.type and (sent := _type_name(variant)) != variable.tag.type:
        return None, tr(
            "declared as {declared}, the server sent {actual}",
            declared=variable.tag.type,
            actual=sent,
        )
    if not variant.is_array:
        return _scalar(variable, kind, variant.Value)
    if variant.Dimensions and len(variant.Dimensions) > 1:
        return None, tr("arrays of more than one dimension are not read")
    return _array(variable, kind, variant.Value)


def _type_name(variant: ua.Variant) -> str:
    name = NAMES.get(variant.VariantType.value, variant.VariantType.name)
    return f"{name}[]" if variant.is_array else name


def _scalar(variable: Variable, kind: Any, raw: Any) -> tuple[Value, str]:
    if kind in _FLOATS:
        if not math.isfinite(raw):
            return None, _not_finite(raw)
    elif kind not in _AS_IS:
        return _rare(kind, raw)
    tag = variable.tag
    if tag.scaled and not isinstance(raw, str):
        return raw * tag.scale + tag.offset, ""
    return raw, ""


def _array(variable: Variable, kind: Any, raw: Any) -> tuple[Value, str]:
    if kind in _AS_IS and not variable.tag.scaled:
        return list(raw), ""
    converted: list[Any] = []
    for element in raw:
        value, note = _scalar(variable, kind, element)
        if note:
            return None, note
        converted.append(value)
    return converted, ""


def _not_finite(number: float) -> str:
    if math.isnan(number):
        return "nan"
    return "inf" if number > 0 else "-inf"


def _rare(kind: Any, raw: Any) -> tuple[Value, str]:
    """Convert the types that are not plain numbers or text."""
    if kind is ua.VariantType.DateTime:
        return raw.isoformat(), ""
    if kind is ua.VariantType.ByteString:
        return base64.b64encode(raw).decode("ascii"), ""
    if kind is ua.VariantType.LocalizedText:
        return raw.Text or "", ""
    if kind is ua.VariantType.StatusCode:
        return raw.value, ""
    if kind in {ua.VariantType.NodeId, ua.VariantType.ExpandedNodeId, ua.VariantType.QualifiedName}:
        return raw.to_string(), ""
    if kind is ua.VariantType.Guid:
        return str(raw), ""
    if kind is ua.VariantType.XmlElement:
        return getattr(raw, "Value", raw), ""
    return None, tr("values of type {kind} are not read", kind=kind.name)
