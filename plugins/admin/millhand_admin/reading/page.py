"""A page as words and lines with their places, whatever they were read from."""

from __future__ import annotations

import math
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
class Turn:
    """A picture turned about its middle: first by quarters, then by an angle, counterclockwise.

    The picture keeps its size when it is turned by ``degrees``; ``aspect`` is its height over its
    width after the quarters.
    """

    quarters: int
    degrees: float
    aspect: float

    def undone(self, box: Box) -> Box:
        """Return the smallest box around one of the turned picture, before it was turned."""
        corners = [self._undone(x, y) for x in (box.left, box.right) for y in (box.top, box.bottom)]
        across = [_inside(x) for x, _ in corners]
        down = [_inside(y) for _, y in corners]
        return Box(left=min(across), top=min(down), right=max(across), bottom=max(down))

    def redone(self, box: Box) -> Box:
        """Return the box that :meth:`undone` was given, as near as can be told."""
        x, y = (box.left + box.right) / 2, (box.top + box.bottom) / 2
        wide, high = box.right - box.left, box.bottom - box.top
        for _ in range(self.quarters % 4):
            x, y = y, 1 - x
            wide, high = high, wide
        angle = math.radians(self.degrees)
        right, down = x - 0.5, (y - 0.5) * self.aspect
        x = right * math.cos(angle) + down * math.sin(angle) + 0.5
        y = (down * math.cos(angle) - right * math.sin(angle)) / self.aspect + 0.5
        # The box around a turned one is wider by its height's share, and the other way round.
        cosine, sine = math.cos(angle), abs(math.sin(angle))
        tall = high * self.aspect
        inner_wide = max((wide * cosine - tall * sine) / (cosine**2 - sine**2), 0.0)
        inner_tall = max((tall * cosine - wide * sine) / (cosine**2 - sine**2), 0.0)
        across, down = inner_wide / 2, inner_tall / self.aspect / 2
        return Box(left=_inside(x - across), right=_inside(x + across),
                   top=_inside(y - down), bottom=_inside(y + down))  # fmt: skip

    def _undone(self, x: float, y: float) -> tuple[float, float]:
        angle = math.radians(self.degrees)
        right, down = x - 0.5, (y - 0.5) * self.aspect
        back_right = right * math.cos(angle) - down * math.sin(angle)
        back_down = right * math.sin(angle) + down * math.cos(angle)
        x, y = back_right + 0.5, back_down / self.aspect + 0.5
        for _ in range(self.quarters % 4):
            x, y = 1 - y, x
        return x, y


def _inside(place: float) -> float:
    return min(max(place, 0.0), 1.0)


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
    turn: Turn | None = None
    """How the picture was turned before it was read; places are those of the turned picture."""

    @property
    def text(self) -> str:
        """All lines."""
        return "\n".join(line.text for line in self.lines)

    def shown(self, box: Box) -> Box:
        """Return where a box lies on the page as it came in."""
        return box if self.turn is None else self.turn.undone(box)


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
