"""Each value beside the picture that it was read from."""

from __future__ import annotations

import base64
import io

import numpy as np
import pytest
from PIL import Image, ImageDraw

from millhand.contracts import Decision, Highlight
from millhand_admin.reading.limits import Limits
from millhand_admin.reports.looked import as_page, values_of


def document() -> bytes:
    """A white page with a black bar where the number stands."""
    image = Image.new("L", (1000, 1400), 255)
    ImageDraw.Draw(image).rectangle((500, 140, 700, 168), fill=0)
    stream = io.BytesIO()
    image.save(stream, "PNG")
    return stream.getvalue()


def decision(**fields: str) -> Decision:
    return Decision(explanations=(Highlight(fields=dict(fields)),))


def test_the_picture_is_of_the_place_that_is_named() -> None:
    shown = decision(**{"number": "INV-1", "number@": "page 1 [0.500 0.100 0.700 0.120] ocr 0.500"})
    (one,) = values_of(shown, document(), Limits())
    assert (one.path, one.value, one.unsure) == ("number", "INV-1", True)
    crop = np.asarray(Image.open(io.BytesIO(base64.b64decode(one.picture))))
    assert crop.shape[1] == pytest.approx(220, abs=10)
    assert crop[0].min() == 255  # paper around
    assert crop[crop.shape[0] // 2, crop.shape[1] // 2] == 0  # ink within


def test_values_of_an_e_invoice_have_a_path_and_no_picture() -> None:
    shown = decision(**{"number": "INV-1", "number@": "Invoice/ID", "kind": "invoice"})
    (one,) = values_of(shown, b"<Invoice/>", Limits())
    assert (one.how, one.picture, one.unsure) == ("Invoice/ID", "", False)


def test_a_place_on_a_page_that_is_not_there_leaves_the_picture_out() -> None:
    shown = decision(**{"number": "1", "number@": "page 1 [0.1 0.1 0.2 0.2] ocr 0.9"})
    (one,) = values_of(shown, document()[:100], Limits())
    assert one.picture == ""


def test_what_a_paper_says_is_text_on_the_page() -> None:
    evil = "<script>alert(1)</script>"
    shown = decision(**{"number": evil, "number@": "page 1 [0.1 0.1 0.2 0.2] ocr 0.9"})
    page = as_page(evil, evil, values_of(shown, document(), Limits()))
    assert "<script" not in page
