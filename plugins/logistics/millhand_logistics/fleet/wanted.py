"""Transports that a shop asks for in a text tag, and what it is told of them in another.

The shop's text is JSON, ``{"transports": [["A-1.2", "saw", "lathe_1"]]}``: id, pick, drop and,
where wanted, a priority. It keeps a row until it is told that the transport is done::

    {"delivered": ["A-1.2"], "refused": {"A-1.3": "the layout has no node 'moon'"}}

The answer is a level, not a pulse: it is written again while the shop still asks, so that one that
was lost does no harm.
"""

from __future__ import annotations

import msgspec

from millhand.contracts import Quality, Sample
from millhand.messages import tr
from millhand_logistics.fleet.state import Book, Job


class _Row(msgspec.Struct, array_like=True, forbid_unknown_fields=True):
    id: str
    pick: str
    drop: str
    priority: int = 0


class _Wanted(msgspec.Struct, forbid_unknown_fields=True):
    transports: list[_Row] = []


class Unreadable(ValueError):
    """A list that cannot be believed; the text says why."""


def read_wanted(sample: Sample | None) -> list[Job]:
    """Read the transports that a shop asks for.

    Raises:
        Unreadable: the tag is not good, or its text is no such list.
    """
    if sample is None or sample.quality is not Quality.GOOD or not isinstance(sample.value, str):
        raise Unreadable(tr("the list of transports cannot be read"))
    if not sample.value:
        return []
    try:
        found = msgspec.json.decode(sample.value, type=_Wanted)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise Unreadable(tr("the list of transports makes no sense: {why}", why=error)) from error
    jobs = [Job(row.id, row.pick, row.drop, row.priority) for row in found.transports]
    if len({job.id for job in jobs}) != len(jobs):
        raise Unreadable(tr("the list of transports makes no sense: {why}", why=tr("an id twice")))
    return jobs


def forget_answered(book: Book, wanted: list[Job]) -> None:
    """Forget what was answered and is asked for no more."""
    ids = {job.id for job in wanted}
    book.answered = {name: why for name, why in book.answered.items() if name in ids}


def answer(book: Book) -> str:
    """Return what the shop is told of what it still asks for; empty where there is nothing."""
    if not book.answered:
        return ""
    return msgspec.json.encode(
        {
            "delivered": [name for name, why in book.answered.items() if not why],
            "refused": {name: why for name, why in book.answered.items() if why},
        }
    ).decode()
