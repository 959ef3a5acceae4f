"""Which way up a page lies and what it is written in, told by a few lines that are really read."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from millhand_admin.made.companies import made_invoice
from millhand_admin.made.layouts import TUNED
from millhand_admin.made.sheet import draw, scanned
from millhand_admin.reading.ocr.charset import Language
from millhand_admin.reading.ocr.engines import PpOcr
from millhand_admin.reading.ocr.glance import Glance, glance
from millhand_admin.reading.ocr.reader import Reader

FONTS = Path("/usr/share/fonts/truetype/noto"), Path("/usr/share/fonts/opentype/noto")


@pytest.fixture(scope="module")
def engine() -> PpOcr:
    pytest.importorskip("rapidocr", reason="PP-OCR needs millhand-admin[ocr]")
    if not all(folder.exists() for folder in FONTS):
        pytest.skip("fonts-noto-core or fonts-noto-cjk is not installed")
    return PpOcr()


def bill(language: str, seed: int) -> NDArray[np.uint8]:
    layout = TUNED[seed % len(TUNED)]
    return np.asarray(scanned(draw(made_invoice(language, seed), layout), seed))


@pytest.mark.parametrize("turned", [0, 1, 2, 3])
@pytest.mark.parametrize("language", ["en", "vi", "zh"])
def test_how_a_page_lies_and_its_script(engine: PpOcr, language: str, turned: int) -> None:
    lies = np.ascontiguousarray(np.rot90(bill(language, 11 + turned), -turned))
    assert glance(lies, engine) == Glance(turned, language == "zh", language == "en")


def test_nothing_is_told_of_a_blank_page(engine: PpOcr) -> None:
    assert glance(np.full((900, 640), 250, np.uint8), engine) is None


def test_noise_is_no_script(engine: PpOcr) -> None:
    noise = np.random.default_rng(4).integers(0, 256, (900, 640), np.uint8)
    assert glance(noise, engine) is None


def test_a_chinese_page_is_read_once(engine: PpOcr, monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[Language] = []
    words = PpOcr.words

    def counted(self: PpOcr, grey: NDArray[np.uint8], language: Language) -> list[object]:
        asked.append(language)
        return words(self, grey, language)  # type: ignore[return-value]

    monkeypatch.setattr(PpOcr, "words", counted)
    page = Reader(tuple(Language), [engine]).read(bill("zh", 12), 1)
    assert asked == [Language.CHINESE]
    assert "发票" in page.text
