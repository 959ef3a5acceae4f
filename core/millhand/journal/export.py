"""The journal as JSON lines: readable by anything, and still provable.

Each line is an entry with its hash. The body stands as it was hashed, byte for byte, as an object
inside the line; a body that is no JSON object (somebody has tampered) stands as a string.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO

import msgspec
from msgspec import Raw, Struct

from millhand.errors import ConfigError, Unavailable
from millhand.journal.chain import GENESIS, ChainHead
from millhand.journal.entries import Entry
from millhand.journal.readable import Readable
from millhand.messages import tr

_PAGE = 1000


class _Line(Struct, forbid_unknown_fields=True):
    cell: str
    boot: int
    seq: int
    id: str
    kind: str
    subject: str
    part: str | None
    at: int
    body: Raw
    prev: str
    hash: str


_encode = msgspec.json.Encoder().encode
_decode = msgspec.json.Decoder(_Line).decode
_is_object = msgspec.json.Decoder(dict[str, Raw]).decode


def export(journal: Readable, target: Path | str | BinaryIO, *, after: int, form: str) -> ChainHead:
    """See :meth:`~millhand.journal.stored.StoredJournal.export`."""
    if form != "jsonl":
        raise ConfigError(
            tr("The journal cannot be exported as {format}.", format=form),
            mend=tr("Formats: {formats}.", formats="jsonl"),
        )
    try:
        if not isinstance(target, (str, Path)):
            return _write(journal, target, after)
        path = Path(target)
        unfinished = path.with_name(path.name + ".part")
        with unfinished.open("wb") as file:
            head = _write(journal, file, after)
            file.flush()
            os.fsync(file.fileno())
        unfinished.replace(path)
    except OSError as error:
        raise Unavailable(
            tr("The export {target} cannot be written: {reason}.", target=target, reason=error)
        ) from error
    return head


def read_export(source: Path) -> Iterator[Entry]:
    """Yield the entries of an export, for a :class:`~millhand.journal.verifying.Verifier` to walk.

    Raises:
        ConfigError: a line is no entry.
        Unavailable: the file cannot be read.
    """
    try:
        with source.open("rb") as file:
            for number, line in enumerate(file, start=1):
                yield _parse(line, source, number)
    except OSError as error:
        raise Unavailable(
            tr("The export {source} cannot be read: {reason}.", source=source, reason=error)
        ) from error


def _write(journal: Readable, file: BinaryIO, after: int) -> ChainHead:
    last = ChainHead(cell=journal.cell, seq=0, hash=GENESIS)
    position, end = after, journal.head + 1
    while page := journal.read(position, before=end, limit=_PAGE):
        file.writelines(_render(entry) for entry in page)
        position = page[-1].seq
        last = ChainHead(cell=journal.cell, seq=position, hash=page[-1].hash)
    return last


def _render(entry: Entry) -> bytes:
    e = entry
    line = _Line(
        e.cell, e.boot, e.seq, e.id, e.kind, e.subject, e.part, e.at_utc_ns,
        _body(e.body), e.prev, e.hash,
    )  # fmt: skip
    return _encode(line) + b"\n"


def _body(body: bytes) -> Raw:
    try:
        _is_object(body)
        if b"\n" not in body:
            return Raw(body)
    except (msgspec.MsgspecError, UnicodeDecodeError):
        pass
    return Raw(_encode(body.decode("utf-8", "backslashreplace")))


def _parse(line: bytes, source: Path, number: int) -> Entry:
    try:
        read = _decode(line)
        raw = bytes(read.body)
        body = raw if raw.startswith(b"{") else msgspec.json.decode(raw, type=str).encode()
    except (msgspec.MsgspecError, UnicodeDecodeError) as error:
        raise ConfigError(
            tr(
                "Line {line} of {source} is no entry: {reason}.",
                line=number,
                source=source,
                reason=error,
            )
        ) from error
    return Entry(
        read.cell, read.boot, read.seq, read.id, read.kind, read.subject, read.part, read.at,
        body, read.prev, read.hash,
    )  # fmt: skip
