"""A page as words and lines with their places, whatever they were read from."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from statistics import median

from millhand_admin.paper.fact import Box, Method

_SAME_LINE = 0.55
"""Two words are on one line when their middles are nearer than this fraction of their height."""
_NEXT_CELL = 1.1
"""A gap wider than this many heights begins a new cell of a table."""
_MOST_FOR_SLOPE, _FEWEST_FOR_SLOPE = 800, 8
"""Words that are looked at for the slope of lines, and neighbours without which none is told."""
_NO_SPACE = 0.12
"""A gap narrower than this many heights is no space (Chinese has none)."""


@dataclass(frozen=True, slots=True)
class Word:
    """Some characters that belong together; ``box`` is in fractions of the page."""

    text: str
    box: Box
    confidence: float = 1.0


@dataclass(frozen=True, slots=True)
class Cell:
    """Words with nothing but spaces between them."""

    text: str
    box: Box
    confidence: float


@dataclass(frozen=True, slots=True)
class TextLine:
    """The cells of one line, from left to right."""

    cells: tuple[Cell, ...]

    @property
    def text(self) -> str:
        """All of it, cells parted by two spaces."""
        return "  ".join(cell.text for cell in self.cells)

    @property
    def box(self) -> Box:
        """Around all cells."""
        box = self.cells[0].box
        for cell in self.cells[1:]:
            box = box.united(cell.box)
        return box


@dataclass(frozen=True, slots=True)
class Page:
    """One page: ``number`` from 1, ``aspect`` its height over its width."""

    number: int
    aspect: float
    lines: tuple[TextLine, ...]
    method: Method
    note: str = ""
    """How it was read, for a person: the engine, the language, what was done to the picture."""

    @property
    def text(self) -> str:
        """All lines."""
        return "\n".join(line.text for line in self.lines)


def lines_of(words: Iterable[Word], aspect: float, *, level: bool = True) -> tuple[TextLine, ...]:
    """Gather words into lines, top to bottom, and lines into cells.

    Args:
        words: in any order.
        aspect: the page's height over its width, so that heights and widths compare.
        level: lines run level; else their slope is found first, as in a photograph.
    """
    given = list(words)
    slope = 0.0 if level else _slope(given)

    def middle(word: Word) -> float:
        return _middle(word) - slope * (word.box.left + word.box.right) / 2

    rows: list[list[Word]] = []
    for word in sorted(given, key=middle):
        height = word.box.bottom - word.box.top
        if rows and abs(middle(word) - sum(map(middle, rows[-1])) / len(rows[-1])) < (
            _SAME_LINE * max(height, _row_height(rows[-1]))
        ):
            rows[-1].append(word)
        else:
            rows.append([word])
    return tuple(_line(sorted(row, key=lambda word: word.box.left), aspect) for row in rows)


def _slope(words: Sequence[Word]) -> float:
    """Return how far lines fall over the page's width, in page heights."""
    ordered = sorted(words, key=lambda word: word.box.left)[:_MOST_FOR_SLOPE]
    falls: list[float] = []
    for at, word in enumerate(ordered):
        height = word.box.bottom - word.box.top
        after = [
            other for other in ordered[at + 1 :]
            if other.box.left >= word.box.right - 0.005
            and other.box.left - word.box.right < 0.12
            and abs(_middle(other) - _middle(word)) < 0.7 * height
        ]  # fmt: skip
        if after:
            other = min(after, key=lambda one: one.box.left)
            apart = (other.box.left + other.box.right - word.box.left - word.box.right) / 2
            falls.append((_middle(other) - _middle(word)) / max(apart, 0.02))
    return median(falls) if len(falls) >= _FEWEST_FOR_SLOPE else 0.0


def _middle(word: Word) -> float:
    return (word.box.top + word.box.bottom) / 2


def _row_height(row: Sequence[Word]) -> float:
    return median(word.box.bottom - word.box.top for word in row)


def _line(row: Sequence[Word], aspect: float) -> TextLine:
    height = _row_height(row) * aspect
    cells: list[Cell] = []
    for word in row:
        gap = word.box.left - cells[-1].box.right if cells else 0.0
        if cells and gap <= _NEXT_CELL * height:
            space = "" if gap < _NO_SPACE * height else " "
            last = cells.pop()
            cells.append(
                Cell(
                    last.text + space + word.text,
                    last.box.united(word.box),
                    min(last.confidence, word.confidence),
                )
            )
        else:
            cells.append(Cell(word.text, word.box, word.confidence))
    return TextLine(tuple(cells))
