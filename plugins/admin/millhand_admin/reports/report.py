"""What a report is, before it becomes a page."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import UTC, datetime
from typing import Protocol

from msgspec import Struct

from millhand.journal.records import Record


class JournalEntry(Protocol):
    """An entry as reports read it: of a journal, or made up for a test."""

    @property
    def id(self) -> str:
        """Its id, unique in the cell."""
        ...

    @property
    def at_utc_ns(self) -> int:
        """When it was written."""
        ...

    @property
    def record(self) -> Record:
        """What it tells."""
        ...


class Sentence(Struct, frozen=True, kw_only=True):
    """One statement, with the ids of the entries that it was made from."""

    text: str
    ids: tuple[str, ...]


class Blank(Struct, frozen=True, kw_only=True):
    """Something that only a person can say."""

    label: str


class Section(Struct, frozen=True, kw_only=True):
    """A heading with what is known, and what is left for a person."""

    title: str
    sentences: tuple[Sentence, ...] = ()
    blanks: tuple[Blank, ...] = ()


class Report(Struct, frozen=True, kw_only=True):
    """A whole report."""

    kind: str
    """``shift``, ``ncr``, ``8d`` or ``story``."""
    title: str
    cell: str
    sections: tuple[Section, ...]

    def sentences(self) -> Iterator[Sentence]:
        """Yield all sentences, in order."""
        for section in self.sections:
            yield from section.sentences


def moment(at_utc_ns: int) -> str:
    """Return a time for a person: UTC, to the second."""
    return datetime.fromtimestamp(at_utc_ns / 1e9, tz=UTC).strftime("%Y-%m-%d %H:%M:%S UTC")


def ids_of(entries: Iterable[JournalEntry]) -> tuple[str, ...]:
    """Return the ids of entries, each once, in order."""
    return tuple(dict.fromkeys(entry.id for entry in entries))
