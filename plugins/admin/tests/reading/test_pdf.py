"""PDF files: the e-invoice inside, the characters on the pages with their places, hostile ones."""

from __future__ import annotations

import io
import tracemalloc
import zlib

import pytest

from millhand_admin.made.companies import made_invoice
from millhand_admin.made.xml_forms import as_cii
from millhand_admin.paper.fact import Method
from millhand_admin.reading.limits import Limits, UnreadableDocument
from millhand_admin.reading.read import read
from millhand_admin.reading.sniff import Content

pdfium = pytest.importorskip("pypdfium2", reason="PDF needs millhand-admin[pdf]")
canvas = pytest.importorskip("reportlab.pdfgen.canvas", reason="the test writes PDF")

A4 = (595.0, 842.0)


def pdf(*pages: list[tuple[float, float, str]], rotate: int = 0, size: tuple[float, float] = A4,
        script: bool = False, password: str | None = None) -> bytes:  # fmt: skip
    """Write pages of (x, y from the top, text) in points, as they are seen when turned."""
    stream = io.BytesIO()
    encrypt = None
    if password is not None:
        from reportlab.lib.pdfencrypt import StandardEncryption

        encrypt = StandardEncryption(password, strength=128)
    drawing = canvas.Canvas(stream, pagesize=size, encrypt=encrypt)
    for page in pages:
        drawing.setFont("Helvetica", 10)
        if rotate:
            drawing.setPageRotation(rotate)
        for x, y, text in page:
            across, up = {0: (x, size[1] - y), 90: (y, x), 180: (size[0] - x, y),
                          270: (size[1] - y, size[0] - x)}[rotate]  # fmt: skip
            drawing.saveState()
            drawing.translate(across, up)
            drawing.rotate(rotate)
            drawing.drawString(0, 0, text)
            drawing.restoreState()
        drawing.showPage()
    drawing.save()
    return stream.getvalue()


def with_attachment(data: bytes, name: str, content: bytes) -> bytes:
    document = pdfium.PdfDocument(data)
    document.new_attachment(name).set_data(content)
    stream = io.BytesIO()
    document.save(stream)
    document.close()
    return stream.getvalue()


PAGE = [(50, 60, "INVOICE"), (50, 100, "Number:"), (300, 100, "INV-4711"),
        (50, 130, "Total EUR"), (400, 130, "1,234.50")]  # fmt: skip


def test_words_have_their_places() -> None:
    reading = read(pdf(PAGE, [(50, 60, "second page")]))
    assert reading.content is Content.PDF
    first, second = reading.pages
    assert [line.text for line in first.lines] == [
        "INVOICE", "Number:  INV-4711", "Total EUR  1,234.50"]  # fmt: skip
    assert first.method is Method.TEXT_LAYER
    number = first.lines[1].cells[1]
    assert number.box.left == pytest.approx(300 / A4[0], abs=0.005)
    assert number.box.top < 100 / A4[1] < number.box.bottom + 0.005
    assert second.number == 2
    assert second.text == "second page"


@pytest.mark.parametrize("turn", [90, 180, 270])
def test_a_turned_page_is_read_as_it_is_shown(turn: int) -> None:
    (page,) = read(pdf(PAGE, rotate=turn)).pages
    assert [line.text for line in page.lines] == [
        "INVOICE", "Number:  INV-4711", "Total EUR  1,234.50"]  # fmt: skip
    box = page.lines[1].cells[1].box
    assert (box.left, box.bottom) == pytest.approx((300 / A4[0], 100 / A4[1]), abs=0.01)


def test_the_embedded_invoice_goes_before_the_pages() -> None:
    made = made_invoice("en", 7)
    data = with_attachment(pdf(PAGE), "factur-x.xml", as_cii(made))
    reading = read(data)
    (paper,) = reading.papers
    assert paper.number is not None
    assert paper.number.value == made.number
    assert paper.pages == 1
    assert reading.pages == ()


def test_a_foreign_attachment_is_noted_and_the_pages_are_read() -> None:
    data = with_attachment(pdf(PAGE), "other.xml", b"<!DOCTYPE x><x/>")
    reading = read(data)
    assert reading.papers == ()
    assert "other.xml" in reading.notes[0]
    assert len(reading.pages) == 1


