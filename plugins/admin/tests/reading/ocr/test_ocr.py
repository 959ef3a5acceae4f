"""Scans and photographs, recognised for real; recognisers that cannot write a language."""

from __future__ import annotations

import io
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFont

from millhand_admin.paper.fact import Method
from millhand_admin.reading.limits import Limits, UnreadableDocument
from millhand_admin.reading.ocr.charset import Language, alphabet, can_write, missing
from millhand_admin.reading.ocr.engines import PpOcr, Tesseract
from millhand_admin.reading.ocr.passed_over import found_again
from millhand_admin.reading.ocr.prepare import background, evened, is_photograph
from millhand_admin.reading.ocr.router import Router
from millhand_admin.reading.page import Word
from millhand_admin.reading.picture import grey_picture
from millhand_admin.reading.read import read

FONT = Path("/usr/share/fonts/truetype/noto/NotoSans-Regular.ttf")
LINES = {
    Language.ENGLISH: ("Northfield Castings GmbH", "Invoice no. INV-482917", "Total 12,431.50 EUR"),
    Language.VIETNAMESE: ("Công ty Cổ phần Đúc Thép Sao Việt", "Số hóa đơn 00482917",
                          "Tổng cộng 12.431.500 đồng"),
}  # fmt: skip
tesseract = pytest.mark.skipif(
    not (Tesseract().available(Language.VIETNAMESE) and FONT.exists()),
    reason="tesseract-ocr, tesseract-ocr-vie or fonts-noto-core is not installed",
)


def drawn(language: Language, *, shadow: bool = False) -> NDArray[np.uint8]:
    image = Image.new("L", (1240, 620), 250)
    draw = ImageDraw.Draw(image)
    font = ImageFont.truetype(str(FONT), 34)
    for number, line in enumerate(LINES[language]):
        draw.text((90, 90 + 130 * number), line, fill=20, font=font)
    pixels = np.asarray(image, np.float32)
    if shadow:
        pixels = pixels * np.linspace(1.0, 0.45, pixels.shape[1], dtype=np.float32)
    return pixels.astype(np.uint8)


def png(grey: NDArray[np.uint8]) -> bytes:
    stream = io.BytesIO()
    Image.fromarray(grey).save(stream, "PNG")
    return stream.getvalue()


def test_alphabets() -> None:
    assert {"ế", "ự", "Đ", "y"} <= alphabet(Language.VIETNAMESE)
    assert "ă" in alphabet(Language.VIETNAMESE)
    assert not {"ŏ", "û", "î"} & alphabet(Language.VIETNAMESE)
    assert len(alphabet(Language.CHINESE)) > 3755
    assert can_write(alphabet(Language.ENGLISH), Language.ENGLISH)
    assert not can_write(alphabet(Language.ENGLISH), Language.VIETNAMESE)


@tesseract
def test_what_the_recognisers_can_write() -> None:
    engine = Tesseract()
    assert can_write(engine.characters(Language.ENGLISH), Language.ENGLISH)
    assert can_write(engine.characters(Language.VIETNAMESE), Language.VIETNAMESE)
    assert not can_write(engine.characters(Language.ENGLISH), Language.VIETNAMESE)


def test_pp_ocr_cannot_write_vietnamese_and_is_not_asked() -> None:
    pytest.importorskip("rapidocr", reason="PP-OCR needs millhand-admin[ocr]")
    engine = PpOcr()
    assert can_write(engine.characters(Language.CHINESE), Language.CHINESE)
    assert len(missing(engine.characters(Language.VIETNAMESE), Language.VIETNAMESE)) > 50
    router = Router(Language.VIETNAMESE, [engine])
    assert router.engines == []
    assert router.refused == ["pp-ocr"]
    with pytest.raises(UnreadableDocument, match="vi"):
        router.read(drawn_blank(), 1)


def test_pp_ocr_reads_a_page() -> None:
    pytest.importorskip("rapidocr", reason="PP-OCR needs millhand-admin[ocr]")
    if not FONT.exists():
        pytest.skip("fonts-noto-core is not installed")
    router = Router(Language.ENGLISH, [PpOcr()])
    page = router.read(drawn(Language.ENGLISH, shadow=True), 1)
    assert "INV-482917" in page.text
    assert page.note == "pp-ocr"


def drawn_blank() -> NDArray[np.uint8]:
    return np.full((300, 200), 255, np.uint8)


