"""The table of goods on a page: its columns by their heads, its rows by their numbers."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field

from millhand_admin.paper.fact import Box
from millhand_admin.reading.page import Page
from millhand_admin.tagging.labels import SUMS, Column, columns_in, labels_in
from millhand_admin.tagging.numbers import NUMBER, PERCENT, mended, tidy
from millhand_admin.tagging.pieces import Piece, Row, part_of, row_of

_FEWEST_HEADS = 3
_NUMERIC = frozenset({Column.QUANTITY, Column.PRICE, Column.NET, Column.TAX_RATE,
                      Column.TAX_AMOUNT, Column.GROSS})  # fmt: skip
_MONEY = frozenset({Column.QUANTITY, Column.PRICE, Column.NET, Column.GROSS})
_RULES = str.maketrans("|[]｜\\!", " " * 6)
"""What recognisers make of a table's rules."""
_WORD = re.compile(r"[\d.,]+%?(?=[\u4e00-\u9fff])|\S+")
"""A word; in Chinese the unit stands right at the number."""
_FAR = 3.0
"""A line further below than this many heights is no continuation of a row."""


@dataclass(slots=True)
class TableRow:
    """One row: the pieces of each column, in reading order."""

    cells: dict[Column, list[Piece]] = field(default_factory=dict)

    def add(self, column: Column, piece: Piece) -> None:
        """Put a piece into a column."""
        self.cells.setdefault(column, []).append(piece)

    @property
    def numeric(self) -> int:
        """In how many columns of quantities and amounts something stands."""
        return sum(column in _MONEY for column in self.cells)


@dataclass(frozen=True, slots=True)
class Table:
    """All rows, and on each page the lines that the table takes: first to before last."""

    rows: tuple[TableRow, ...]
    columns: frozenset[Column]
    lines: dict[int, tuple[int, int]]


def table_of(pages: Sequence[Page]) -> Table | None:
    """Find the table of goods; it may go on over pages that repeat its head."""
    rows: list[TableRow] = []
    seen: set[Column] = set()
    lines: dict[int, tuple[int, int]] = {}
    for page in pages:
        head = _head(page)
        if head is None:
            continue
        first, after, columns = head
        found, end = _rows(page, after, columns)
        rows += found
        seen |= {column for column, _ in columns}
        lines[page.number] = (first, end)
    return Table(tuple(rows), frozenset(seen), lines) if rows else None


_Heads = list[tuple[Column, Box]]


def _head(page: Page) -> tuple[int, int, _Heads] | None:
    """Return the head's first line, the line after it, and the columns from left to right."""
    for at in range(len(page.lines)):
        heads = _heads(row_of(page, at, columns_in))
        names = {column for column, _ in heads}
        if len(names) < _FEWEST_HEADS or not names & _MONEY:
            continue
        after = at + 1
        if after < len(page.lines) and not any(map(str.isdigit, page.lines[after].text)):
            more = _heads(row_of(page, after, columns_in))
            if more:  # a head of two lines
                heads += [one for one in more if one[0] not in names]
                after += 1
        return at, after, sorted(heads, key=lambda one: one[1].left)
    return None


def _heads(row: Row) -> _Heads:
    heads: dict[Column, Box] = {}
    for piece in row:
        if piece.label:
            heads.setdefault(Column(piece.label), piece.box)
    return list(heads.items())


def _rows(page: Page, after: int, columns: _Heads) -> tuple[list[TableRow], int]:
    rows: list[TableRow] = []
    last: Box | None = None
    for at in range(after, len(page.lines)):
        line = page.lines[at]
        row = TableRow()
        for cell in line.cells:
            text = cell.text.translate(_RULES)
            for column, piece in _placed(page, at, text, cell.box, cell.confidence, columns):
                row.add(column, piece)
        if _is_sum(page, at, row):
            return rows, at
        if row.numeric >= min(2, sum(column in _MONEY for column, _ in columns)):
            rows.append(row)
            last = line.box
        elif rows and last is not None and not row.numeric:
            if line.box.top - last.bottom > _FAR * (last.bottom - last.top):
                return rows, at
            for column in (Column.DESCRIPTION, Column.ITEM, Column.LOT):
                for piece in row.cells.get(column, ()):
                    rows[-1].add(column, piece)
            last = line.box
    return rows, len(page.lines)


def _is_sum(page: Page, at: int, row: TableRow) -> bool:
    if row.numeric > 1 and Column.QUANTITY in row.cells:
        return False
    return any(piece.label in SUMS for piece in row_of(page, at, labels_in))


def _placed(
    page: Page, at: int, text: str, box: Box, sure: float, columns: _Heads
) -> Iterator[tuple[Column, Piece]]:
    """Put a cell into its column, or its words into theirs where it covers several."""
    covered = [one for one in columns if _overlap(box, one[1]) > 0]
    numeric = is_number(text)
    if len(covered) > 1:
        yield from _split(page, at, text, box, sure, columns)
        return
    column = covered[0][0] if covered else _nearest(box, columns, numeric=numeric)
    if column in _NUMERIC and not numeric:
        words = text.split()
        if any(is_number(word) for word in words) and len(words) > 1:
            yield from _split(page, at, text, box, sure, columns)
            return
        column = _nearest(box, columns, numeric=False)
    yield column, Piece(text, box, sure, page, at)


def _split(
    page: Page, at: int, text: str, box: Box, sure: float, columns: _Heads
) -> Iterator[tuple[Column, Piece]]:
    start = 0
    run: list[tuple[Column, str, Box]] = []
    for word in _WORD.findall(text):
        start = text.index(word, start)
        place = part_of(box, text, start, start + len(word))
        start += len(word)
        column = _nearest(place, columns, numeric=is_number(word))
        if run and run[-1][0] is column:
            _, before, around = run.pop()
            run.append((column, f"{before} {word}", around.united(place)))
        else:
            run.append((column, word, place))
    for column, words, place in run:
        yield column, Piece(words, place, sure, page, at)


def _nearest(box: Box, columns: _Heads, *, numeric: bool) -> Column:
    offered = columns if numeric else [one for one in columns if one[0] not in _NUMERIC] or columns

    def far(one: tuple[Column, Box]) -> float:
        head = one[1]
        if _overlap(box, head) > 0:
            return -_overlap(box, head)
        # Numbers end where their head ends, words begin where it begins.
        return abs(box.right - head.right) if numeric else _from_left(box, head)

    return min(offered, key=far)[0]


def _from_left(box: Box, head: Box) -> float:
    return box.left - head.left if box.left >= head.left else 2 * (head.left - box.left)


def _overlap(one: Box, other: Box) -> float:
    return min(one.right, other.right) - max(one.left, other.left)


def is_number(text: str) -> bool:
    """Tell whether a text is a number or a percentage and nothing else."""
    plain = tidy(text)
    return bool(NUMBER.fullmatch(plain) or PERCENT.fullmatch(plain) or mended(plain) is not None)


def words_of(pieces: Iterable[Piece]) -> str:
    """Return the text of some pieces."""
    return " ".join(piece.text for piece in pieces)
