"""Tickets to learn from: a CSV file, and what people have reassigned in a journal."""

from __future__ import annotations

import csv
from collections.abc import Callable, Iterable, Iterator
from hashlib import sha256
from pathlib import Path

from msgspec import Struct

from millhand.errors import ConfigError
from millhand.journal.entries import Entry
from millhand.journal.records import Intent, Review
from millhand.messages import tr
from millhand_admin.tickets.ngrams import LONGEST, normalised

_MOST_ROWS = 1_000_000


class Ticket(Struct, frozen=True, kw_only=True):
    """A text and where it belongs."""

    text: str
    kind: str

    @property
    def group(self) -> str:
        """Texts that say the same are one thing: they are never split between two shelves."""
        return sha256(normalised(self.text).encode()).hexdigest()


def read_tickets(path: Path) -> list[Ticket]:
    """Read a CSV file with the columns ``text`` and ``kind``.

    Raises:
        ConfigError: it cannot be read, a column is missing, or a row has no text or kind.
    """
    try:
        with path.open(encoding="utf-8-sig", newline="") as stream:
            return list(_rows(csv.DictReader(stream), path))
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise ConfigError(
            tr("The tickets {path} cannot be read: {why}.", path=path, why=error),
            mend=tr("Give a CSV file in UTF-8 with the columns text and kind."),
        ) from error


def _rows(rows: csv.DictReader[str], path: Path) -> Iterator[Ticket]:
    if not {"text", "kind"} <= set(rows.fieldnames or ()):
        raise ConfigError(
            tr("{path} has no columns text and kind.", path=path),
            mend=tr("Name them in its first line."),
        )
    for number, row in enumerate(rows, start=2):
        text, kind = (row["text"] or "").strip(), (row["kind"] or "").strip()
        if not text or not kind or number > _MOST_ROWS:
            raise ConfigError(
                tr("Line {line} of {path} has no text or no kind.", line=number, path=path),
                mend=tr("Complete it, or take it out."),
            )
        yield Ticket(text=text, kind=kind)


def reassigned(
    entries: Iterable[Entry], agent: str, load_document: Callable[[str], bytes]
) -> list[Ticket]:
    """Return what people said of an agent's tickets: a label on a decision moves it.

    Args:
        entries: a journal's, oldest first; the last word on a ticket counts.
        agent: the agent's name in the scenario.
        load_document: gives the bytes of a ticket; one that is no longer kept is passed over.
    """
    decided: dict[str, str] = {}
    said: dict[str, str] = {}
    for entry in entries:
        record = entry.record
        if isinstance(record, Intent) and record.observation.agent == agent:
            document = record.observation.documents.get("document")
            if document is not None:
                decided[entry.id] = document.ref.sha256
        elif isinstance(record, Review) and record.label and record.decision in decided:
            said[decided[record.decision]] = record.label
    return [
        Ticket(text=text, kind=kind)
        for digest, kind in said.items()
        if (text := _text(digest, load_document))
    ]


def _text(digest: str, load_document: Callable[[str], bytes]) -> str:
    from millhand.errors import MillhandError

    try:
        return load_document(digest).decode("utf-8", errors="replace")[:LONGEST].strip()
    except MillhandError:
        return ""
