"""How the contracts' records become bytes: msgpack between processes, JSON in the journal."""

from __future__ import annotations

from collections.abc import Callable
from types import UnionType
from typing import Any, TypeVar, overload

import msgspec

from millhand.contracts.frames import Document, DocumentRef, Frame, FrameRef

T = TypeVar("T")
Buffer = bytes | bytearray | memoryview


def _encode_extra(value: object) -> object:
    if isinstance(value, Frame | Document):
        return value.ref
    raise NotImplementedError(f"cannot encode {type(value).__name__}")


def _decode_extra(kind: type, value: Any) -> object:
    if kind is Frame:
        return Frame(msgspec.convert(value, FrameRef))
    if kind is Document:
        return Document(msgspec.convert(value, DocumentRef))
    raise NotImplementedError(f"cannot decode {kind.__name__}")


_pack = msgspec.msgpack.Encoder(enc_hook=_encode_extra)
_json = msgspec.json.Encoder(enc_hook=_encode_extra, order="deterministic")


def to_msgpack(record: object) -> bytes:
    """Encode for another process."""
    return _pack.encode(record)


def to_json(record: object) -> bytes:
    """Encode as canonical JSON: sorted keys, no white space, UTF-8. Equal records, equal bytes."""
    return _json.encode(record)


@overload
def from_msgpack(kind: type[T]) -> Callable[[Buffer], T]: ...
@overload
def from_msgpack(kind: UnionType) -> Callable[[Buffer], Any]: ...
def from_msgpack(kind: Any) -> Callable[[Buffer], Any]:
    """Return a decoder of ``kind``; it raises ``msgspec.ValidationError`` for anything else."""
    return msgspec.msgpack.Decoder(kind, dec_hook=_decode_extra).decode


@overload
def from_json(kind: type[T]) -> Callable[[Buffer | str], T]: ...
@overload
def from_json(kind: UnionType) -> Callable[[Buffer | str], Any]: ...
def from_json(kind: Any) -> Callable[[Buffer | str], Any]:
    """Return a decoder of ``kind``; it raises ``msgspec.ValidationError`` for anything else."""
    return msgspec.json.Decoder(kind, dec_hook=_decode_extra).decode
