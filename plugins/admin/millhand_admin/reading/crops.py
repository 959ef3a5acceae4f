"""The piece of a page where a value stands, set upright: for a second look, and for people."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from millhand_admin.paper.fact import Box, Fact
from millhand_admin.reading.limits import Limits
from millhand_admin.reading.ocr.straighten import turned
from millhand_admin.reading.page import Page
from millhand_admin.reading.pdf import opened_pdf, page_picture
from millhand_admin.reading.picture import grey_picture
from millhand_admin.reading.sniff import Content

_AROUND = 0.35
"""Paper left around a value, in heights of its box."""
_HELD = 2
"""Pages that are held at a time."""


class Crops:
    """Cuts pieces out of the pages of one document; pages are drawn when they are first needed."""

    def __init__(
        self, data: bytes, content: Content, pages: Sequence[Page], limits: Limits
    ) -> None:
        self._data = data
        self._content = content
        self._pages = {page.number: page for page in pages}
        self._limits = limits
        self._drawn: dict[int, NDArray[np.uint8]] = {}

    def page(self, number: int) -> Page | None:
        """Return a page as it was read."""
        return self._pages.get(number)

    def of(self, fact: Fact[Any]) -> NDArray[np.uint8] | None:
        """Return the piece where a value stands, ``(height, width) uint8``; None without a box."""
        if fact.page is None or fact.box is None or fact.page not in self._pages:
            return None
        page = self._pages[fact.page]
        grey = self._picture(page)
        box = fact.box if page.turn is None else page.turn.redone(fact.box)
        return _cut(grey, box)

    def _picture(self, page: Page) -> NDArray[np.uint8]:
        if page.number not in self._drawn:
            while len(self._drawn) >= _HELD:
                self._drawn.pop(next(iter(self._drawn)))
            grey = self._draw(page.number)
            self._drawn[page.number] = grey if page.turn is None else turned(grey, page.turn)
        return self._drawn[page.number]

    def _draw(self, number: int) -> NDArray[np.uint8]:
        if self._content is Content.PICTURE:
            return grey_picture(self._data, self._limits)
        with opened_pdf(self._data, self._limits) as document:
            return page_picture(document, number, self._limits)


def _cut(grey: NDArray[np.uint8], box: Box) -> NDArray[np.uint8]:
    height, width = grey.shape
    around = max(4, round(_AROUND * (box.bottom - box.top) * height))
    left, right = round(box.left * width) - around, round(box.right * width) + around
    top, bottom = round(box.top * height) - around, round(box.bottom * height) + around
    piece = grey[max(top, 0) : max(bottom, 1), max(left, 0) : max(right, 1)]
    return np.ascontiguousarray(piece)
