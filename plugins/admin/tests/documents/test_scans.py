"""Scanned bills, drawn and recognised for real, become drafts with a place for each value."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from decimal import Decimal

import numpy as np
import pytest

from millhand_admin.documents.pages import papers_of
from millhand_admin.made.companies import US, made_invoice
from millhand_admin.made.layouts import PLAIN, TABLE_OF_HEADS, Layout
from millhand_admin.made.paper import MadePaper
from millhand_admin.made.sheet import as_jpeg, as_png, as_scanned_pdf, draw, scanned
from millhand_admin.paper.fact import Method
from millhand_admin.paper.paper import Form, Kind, Paper
from millhand_admin.reading.crops import Crops
from millhand_admin.reading.limits import Limits
from millhand_admin.reading.ocr.charset import Language
from millhand_admin.reading.ocr.engines import PpOcr, Tesseract
from millhand_admin.reading.ocr.reader import Reader
from millhand_admin.reading.read import Reading, read

pytest.importorskip("pypdfium2", reason="PDF needs millhand-admin[pdf]")
pytestmark = pytest.mark.skipif(
    not Tesseract().available(Language.VIETNAMESE),
    reason="tesseract-ocr and tesseract-ocr-vie are not installed",
)


@pytest.fixture(scope="module")
def reader() -> Reader:
    return Reader(tuple(Language))


def read_back(reader: Reader, content: bytes, ours: str) -> tuple[Reading, Paper, Crops]:
    reading = read(content, reader=reader)
    crops = Crops(content, reading.content, reading.pages, Limits())
    (paper,) = papers_of(reading.pages, crops, reader, (ours,))
    return reading, paper, crops


def bill(language: str, seed: int) -> MadePaper:
    made = made_invoice(language, seed)
    lines = {line.item: line for line in made.lines}
    return made.but(lines=tuple(lines.values())[:4])


@pytest.mark.parametrize(
    ("language", "layout", "engine"),
    [("en", PLAIN, Tesseract), ("vi", TABLE_OF_HEADS, Tesseract), ("zh", PLAIN, PpOcr)],
)
def test_header_and_lines_of_a_scan(
    reader: Reader, language: str, layout: Layout, engine: type[Tesseract | PpOcr]
) -> None:
    if not engine().available(Language(language)):
        pytest.skip(f"{engine.name} is not installed")
    made = bill(language, 6)
    content = as_scanned_pdf(scanned(draw(made, layout), 6))
    _, paper, crops = read_back(reader, content, US[language].tax_number)
    assert (paper.kind, paper.form) == (Kind.INVOICE, Form.PAGE)
    assert paper.number is not None
    assert paper.number.value == made.number
    assert paper.issued is not None
    assert paper.issued.value == made.issued
    assert paper.seller.tax_number is not None
    assert paper.seller.tax_number.value == made.seller.tax_number
    assert paper.buyer.tax_number is not None
    assert paper.buyer.tax_number.value == made.buyer.tax_number
    assert paper.totals.gross is not None
    assert paper.totals.gross.value == made.gross
    assert [one.value for one in paper.orders] == [made.order]
    read_lines = [
        tuple(None if fact is None else fact.value for fact in (one.quantity, one.price, one.net))
        for one in paper.lines
    ]
    assert read_lines == [(one.quantity, one.price, one.net(made.currency)) for one in made.lines]
    for path, fact in paper.facts():
        assert fact.page == 1, path
        assert fact.box is not None, path
        assert fact.method in {Method.OCR, Method.DERIVED}, path
    crop = crops.of(paper.totals.gross)
    assert crop is not None
    assert crop.shape[0] < 120
    assert crop.min() < 120 < crop.max()  # ink on paper


def test_a_page_that_lies_on_its_side_and_askew_is_read(reader: Reader) -> None:
    made = bill("en", 8)
    image = scanned(draw(made, PLAIN), 8, most_degrees=0).rotate(93.5, expand=True, fillcolor=250)
    _, paper, crops = read_back(reader, as_jpeg(image, 90), US["en"].tax_number)
    assert paper.number is not None
    assert paper.number.value == made.number
    crop = crops.of(paper.number)
    assert crop is not None
    assert made.number in " ".join(reader.opinions(crop, "", made.number)).replace(" ", "")
    box = paper.number.box
    assert box is not None
    assert box.bottom - box.top > box.right - box.left  # on the page as it came in it runs upwards


def test_a_page_with_characters_needs_no_recogniser() -> None:
    pytest.importorskip("reportlab", reason="PDF is written with reportlab")
    import io

    from reportlab.pdfgen.canvas import Canvas  # type: ignore[import-untyped]

    stream = io.BytesIO()
    canvas = Canvas(stream, pagesize=(595, 842))
    rows = [
        [(60, "INVOICE")],
        [(60, "Invoice no.: INV-4711"), (350, "Date: 25/11/2026")],
        [(60, "Seller: Northfield Castings GmbH"), (350, "VAT ID: DE224538323")],
        [(60, "Item"), (130, "Description"), (350, "Qty"), (420, "Price"), (500, "Amount")],
        [(60, "CAST-1"), (130, "Casting"), (350, "12"), (420, "4.50"), (500, "54.00")],
        [(130, "Subtotal"), (500, "54.00")],
        [(130, "VAT 19 %"), (500, "10.26")],
        [(130, "Total EUR"), (500, "64.26")],
    ]
    for number, row in enumerate(rows):
        for x, text in row:
            canvas.drawString(x, 780 - 24 * number, text)
    canvas.showPage()
    canvas.save()
    content = stream.getvalue()
    reading = read(content)
    crops = Crops(content, reading.content, reading.pages, Limits())
    (paper,) = papers_of(reading.pages, crops, None, ())
    assert paper.number is not None
    assert (paper.number.value, paper.number.method) == ("INV-4711", Method.TEXT_LAYER)
    assert paper.issued is not None
    assert paper.issued.value == date(2026, 11, 25)
    assert paper.totals.gross is not None
    assert paper.totals.gross.value == Decimal("64.26")
    (line,) = paper.lines
    assert line.tax_rate is not None
    assert line.tax_rate.value == 19


def test_two_bills_in_one_file_are_two_papers(reader: Reader) -> None:
    first, second = bill("en", 9), replace(bill("en", 10), language="en")
    content = as_scanned_pdf(draw(first, PLAIN), draw(second, PLAIN))
    reading = read(content, reader=reader)
    crops = Crops(content, reading.content, reading.pages, Limits())
    papers = papers_of(reading.pages, crops, reader, ())
    assert [one.number and one.number.value for one in papers] == [first.number, second.number]


def test_what_is_no_paper_gives_none(reader: Reader) -> None:
    blank = as_png(draw(bill("en", 1), PLAIN).point(lambda _: 250))
    reading = read(blank, reader=reader)
    assert papers_of(reading.pages, Crops(blank, reading.content, reading.pages, Limits()),
                     reader, ()) == []  # fmt: skip
    assert np.all([page.lines == () for page in reading.pages])
