"""From pages to a paper: header values by their labels, goods by their table, sums below it.

Which mark is the decimal point is what makes the paper's own arithmetic hold. A value that takes
part in a sum that holds is surer than its letters alone: two misreadings seldom cancel.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date
from decimal import Decimal
from itertools import chain, pairwise

from millhand_admin.paper.fact import Fact, Unread
from millhand_admin.paper.paper import Form, Kind, Line, Number, Paper, Text, Totals
from millhand_admin.reading.page import Page
from millhand_admin.tagging.assurance import assured
from millhand_admin.tagging.heads import announced, day, identifier
from millhand_admin.tagging.labels import Column, Label, kind_in, labels_in
from millhand_admin.tagging.numbers import POINTS, meant, mended, numbers_in, percent_in, tidy
from millhand_admin.tagging.parties import fact_of, parties
from millhand_admin.tagging.pieces import Piece, Row, rows_of
from millhand_admin.tagging.sums import Sums, sums_of
from millhand_admin.tagging.table import Table, TableRow, table_of, words_of

_COIN = 2
_MENDED = 0.8
"""What look-alikes in a number cost its confidence."""
_CURRENCIES = (
    ("EUR", re.compile(r"€|\bEUR\b")),
    ("USD", re.compile(r"\$|\bUSD\b")),
    ("GBP", re.compile(r"£|\bGBP\b")),
    ("VND", re.compile(r"₫|\bVN[DĐ]\b|\bđồng\b|(?<=\d)\s?đ\b", re.IGNORECASE)),
    ("CNY", re.compile(r"[¥￥元]|人民币|\b(?:CNY|RMB)\b")),
)
_LOT = re.compile(
    r"(?:lot|batch|heat|lô|批号|批次|炉号)[\s.:：no]*([A-Z0-9][A-Z0-9\-]{2,})", re.IGNORECASE
)


def paper_of(pages: Sequence[Page], ours: Sequence[str] = ()) -> Paper | None:
    """Return the paper that some pages hold; None where nothing says that they hold one.

    Args:
        pages: of one paper, in order.
        ours: our own tax numbers.
    """
    kind, title = _kind(pages)
    table = table_of(pages)
    rows = rows_of(pages, labels_in)
    outside = [row for row in rows if not _in_table(row, table)]
    below = [row for row in rows if _below(row, table)]
    raw = _Raw(goods=() if table is None else table.rows, sums=sums_of(below if table else outside))
    if kind is Kind.UNKNOWN or (table is None and raw.sums.empty):
        return None
    point, currency = _point(raw, pages), _currency(pages)
    seller, buyer = parties(outside, ours)
    head = [row for row in outside if row not in below] if table else outside
    totals = raw.sums.totals(point)
    due = _day(outside, Label.DUE)
    undated = () if due is not None else _undated(outside, Label.DUE)
    paper = Paper(
        kind=kind,
        form=Form.PAGE,
        number=_number(head, kind, title),
        issued=_day(outside, Label.ISSUED, excluding=Label.DUE),
        due=due,
        currency=currency,
        seller=seller,
        buyer=buyer,
        orders=() if kind is Kind.ORDER else _texts(head, Label.ORDER),
        deliveries=() if kind is Kind.DELIVERY_NOTE else _texts(head, Label.DELIVERY),
        series=next(iter(_texts(head, Label.SERIES)), None),
        lines=raw.lines(point),
        taxes=raw.sums.taxes(point),
        totals=totals,
        unread=(*raw.sums.unread(totals, point), *undated),
        pages=len(pages),
    )
    return assured(_with_rates(paper))


@dataclass(frozen=True, slots=True)
class _Raw:
    """Goods and sums as they stand there, before it is known how numbers are written."""

    goods: tuple[TableRow, ...]
    sums: Sums

    def lines(self, point: str) -> tuple[Line, ...]:
        return tuple(_line(row, point) for row in self.goods)

    def holds(self, point: str, unit: Decimal) -> int:
        """How much of the paper's arithmetic holds, less the numbers that are none."""
        lines = self.lines(point)
        right = sum(2 for line in lines if _multiplies(line, unit))
        wrong = sum(
            1 for line, row in zip(lines, self.goods, strict=True)
            for column, value in ((Column.QUANTITY, line.quantity), (Column.PRICE, line.price),
                                  (Column.NET, line.net))
            if value is None and column in row.cells
        )  # fmt: skip
        totals = self.sums.totals(point)
        amounts = (*(line.net for line in lines), totals.net, totals.tax, totals.gross)
        # No currency has coins of a thousandth here: 475.200 is a group, not a fraction.
        wrong += sum(4 for one in amounts if one is not None and _fraction(one) > _COIN)
        return right - wrong + (2 if _adds_up(totals, unit) else 0) - self.sums.wrong(point)


