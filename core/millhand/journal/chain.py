"""The hash chain: how an entry is bound to the one before.

The hash of an entry is SHA-256, in lower-case hexadecimal, over one line of JSON, a line feed and
the body::

    ["millhand-entry/1",cell,boot,seq,id,kind,subject,part,at,prev]
    {"type":"intent",…}

The line is JSON without white space, in UTF-8, escaping only what JSON demands, so that anybody can
compute it again without Millhand. ``prev`` of a cell's first entry is 64 zeros.
"""

from __future__ import annotations

from collections.abc import Sequence
from hashlib import sha256

import msgspec
from msgspec import Struct

from millhand.journal.entries import Entry, NewEntry

FORMAT = "millhand-entry/1"
GENESIS = "0" * 64
_encode_line = msgspec.json.Encoder().encode


class ChainHead(Struct, frozen=True, kw_only=True):
    """The end of a cell's chain. Kept elsewhere, it proves that nothing before it was changed."""

    cell: str
    seq: int
    hash: str


def entry_hash(
    cell: str,
    boot: int,
    seq: int,
    new: NewEntry | Entry,
    prev: str,
) -> str:
    """Return the hash of an entry at its place in the chain."""
    line = _encode_line(
        (FORMAT, cell, boot, seq, new.id, new.kind, new.subject, new.part, new.at_utc_ns, prev)
    )
    return sha256(b"%b\n%b" % (line, new.body)).hexdigest()


def chain(entries: Sequence[NewEntry], *, boot: int, head: ChainHead) -> list[Entry]:
    """Give ``entries`` their places after ``head``."""
    cell, seq, prev = head.cell, head.seq, head.hash
    chained = []
    for new in entries:
        seq += 1
        digest = entry_hash(cell, boot, seq, new, prev)
        chained.append(
            Entry(
                cell,
                boot,
                seq,
                new.id,
                new.kind,
                new.subject,
                new.part,
                new.at_utc_ns,
                new.body,
                prev,
                digest,
            )
        )
        prev = digest
    return chained
