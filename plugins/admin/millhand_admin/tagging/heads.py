"""Values that a label announces: what stands right of it, or else below."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from datetime import date
from typing import TypeVar

from millhand_admin.tagging.folding import fold
from millhand_admin.tagging.labels import Label
from millhand_admin.tagging.pieces import Piece, Row, part_of
from millhand_admin.tagging.values import DATE, date_of

T = TypeVar("T")
Parse = Callable[[str], T | None]

_BELOW = 2
"""How many lines below a label its value may stand."""
_IDENTIFIER = re.compile(r"[A-Z0-9][A-Z0-9\-/._]*(?: ?[-/] ?[A-Z0-9]+)*", re.IGNORECASE)
_TAX_NUMBER = re.compile(r"[A-Z]{0,3} ?[0-9A-Z](?:[ .\-]?[0-9A-Z]){6,19}")
_SPELT = (
    re.compile(r"(\d{1,2})\s*thang\s*(\d{1,2})\s*nam\s*(\d{4})"),
    re.compile(r"(?P<y>20\d\d)\s*年\s*(?P<m>\d{1,2})\s*月\s*(?P<d>\d{1,2})"),
)


def identifier(text: str) -> str | None:
    """Return the first word with a digit."""
    for match in _IDENTIFIER.finditer(text):
        if any(map(str.isdigit, match.group())):
            return match.group().replace(" ", "").strip("./-_")
    return None


def tax_number(text: str) -> str | None:
    """Return what may be a tax number."""
    match = _TAX_NUMBER.search(text.upper())
    return None if match is None or sum(map(str.isdigit, match.group())) < 6 else match.group()


def day(text: str) -> date | None:
    """Return the first date."""
    folded = fold(text)
    for pattern in _SPELT:
        match = pattern.search(folded)
        if match is not None:
            parts = match.groupdict() or dict(zip("dmy", match.groups(), strict=True))
            try:
                return date(int(parts["y"]), int(parts["m"]), int(parts["d"]))
            except ValueError:
                return None
    return next((found for match in DATE.finditer(text) if (found := date_of(match))), None)


def name(text: str) -> str | None:
    """Return a name: at least two letters."""
    return text if sum(map(str.isalpha, text)) >= 2 else None


def announced(
    rows: Sequence[Row], label: Label, parse: Parse[T]
) -> Iterator[tuple[T, Piece, Piece]]:
    """Yield value, its piece and the label's piece; the longest labels first, then from above."""
    places = [
        (at, number)
        for at, row in enumerate(rows)
        for number, piece in enumerate(row)
        if piece.label == label
    ]
    places.sort(key=lambda place: (-len(rows[place[0]][place[1]].text), place))
    for at, number in places:
        found = value_at(rows, at, number, parse)
        if found is not None:
            yield (*found, rows[at][number])


def value_at(rows: Sequence[Row], at: int, number: int, parse: Parse[T]) -> tuple[T, Piece] | None:
    """Return the value that belongs to the label at a place, with its piece."""
    row, label = rows[at], rows[at][number]
    after = row[number + 1 : number + 2]
    for piece in after:
        if not piece.label and (value := parse(piece.text)) is not None:
            return value, piece
    for below in rows[at + 1 : at + 1 + _BELOW]:
        for piece in below:
            if piece.page is label.page and not piece.label and _under(piece, label):
                for part in (_clipped(piece, label), piece):
                    value = parse(part.text)
                    if value is not None:
                        return value, part
    return None


def _clipped(piece: Piece, label: Piece) -> Piece:
    """Cut from a piece the words that stand under a label and right of there."""
    start = 0
    for word in piece.text.split():
        start = piece.text.index(word, start)
        place = part_of(piece.box, piece.text, start, start + len(word))
        if place.right > label.box.left:
            rest = part_of(piece.box, piece.text, start, len(piece.text))
            return replace(piece, text=piece.text[start:], box=rest)
        start += len(word)
    return piece


def _under(piece: Piece, label: Piece) -> bool:
    return (
        min(piece.box.right, label.box.right) > max(piece.box.left, label.box.left)
        and piece.box.top - label.box.bottom < 4 * (label.box.bottom - label.box.top)
    )  # fmt: skip
