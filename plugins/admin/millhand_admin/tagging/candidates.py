"""What might be the date or the total: every date and amount on a page, with what stands around."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from enum import StrEnum

from millhand_admin.paper.fact import Box
from millhand_admin.reading.page import Page
from millhand_admin.tagging.values import AMOUNT, DATE, amount_of, date_of


class Field(StrEnum):
    """The values that are looked for."""

    DATE = "date"
    TOTAL = "total"


@dataclass(frozen=True, slots=True)
class Candidate:
    """A value that may be the one, with where it stands and what speaks for it."""

    value: date | Decimal
    text: str
    page: int
    box: Box
    confidence: float
    """Of the characters."""
    context: str
    """Words around it and facts about it, for the tagger."""


def candidates(pages: Sequence[Page], field: Field) -> list[Candidate]:
    """Return every candidate on some pages, in reading order."""
    found = list(_dates(pages) if field is Field.DATE else _amounts(pages))
    counts = Counter(one.value for one in found)
    ordered = sorted({one.value for one in found}, reverse=True)
    rank = {value: place for place, value in enumerate(ordered)}
    return [_with_facts(one, counts[one.value], rank[one.value], place, len(found))
            for place, one in enumerate(found)]  # fmt: skip


def _with_facts(one: Candidate, times: int, rank: int, place: int, count: int) -> Candidate:
    facts = (
        f"xtimes{min(times, 4)} xrank{_letter(rank)} xfirst{_letter(place)} "
        f"xlast{_letter(count - 1 - place)} xdown{_letter(int(one.box.top * 8))}"
    )
    return Candidate(
        one.value, one.text, one.page, one.box, one.confidence, f"{one.context} {facts}"
    )


def _letter(number: int) -> str:
    """Numbers as letters: the pieces of a text treat every digit alike."""
    return "abcdefghijk"[min(number, 10)]


def _dates(pages: Sequence[Page]) -> Iterator[Candidate]:
    for page, at, text, box, sure in _rows(pages):
        for match in DATE.finditer(text):
            value = date_of(match)
            if value is not None:
                context = _context(page, at, text, match.start(), match.end())
                yield Candidate(value, match.group(), page.number, box, sure, context)


def _amounts(pages: Sequence[Page]) -> Iterator[Candidate]:
    for page, at, text, box, sure in _rows(pages):
        for match in AMOUNT.finditer(text):
            context = _context(page, at, text, match.start(), match.end())
            if amount_of(match.group()) == 0:
                context += " xzero"
            yield Candidate(
                amount_of(match.group()), match.group(), page.number, box, sure, context
            )


def _rows(pages: Sequence[Page]) -> Iterator[tuple[Page, int, str, Box, float]]:
    for page in pages:
        for at, line in enumerate(page.lines):
            sure = min(cell.confidence for cell in line.cells)
            yield page, at, line.text, line.box, sure


def _context(page: Page, at: int, text: str, begin: int, end: int) -> str:
    """Say what stands before and after on the line, above and below."""
    above = page.lines[at - 1].text if at else "xtop"
    below = page.lines[at + 1].text if at + 1 < len(page.lines) else "xbottom"
    parts = (("b", text[:begin]), ("a", text[end:]), ("u", above), ("d", below))
    return " ".join(
        f"{where}{word}" for where, words in parts for word in words.casefold().split()[:8]
    ) + (" xalone" if not text[:begin].strip() else "")  # fmt: skip
