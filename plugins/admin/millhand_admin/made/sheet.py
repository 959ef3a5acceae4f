"""A made-up paper drawn on a page, and the page as a scanner or a telephone sees it."""

from __future__ import annotations

import io
from decimal import Decimal
from random import Random

import numpy as np
from PIL import Image, ImageDraw, ImageFilter

from millhand_admin.made.layouts import Layout, Wording
from millhand_admin.made.lettering import Pen, blank
from millhand_admin.made.paper import MadeLine, MadePaper, MadeParty
from millhand_admin.paper.paper import Kind

WIDTH, HEIGHT = 1654, 2339
"""A4 at 200 dots an inch."""
_MARGIN = 130
_NUMERIC = {"quantity", "price", "net", "tax_rate"}
_AMOUNTS = {"price", "net", "tax_rate"}


class Sheet:
    """One page being drawn, from above."""

    def __init__(self, paper: MadePaper, layout: Layout) -> None:
        self._paper = paper
        self._layout = layout
        self._words: Wording = layout.words[paper.language]
        self._image = blank(WIDTH, HEIGHT)
        self._on = ImageDraw.Draw(self._image)
        self._pen = Pen(layout.latin, layout.chinese, layout.size)
        self._large = Pen(layout.latin, layout.chinese, round(layout.size * 1.7))
        self._y = float(_MARGIN)
        self._step = layout.size * 1.65

    def drawn(self) -> Image.Image:
        """Draw all of it."""
        if not self._words.seller:
            self._party(self._paper.seller, "", _MARGIN)
        title = self._words.titles[self._paper.kind]
        self._large.draw(self._on, (WIDTH - self._large.width(title)) / 2, self._y, title)
        self._y += self._large.size * 2
        self._heads()
        self._parties()
        self._table()
        if self._paper.kind in {Kind.INVOICE, Kind.CREDIT_NOTE, Kind.ORDER}:
            self._sums()
        return self._image

    def _text(self, x: float, text: str, *, right: bool = False) -> None:
        self._pen.draw(self._on, x - self._pen.width(text) if right else x, self._y, text)

    def _heads(self) -> None:
        words, paper = self._words, self._paper
        values = [(words.number, paper.number), (words.issued, paper.issued.strftime(words.day))]
        if paper.due is not None:
            values.append((words.due, paper.due.strftime(words.day)))
        if paper.order:
            values.append((words.order, paper.order))
        if self._layout.row_of_heads:
            wide = (WIDTH - 2 * _MARGIN) / len(values)
            for line in (0, 1):
                for number, pair in enumerate(values):
                    self._text(_MARGIN + wide * number, pair[line])
                self._y += self._step
        else:
            wide = max(self._pen.width(label) for label, _ in values) + self._pen.size
            for label, value in values:
                self._text(WIDTH / 2, label)
                self._text(WIDTH / 2 + wide, value)
                self._y += self._step
        self._y += self._step

    def _parties(self) -> None:
        top = self._y
        if self._words.seller:
            self._party(self._paper.seller, self._words.seller, _MARGIN)
        below = self._y
        if self._layout.side_by_side:
            self._y = top
        self._party(self._paper.buyer, self._words.buyer,
                    WIDTH / 2 + 20 if self._layout.side_by_side else _MARGIN)  # fmt: skip
        self._y = max(self._y, below)

    def _party(self, party: MadeParty, label: str, x: float) -> None:
        if label and label.endswith((":", "：")):
            self._text(x, f"{label} {party.name}")
            self._y += self._step
        else:
            for line in filter(None, (label, party.name)):
                self._text(x, line)
                self._y += self._step
        self._text(x, f"{party.address}, {party.city}")
        self._y += self._step
        self._text(x, f"{self._words.tax_number} {party.tax_number}")
        self._y += self._step * 1.6

    def _columns(self) -> list[tuple[str, float, float]]:
        """Name, left and right of each column that this kind of paper has."""
        with_amounts = self._paper.kind not in {Kind.DELIVERY_NOTE, Kind.GOODS_RECEIPT}
        wide = WIDTH - 2 * _MARGIN
        found, left = [], float(_MARGIN)
        for name, share in self._layout.columns:
            if with_amounts or name not in _AMOUNTS:
                found.append((name, left, left + wide * share))
            left += wide * share
        return found

    def _table(self) -> None:
        columns = self._columns()
        top = self._y - self._step * 0.3
        for name, left, right in columns:
            self._cell(name, self._words.columns[name], left, right)
        self._y += self._step
        self._rule()
        for line in self._paper.lines:
            rows = self._wrapped(line, next(c for c in columns if c[0] == "description"))
            for number, text in enumerate(rows):
                if number == 0:
                    for name, left, right in columns:
                        if name != "description":
                            self._cell(name, self._value(line, name), left, right)
                _, left, right = next(c for c in columns if c[0] == "description")
                self._cell("description", text, left, right)
                self._y += self._step
            self._rule()
        if self._layout.ruled:
            for _, left, _ in columns:
                x = left - 8
                self._on.line((x, top, x, self._y - self._step * 0.3), fill=60, width=2)
        self._y += self._step * 0.6

    def _rule(self) -> None:
        if self._layout.ruled:
            y = self._y - self._step * 0.3
            self._on.line((_MARGIN - 8, y, WIDTH - _MARGIN, y), fill=60, width=2)

    def _cell(self, name: str, text: str, left: float, right: float) -> None:
        if name in _NUMERIC:
            self._text(right - 14, text, right=True)
        else:
            self._text(left, text)

    def _wrapped(self, line: MadeLine, column: tuple[str, float, float]) -> list[str]:
        _, left, right = column
        text = line.description + (f" {self._words.lot} {line.lot}" if line.lot else "")
        rows, row = [], ""
        for word in text.split(" "):
            longer = f"{row} {word}".strip()
            if row and self._pen.width(longer) > right - left - 16:
                rows.append(row)
                row = word
            else:
                row = longer
        return [*rows, row]

    def _value(self, line: MadeLine, name: str) -> str:
        match name:
            case "item":
                return line.item
            case "unit":
                return line.unit
            case "quantity":
                return self._number(line.quantity)
            case "price":
                return self._number(line.price)
            case "net":
                return self._number(line.net(self._paper.currency))
        return f"{line.tax_rate}%"

    def _sums(self) -> None:
        paper, words = self._paper, self._words
        rows = [(words.net, paper.net)]
        many = len(paper.taxes) > 1
        for rate, (_, tax) in paper.taxes.items():
            rows.append((words.tax.format(rate=rate), tax if many else paper.tax))
        rows.append((f"{words.gross} ({paper.currency})", paper.gross))
        for label, amount in rows:
            self._text(WIDTH * 0.46, label)
            self._text(WIDTH - _MARGIN - 14, self._number(amount), right=True)
            self._y += self._step

    def _number(self, number: Decimal) -> str:
        whole, _, part = f"{number:,f}".partition(".")
        whole = whole.replace(",", self._words.group)
        return f"{whole}{self._words.point}{part}" if part else whole