def test_a_blank_page_has_no_lines() -> None:
    (page,) = read(pdf([])).pages
    assert page.lines == ()


@pytest.mark.parametrize(
    ("data", "limits", "fault"),
    [
        (pdf(*[[]] * 51), Limits(), "too_many_pages"),
        (pdf(PAGE, password="secret"), Limits(), "encrypted"),
        (b"%PDF-1.7\nnothing of the kind", Limits(), "malformed"),
        (pdf(PAGE)[:400], Limits(), "malformed"),
        (pdf(PAGE, size=(14_000, 14_000)), Limits(), "page_too_large"),
        (pdf(PAGE), Limits(characters=10), "too_much_text"),
        (with_attachment(pdf(PAGE), "a.xml", b"<a>" + b" " * 3 * 2**20 + b"</a>"),
         Limits(xml_mb=1), "too_large"),
    ],
)  # fmt: skip
def test_hostile_files_are_refused_with_a_word(data: bytes, limits: Limits, fault: str) -> None:
    with pytest.raises(UnreadableDocument) as refused:
        read(data, limits)
    assert refused.value.fault == fault


def bomb(megabytes: int, filters: str = "/FlateDecode") -> bytes:
    """Write a PDF that embeds a file of spaces."""
    packer = zlib.compressobj(9)
    packed = b"".join(packer.compress(b" " * 2**20) for _ in range(megabytes)) + packer.flush()
    names = b"<< /EmbeddedFiles << /Names [(a.xml) 4 0 R] >> >>"
    objects = [
        b"<< /Type /Catalog /Pages 2 0 R /Names " + names + b" >>",
        b"<< /Type /Pages /Kids [3 0 R] /Count 1 >>",
        b"<< /Type /Page /Parent 2 0 R /MediaBox [0 0 100 100] >>",
        b"<< /Type /Filespec /F (a.xml) /UF (a.xml) /EF << /F 5 0 R >> >>",
        f"<< /Filter {filters} /Length {len(packed)} >>\nstream\n".encode() + packed
        + b"\nendstream",
    ]  # fmt: skip
    body, places = b"%PDF-1.7\n", []
    for number, one in enumerate(objects, start=1):
        places.append(len(body))
        body += f"{number} 0 obj\n".encode() + one + b"\nendobj\n"
    table = f"xref\n0 {len(objects) + 1}\n0000000000 65535 f \n".encode()
    table += b"".join(f"{place:010d} 00000 n \n".encode() for place in places)
    end = f"trailer << /Size {len(objects) + 1} /Root 1 0 R >>\nstartxref\n{len(body)}\n%%EOF"
    return body + table + end.encode()


def test_a_bomb_is_found_before_it_is_unpacked() -> None:
    assert read(bomb(1), Limits(xml_mb=2)).notes  # one that is small is read: spaces are no XML
    data = bomb(300)
    assert len(data) < 400_000
    tracemalloc.start()
    try:
        with pytest.raises(UnreadableDocument) as refused:
            read(data)
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert refused.value.fault == "bomb"
    assert peak < 20 * 2**20


@pytest.mark.parametrize(
    "filters", ["[/FlateDecode /FlateDecode]", "[/Fl#61teDecode\n/FlateDecode]", "7 0 R"]
)
def test_what_is_packed_twice_is_refused(filters: str) -> None:
    with pytest.raises(UnreadableDocument) as twice:
        read(bomb(1, filters))
    assert twice.value.fault == "bomb"


def test_what_is_protected_is_refused() -> None:
    with pytest.raises(UnreadableDocument) as protected:
        read(pdf(PAGE, password=""))
    assert protected.value.fault == "encrypted"


def test_a_picture_of_a_page_stays_within_its_pixels() -> None:
    from millhand_admin.reading.pdf import opened_pdf, page_picture

    limits = Limits(pixels=100_000)
    with opened_pdf(pdf(PAGE), limits) as document:
        grey = page_picture(document, 1, limits)
    assert grey.ndim == 2
    assert grey.size <= 101_000
    assert grey.min() < 128 < grey.max()
