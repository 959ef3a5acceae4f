"""Walk the protobuf wire format of a foreign file without trusting it.

Only what is needed to look into an ONNX graph before a run time's C++ parser does: fields,
their wire types and their bytes. Every length is checked against the bytes that are there.
"""

from __future__ import annotations

from collections.abc import Iterator

from millhand.messages import tr

VARINT, FIXED64, BYTES, FIXED32 = 0, 1, 2, 5
_FIXED_SIZES = {FIXED64: 8, FIXED32: 4}


class Malformed(ValueError):
    """The bytes are not protobuf, or end too early."""


def varint(data: memoryview, at: int) -> tuple[int, int]:
    """Read one unsigned varint at ``at``; return it and the position after it."""
    value = 0
    for shift in range(0, 70, 7):
        if at >= len(data):
            raise Malformed(tr("the data ends inside a number"))
        byte = data[at]
        at += 1
        value |= (byte & 0x7F) << shift
        if not byte & 0x80:
            return value & 0xFFFF_FFFF_FFFF_FFFF, at
    raise Malformed(tr("a number is longer than ten bytes"))


def signed(value: int) -> int:
    """Read a varint's 64 bits as the signed number that protobuf's int64 means."""
    return value - (1 << 64) if value >= 1 << 63 else value


def fields(data: memoryview) -> Iterator[tuple[int, int, int | memoryview]]:
    """Yield ``(field number, wire type, value)`` of one message in its order.

    The value is an ``int`` for varints and the raw bytes for everything else.

    Raises:
        Malformed: the bytes are no message, or end too early.
    """
    at = 0
    while at < len(data):
        key, at = varint(data, at)
        number, wire = key >> 3, key & 7
        if number == 0:
            raise Malformed(tr("a field has the number 0"))
        if wire == VARINT:
            value, at = varint(data, at)
            yield number, wire, value
            continue
        if wire == BYTES:
            size, at = varint(data, at)
        elif wire in _FIXED_SIZES:
            size = _FIXED_SIZES[wire]
        else:
            raise Malformed(tr("wire type {wire} is not used by ONNX", wire=wire))
        if size > len(data) - at:
            raise Malformed(tr("the data ends inside a field"))
        yield number, wire, data[at : at + size]
        at += size


def numbers(wire: int, value: int | memoryview) -> Iterator[int]:
    """Yield the varints of a repeated field, packed or not."""
    if isinstance(value, int):
        yield value
        return
    if wire != BYTES:
        raise Malformed(tr("a number has the wrong wire type"))
    at = 0
    while at < len(value):
        number, at = varint(value, at)
        yield number


def text(value: int | memoryview) -> str:
    """Decode a string field."""
    return message(value).tobytes().decode("utf-8", errors="replace")


def message(value: int | memoryview) -> memoryview:
    """Return the bytes of a nested message or string."""
    if isinstance(value, int):
        raise Malformed(tr("a number stands where a message belongs"))
    return value