def draw(paper: MadePaper, layout: Layout) -> Image.Image:
    """Draw a paper: A4 at 200 dots an inch, grey."""
    return Sheet(paper, layout).drawn()


def scanned(image: Image.Image, seed: int, *, most_degrees: float = 1.5) -> Image.Image:
    """Return a page as a flat scanner gives it: a little turned, soft, noisy."""
    random = Random(seed)  # noqa: S311  no secret
    turned = image.rotate(random.uniform(-most_degrees, most_degrees), Image.Resampling.BICUBIC,
                          fillcolor=250)  # fmt: skip
    soft = turned.filter(ImageFilter.GaussianBlur(random.uniform(0.3, 0.8)))
    pixels = np.asarray(soft, np.float32)
    noise = np.random.default_rng(seed).normal(0, random.uniform(2, 7), pixels.shape)
    contrast = random.uniform(0.8, 1.0)
    dull = (pixels - 250) * contrast + 245 + noise
    return Image.fromarray(np.clip(dull, 0, 255).astype(np.uint8))


def as_png(image: Image.Image) -> bytes:
    """Return a picture as PNG."""
    stream = io.BytesIO()
    image.save(stream, "PNG", compress_level=1)
    return stream.getvalue()


def as_jpeg(image: Image.Image, quality: int = 80) -> bytes:
    """Return a picture as JPEG."""
    stream = io.BytesIO()
    image.save(stream, "JPEG", quality=quality)
    return stream.getvalue()


def as_scanned_pdf(*pages: Image.Image) -> bytes:
    """Return pages as a PDF without characters."""
    stream = io.BytesIO()
    first, *others = pages
    first.save(stream, "PDF", resolution=200, save_all=bool(others), append_images=others)
    return stream.getvalue()