def _fraction(number: Number) -> int:
    """How many digits stand behind the point."""
    exponent = number.value.as_tuple().exponent
    return -exponent if isinstance(exponent, int) else 0


def _point(raw: _Raw, pages: Sequence[Page]) -> str:
    """Choose the decimal point that makes most of the arithmetic hold."""
    text = "\n".join(page.text for page in pages)
    signs = {
        point: len(re.findall(rf"\d[{other}]\d{{3}}[.,]\d", text))
        + len(re.findall(rf"\d[{point}]\d\d(?!\d)", text)) / 100
        for point, other in zip(POINTS, reversed(POINTS), strict=True)
    }
    return max(POINTS, key=lambda point: (raw.holds(point, Decimal("0.01")), signs[point]))


def _line(row: TableRow, point: str) -> Line:
    cells = row.cells
    described = [replace(piece, text=text) for piece in cells.get(Column.DESCRIPTION, [])
                 if (text := _LOT.sub("", piece.text).strip())]  # fmt: skip
    lot = _lot(row)
    return Line(
        number=_text(cells.get(Column.POSITION, [])),
        item=_text(cells.get(Column.ITEM, [])),
        description=_text(described),
        quantity=number_of(cells.get(Column.QUANTITY, []), point),
        unit=_text(cells.get(Column.UNIT, [])) or _unit_beside(cells.get(Column.QUANTITY, [])),
        price=number_of(cells.get(Column.PRICE, []), point),
        net=number_of(cells.get(Column.NET, []), point),
        tax_rate=_rate(cells.get(Column.TAX_RATE, [])),
        lot=lot,
    )


def _lot(row: TableRow) -> Text | None:
    if Column.LOT in row.cells:
        return _text(row.cells[Column.LOT])
    for piece in row.cells.get(Column.DESCRIPTION, ()):
        match = _LOT.search(piece.text)
        if match is not None:
            return fact_of(match[1], piece)
    return None


def number_of(pieces: Sequence[Piece], point: str) -> Number | None:
    """Return the number that some pieces hold together, as a fact."""
    text = words_of(pieces)
    if not pieces:
        return None
    for candidate, cost in ((text, 1.0), (mended(text), _MENDED)):
        found = numbers_in(candidate or "")
        value = meant(found[-1], point) if found else None
        if value is not None:
            return _united(value, text, pieces, cost)
    return None


def _rate(pieces: Sequence[Piece]) -> Number | None:
    text = words_of(pieces)
    rate = percent_in(text)
    if rate is None and re.fullmatch(r"\d{1,2}(?:[.,]\d{1,2})?", tidy(text)):
        rate = Decimal(tidy(text).replace(",", "."))
    return None if rate is None else _united(rate, text, pieces, 1.0)


def _united(value: Decimal, text: str, pieces: Sequence[Piece], cost: float) -> Number:
    box = pieces[0].box
    for piece in pieces[1:]:
        box = box.united(piece.box)
    page = pieces[0].page
    return Fact[Decimal](
        value=value, text=text, method=page.method, page=page.number, box=page.shown(box),
        confidence=cost * min(piece.confidence for piece in pieces),
    )  # fmt: skip


def _text(pieces: Sequence[Piece]) -> Text | None:
    if not pieces:
        return None
    text = words_of(pieces)
    fact = fact_of(text, pieces[0])
    if len(pieces) == 1:
        return fact
    box = pieces[0].box
    for piece in pieces[1:]:
        if piece.page is pieces[0].page:
            box = box.united(piece.box)
    sure = min(piece.confidence for piece in pieces)
    changes = {"text": text, "confidence": sure, "box": pieces[0].page.shown(box)}
    return fact.model_copy(update=changes)