def test_light_is_taken_out() -> None:
    shade = np.linspace(255, 90, 800, dtype=np.float32)[None, :].repeat(400, 0)
    page = shade.copy()
    page[100:110, 100:700] *= 0.2
    grey = page.astype(np.uint8)
    assert is_photograph(grey)
    assert background(grey) == pytest.approx(shade, abs=40)
    even = evened(grey)
    assert even[:90].min() > 225
    assert even[100:110, 120:680].max() < 90
    assert not is_photograph(even)


@tesseract
@pytest.mark.parametrize("shadow", [False, True])
@pytest.mark.parametrize("language", list(LINES))
def test_pages_are_read(language: Language, shadow: bool) -> None:
    router = Router(language, [Tesseract()])
    page = router.read(drawn(language, shadow=shadow), 3)
    assert [line.text.replace("  ", " ") for line in page.lines] == list(LINES[language])
    assert (page.number, page.method) == (3, Method.OCR)
    assert ("evened" in page.note) is shadow
    box = page.lines[1].box
    assert box.left == pytest.approx(90 / 1240, abs=0.02)
    assert box.top == pytest.approx(230 / 620, abs=0.03)


@tesseract
def test_places_that_were_passed_over_are_read_and_others_left() -> None:
    pytest.importorskip("rapidocr", reason="PP-OCR needs millhand-admin[ocr]")
    grey = drawn(Language.VIETNAMESE)
    engine = Tesseract()
    words = engine.words(grey, Language.VIETNAMESE)
    first, *rest = LINES[Language.VIETNAMESE]
    kept = [one for one in words if one.box.top < 0.25]

    def read_line(cut: NDArray[np.uint8]) -> str:
        return engine.line_in(cut, Language.VIETNAMESE)

    again = sorted(found_again(grey, kept, PpOcr(), read_line), key=lambda one: one.box.top)
    assert [one.text for one in again] == rest
    assert first not in [one.text for one in again]
    assert again[0].box.left == pytest.approx(90 / 1240, abs=0.02)
    assert found_again(grey, words, PpOcr(), read_line) == []


class Unsure:
    """A recogniser that is never sure."""

    name = "pp-ocr"

    def available(self, language: Language) -> bool:
        return True

    def characters(self, language: Language) -> frozenset[str]:
        return alphabet(language)

    def words(self, grey: NDArray[np.uint8], language: Language) -> list[Word]:
        from millhand_admin.paper.fact import Box

        return [Word("???", Box(left=0, top=0, right=1, bottom=1), 0.2)]

    def line(self, grey: NDArray[np.uint8]) -> str:
        return ""


@tesseract
def test_another_is_asked_where_the_first_is_unsure() -> None:
    router = Router(Language.ENGLISH, [Unsure(), Tesseract()])
    page = router.read(drawn(Language.ENGLISH, shadow=True), 1)
    assert page.lines[0].text == LINES[Language.ENGLISH][0]
    assert "after pp-ocr" in page.note


@tesseract
def test_pictures_and_scanned_pdf_are_read_through_the_same_door() -> None:
    grey = drawn(Language.ENGLISH)
    router = Router(Language.ENGLISH, [Tesseract()])
    (page,) = read(png(grey), reader=router).pages
    assert "INV-482917" in page.text
    pytest.importorskip("pypdfium2", reason="PDF needs millhand-admin[pdf]")
    stream = io.BytesIO()
    Image.fromarray(grey).save(stream, "PDF", resolution=150)
    (scanned,) = read(stream.getvalue(), reader=router).pages
    assert "INV-482917" in scanned.text
    assert scanned.method is Method.OCR


def test_a_blank_page_has_no_lines() -> None:
    if not Tesseract().available(Language.ENGLISH):
        pytest.skip("tesseract-ocr is not installed")
    assert Router(Language.ENGLISH, [Tesseract()]).read(drawn_blank(), 1).lines == ()


@pytest.mark.parametrize(
    ("data", "limits", "fault"),
    [
        (b"\x89PNG\r\n\x1a\n" + b"\0" * 50, Limits(), "malformed"),
        (png(np.full((2000, 2000), 255, np.uint8)), Limits(pixels=1_000_000), "too_many_pixels"),
        (png(np.full((300, 300), 255, np.uint8))[:200], Limits(), "malformed"),
    ],
)
def test_hostile_pictures_are_refused(data: bytes, limits: Limits, fault: str) -> None:
    with pytest.raises(UnreadableDocument) as refused:
        grey_picture(data, limits)
    assert refused.value.fault == fault
