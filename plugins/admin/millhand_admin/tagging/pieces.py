"""Lines of a page cut into labels and what stands between them, each with its place."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass

from millhand_admin.paper.fact import Box
from millhand_admin.reading.page import Cell, Page
from millhand_admin.tagging.folding import composed
from millhand_admin.tagging.labels import Found

_EDGE = " \t:：.,;-–—_|[](){}"


@dataclass(frozen=True, slots=True)
class Piece:
    """Some text of a page; ``label`` says what it announces, empty for anything else."""

    text: str
    box: Box
    confidence: float
    page: Page
    row: int
    """Index of the line on its page."""
    label: str = ""
    cell: int = 0
    """Index of the cell on its line."""


Row = tuple[Piece, ...]


def rows_of(pages: Sequence[Page], find: Callable[[str], list[Found]]) -> list[Row]:
    """Cut every line of some pages, in reading order."""
    return [row_of(page, at, find) for page in pages for at in range(len(page.lines))]


def row_of(page: Page, at: int, find: Callable[[str], list[Found]]) -> Row:
    """Cut one line."""
    return tuple(
        piece
        for number, cell in enumerate(page.lines[at].cells)
        for piece in _cut(cell, page, at, number, find(composed(cell.text)))
    )


def _cut(cell: Cell, page: Page, row: int, number: int, found: Iterable[Found]) -> Iterator[Piece]:
    text = composed(cell.text)
    at = 0
    for one in found:
        yield from _plain(cell, text, at, one.start, page, row, number)
        yield Piece(text[one.start : one.end], part_of(cell.box, text, one.start, one.end),
                    cell.confidence, page, row, one.label, number)  # fmt: skip
        at = one.end
    yield from _plain(cell, text, at, len(text), page, row, number)


def _plain(
    cell: Cell, text: str, start: int, end: int, page: Page, row: int, number: int
) -> Iterator[Piece]:
    part = text[start:end]
    stripped = part.strip(_EDGE)
    if stripped:
        start += part.index(stripped[0])
        yield Piece(stripped, part_of(cell.box, text, start, start + len(stripped)),
                    cell.confidence, page, row, "", number)  # fmt: skip


def part_of(box: Box, text: str, start: int, end: int) -> Box:
    """Return where a part of a text stands, as if all letters were of the same width."""
    # Chinese characters are about twice as wide as Latin letters.
    widths = [2 if ord(letter) > 0x2E7F else 1 for letter in text]
    total = max(sum(widths), 1)
    wide = box.right - box.left
    return Box(
        left=box.left + wide * sum(widths[:start]) / total,
        top=box.top,
        right=min(box.left + wide * sum(widths[:end]) / total, 1.0),
        bottom=box.bottom,
    )