def _unit_beside(pieces: Sequence[Piece]) -> Text | None:
    """A unit that stands in the column of quantities: ``12 kg``."""
    for piece in pieces:
        words = [word for word in piece.text.split() if not any(map(str.isdigit, word))]
        if words:
            return fact_of(" ".join(words), piece)
    return None


def _kind(pages: Sequence[Page]) -> tuple[Kind, str]:
    """The first title among the first lines, those of one cell before others."""
    lines = list(chain.from_iterable(page.lines for page in pages))[:14]
    for line in lines:
        for cell in line.cells:
            kind = kind_in(cell.text)
            if kind is not None:
                return kind, cell.text
    return Kind.UNKNOWN, ""


def _number(rows: Sequence[Row], kind: Kind, title: str) -> Text | None:
    labels = [Label.NUMBER]
    if kind is Kind.ORDER:
        labels.append(Label.ORDER)
    if kind is Kind.DELIVERY_NOTE:
        labels.insert(0, Label.DELIVERY)
    for label in labels:
        for value, piece, _ in announced(rows, label, identifier):
            return fact_of(value, piece)
    for row in rows:  # "Invoice INV-4711"
        for piece in row:
            inside = identifier(piece.text) if piece.text in title else None
            if inside is not None:
                return fact_of(inside, piece)
    return None


def _texts(rows: Sequence[Row], label: Label) -> tuple[Text, ...]:
    return tuple(fact_of(value, piece) for value, piece, _ in announced(rows, label, identifier))[
        :1
    ]


def _day(rows: Sequence[Row], label: Label, *, excluding: Label | None = None) -> Fact[date] | None:
    taken = (
        set() if excluding is None
        else {id(piece) for _, piece, _ in announced(rows, excluding, day)}
    )  # fmt: skip
    for value, piece, _ in announced(rows, label, day):
        if id(piece) not in taken:
            return fact_of("", piece).having(value)
    return None


def _undated(rows: Sequence[Row], label: Label) -> tuple[Unread, ...]:
    """Return what a label announces with digits, and that is no date."""
    return tuple(
        Unread(what="a date", text=after.text, page=after.page.number,
               box=after.page.shown(after.box))
        for row in rows
        for piece, after in pairwise(row)
        if piece.label == label and not after.label and day(after.text) is None
        and any(map(str.isdigit, after.text))
    )  # fmt: skip


def _currency(pages: Sequence[Page]) -> Text | None:
    """The currency that most of the paper is written in."""
    counts: dict[str, int] = {}
    first: dict[str, tuple[Page, int]] = {}
    for page in pages:
        for at, line in enumerate(page.lines):
            for code, pattern in _CURRENCIES:
                times = len(pattern.findall(line.text))
                if times:
                    counts[code] = counts.get(code, 0) + times
                    first.setdefault(code, (page, at))
    if not counts:
        return None
    code = max(counts, key=counts.__getitem__)
    page, at = first[code]
    cell = page.lines[at].cells[0]
    sure = 1.0 if len(counts) == 1 else counts[code] / sum(counts.values())
    return fact_of(code, Piece(cell.text, page.lines[at].box, sure, page, at))


def _in_table(row: Row, table: Table | None) -> bool:
    if table is None or not row:
        return False
    first, end = table.lines.get(row[0].page.number, (0, 0))
    return first <= row[0].row < end


def _below(row: Row, table: Table | None) -> bool:
    if table is None or not row:
        return False
    last = max(table.lines)
    page = row[0].page.number
    return page > last or (page == last and row[0].row >= table.lines[last][1])


def _multiplies(line: Line, unit: Decimal) -> bool:
    if line.quantity is None or line.price is None or line.net is None:
        return False
    return abs(line.quantity.value * line.price.value - line.net.value) <= unit


def _adds_up(totals: Totals, unit: Decimal) -> bool:
    if totals.net is None or totals.tax is None or totals.gross is None:
        return False
    return abs(totals.net.value + totals.tax.value - totals.gross.value) <= unit


def _with_rates(paper: Paper) -> Paper:
    """Where the paper names one rate of tax for all, say so at each line."""
    rates = [tax.rate for tax in paper.taxes if tax.rate is not None]
    if len(rates) != 1 or any(line.tax_rate for line in paper.lines):
        return paper
    lines = tuple(line.model_copy(update={"tax_rate": rates[0]}) for line in paper.lines)
    return paper.model_copy(update={"lines": lines})
