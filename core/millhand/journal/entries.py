"""What is handed to the journal and what comes out of it."""

from __future__ import annotations

import time
from collections.abc import Callable
from functools import cache

import msgspec
from msgspec import Struct

from millhand.contracts.codec import from_json, to_json
from millhand.errors import NeedsPerson
from millhand.journal.records import Record
from millhand.messages import tr

_INT64_LIMIT = 2**63


class NewEntry(Struct, frozen=True, kw_only=True, gc=False):
    """An entry on its way to the journal, already serialised by the caller.

    Raises (when built):
        ValueError: a text holds NUL or is not valid Unicode, the time does not fit 64 bits, or the
            body is not UTF-8. Found here, so that one bad entry cannot fail its neighbours' commit.
    """

    kind: str
    """Wire tag of the record in ``body``."""
    id: str
    """What it is about: a decision's id, an alarm's, an event's. An outcome carries the id of its
    intent, so ids repeat."""
    subject: str = ""
    """Who it is about: an agent, a device, a channel."""
    part: str | None = None
    at_utc_ns: int
    body: bytes
    """The record as canonical JSON."""

    def __post_init__(self) -> None:
        text = f"{self.kind}{self.id}{self.subject}{self.part or ''}"
        if not text.isascii():
            text.encode()
        if "\0" in text or b"\0" in self.body:
            raise ValueError("an entry must not hold the character NUL")
        if not 0 <= self.at_utc_ns < _INT64_LIMIT:
            raise ValueError(f"time {self.at_utc_ns} does not fit 64 bits")
        if not self.body.isascii():
            self.body.decode()


class Entry(Struct, frozen=True, gc=False):
    """One durable entry of the journal, in the order of the table's columns."""

    cell: str
    boot: int
    """Counts the starts of the cell's engine."""
    seq: int
    """Place in the cell's chain, from 1, without gaps."""
    id: str
    kind: str
    subject: str
    part: str | None
    at_utc_ns: int
    """By the wall clock, which may jump; order is ``seq``."""
    body: bytes
    prev: str
    """Hash of the entry before; 64 zeros for the first."""
    hash: str

    @property
    def record(self) -> Record:
        """The body as a struct.

        Raises:
            NeedsPerson: it was written by a version that knows other kinds, or was tampered with.
        """
        try:
            return _record_decoder()(self.body)
        except (msgspec.MsgspecError, UnicodeDecodeError) as error:
            raise NeedsPerson(
                tr(
                    "Entry {seq} of kind {kind} cannot be read: {reason}.",
                    seq=self.seq,
                    kind=self.kind,
                    reason=error,
                ),
                mend=tr("Read it with the version that wrote it, and verify the journal."),
            ) from error


@cache
def _record_decoder() -> Callable[[bytes], Record]:
    return from_json(Record)


def new_entry(
    record: Record,
    *,
    id: str,  # noqa: A002  # the column's name
    subject: str = "",
    part: str | None = None,
    at_utc_ns: int | None = None,
) -> NewEntry:
    """Serialise ``record`` in the caller's thread; the time is now unless given.

    Raises:
        ValueError: as :class:`NewEntry`.
    """
    return NewEntry(
        kind=kind_of(type(record)),
        id=id,
        subject=subject,
        part=part,
        at_utc_ns=time.time_ns() if at_utc_ns is None else at_utc_ns,
        body=to_json(record),
    )


def kind_of(record: type[Record]) -> str:
    """Return the kind under which records of this type are journalled: ``intent``."""
    return str(record.__struct_config__.tag)
