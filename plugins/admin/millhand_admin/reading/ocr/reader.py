"""Pages in one of several languages, lying any way round: told apart first, then recognised."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from millhand_admin.reading.limits import UnreadableDocument
from millhand_admin.reading.ocr.charset import Language, alphabet
from millhand_admin.reading.ocr.engines import Engine, PpOcr, Tesseract
from millhand_admin.reading.ocr.glance import Glance, glance
from millhand_admin.reading.ocr.prepare import enlarged, evened, is_photograph
from millhand_admin.reading.ocr.router import Router
from millhand_admin.reading.page import Page

_VIETNAMESE = 0.02
"""Share of letters that only Vietnamese has, from which on a page is Vietnamese."""
_SURE = 0.75
"""Mean confidence from which on a page is in the language that it was read in."""
_CHINESE = frozenset({"Han", "Japanese", "Hangul", "Katakana", "Hiragana"})
"""Scripts that a page of Chinese is taken for."""
_CJK = 0x2E7F
_LATIN = frozenset("abcdefghijklmnopqrstuvwxyz")


class PageReader(Protocol):
    """Recognises pages."""

    def read(self, grey: NDArray[np.uint8], number: int) -> Page:
        """Recognise a page, ``(height, width) uint8``."""
        ...


class Reader:
    """Recognises pages in the languages of a house.

    Args:
        languages: that pages may be in.
        engines: what may be asked; what is installed unless said.
    """

    def __init__(
        self, languages: Sequence[Language], engines: Sequence[Engine] | None = None
    ) -> None:
        self._routers = {language: Router(language, engines) for language in languages}
        self._engines: Sequence[Engine] = (Tesseract(), PpOcr()) if engines is None else engines

    def read(self, grey: NDArray[np.uint8], number: int) -> Page:
        """Recognise a page. Blocks for seconds.

        Raises:
            UnreadableDocument: ``recogniser``, none is installed that can write the language.
        """
        seen = self._look(grey)
        likely = [one for one in self._routers if (one is Language.CHINESE) is seen.chinese]
        likely.sort(key=_plain_first if seen.plain else _marked_first)
        pages = []
        for language in (*likely, *(one for one in self._routers if one not in likely)):
            page = self._routers[language].read(grey, number, seen.quarters)
            if language is Language.VIETNAMESE and _is_vietnamese(page):
                return page
            pages.append(page)
            if sureness(page) > _SURE and language is not Language.VIETNAMESE:
                break
        return max(pages, key=sureness)

    def _look(self, grey: NDArray[np.uint8]) -> Glance:
        """How a page lies and its script, as far as can be told."""
        even = evened(grey) if is_photograph(grey) else grey
        installed = [one for one in self._engines if one.available(Language.ENGLISH)]
        for engine in installed:
            if isinstance(engine, PpOcr):
                seen = glance(even, engine)
                if seen is not None:
                    return seen
        for engine in installed:
            if isinstance(engine, Tesseract):
                found = engine.upright(even)
                if found is not None:
                    return Glance(quarters=found[0], chinese=found[1] in _CHINESE)
        return Glance(quarters=0, chinese=False)

    def opinions(self, grey: NDArray[np.uint8], but: str, text: str) -> list[str]:
        """Recognise a line by every engine but the one named.

        Where no other can write what stands there, the same is asked about the enlarged line.

        Args:
            grey: one line, ``(height, width) uint8``.
            but: how the page was read.
            text: what was read.
        """
        installed = [one for one in self._engines if one.available(Language.ENGLISH)]
        chinese = any(ord(letter) > _CJK for letter in text)
        others = [] if chinese else [one for one in installed if not but.startswith(one.name)]
        others = others or [one for one in installed if but.startswith(one.name)]
        texts = []
        for engine in others:
            try:
                texts.append(engine.line(enlarged(grey, 1.5)))
            except UnreadableDocument:
                continue
        return texts


def _marked_first(language: Language) -> int:
    """Vietnamese is tried before English: its recogniser writes plain letters too."""
    return (Language.VIETNAMESE, Language.ENGLISH, Language.CHINESE).index(language)


def _plain_first(language: Language) -> int:
    """English is tried first where no letter has a mark."""
    return (Language.ENGLISH, Language.VIETNAMESE, Language.CHINESE).index(language)


def _is_vietnamese(page: Page) -> bool:
    letters = [one for one in page.text.casefold() if one.isalpha()]
    marked = sum(one in alphabet(Language.VIETNAMESE) - _LATIN for one in letters)
    return marked > _VIETNAMESE * max(len(letters), 1) and sureness(page) > _SURE


def sureness(page: Page) -> float:
    """Mean confidence of a page's cells, weighted by length; 0 without any."""
    cells = [cell for line in page.lines for cell in line.cells]
    letters = sum(len(cell.text) for cell in cells)
    return sum(cell.confidence * len(cell.text) for cell in cells) / max(letters, 1)
