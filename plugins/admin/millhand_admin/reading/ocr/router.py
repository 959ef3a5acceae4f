"""Which recogniser reads a page: no single one wins.

Measured (docs/reference/benchmarks-admin.md): tesseract reads flat scans at a fraction of the time;
PP-OCR reads English and Chinese photographs that tesseract does not; Vietnamese photographs are
read by tesseract after the light is taken out and the letters are enlarged, because PP-OCR cannot
write Vietnamese; it only shows which places were passed over. A recogniser that cannot write the
language is never asked for letters.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from millhand.messages import tr
from millhand_admin.paper.fact import Method
from millhand_admin.reading.limits import UnreadableDocument
from millhand_admin.reading.ocr.charset import Language, can_write
from millhand_admin.reading.ocr.engines import Engine, PpOcr, Tesseract
from millhand_admin.reading.ocr.passed_over import found_again
from millhand_admin.reading.ocr.prepare import enlarged, evened, is_photograph, without_rules
from millhand_admin.reading.ocr.straighten import straightened
from millhand_admin.reading.page import Page, Word, lines_of

_ENLARGED = 1.6
_ASK_ANOTHER = 0.85
"""Mean confidence below which a second recogniser is asked. Tesseract was 0.91 to 0.94 sure of
bills that were drawn, 0.63 to 0.80 of real receipts, of which PP-OCR read many more lines right."""


class Router:
    """Chooses and asks recognisers for pages in one language.

    Args:
        language: of the pages.
        engines: what may be asked; what is installed unless said.
    """

    def __init__(self, language: Language, engines: Sequence[Engine] | None = None) -> None:
        self.language = language
        offered = (Tesseract(), PpOcr()) if engines is None else engines
        installed = [one for one in offered if one.available(language)]
        self.engines = [one for one in installed if can_write(one.characters(language), language)]
        self._detector = next((one for one in installed if isinstance(one, PpOcr)), None)
        self.refused = [one.name for one in installed if one not in self.engines]
        """Installed, and not able to write the language."""

    def read(self, grey: NDArray[np.uint8], number: int, quarters: int = 0) -> Page:
        """Recognise a page, ``(height, width) uint8``. Blocks for seconds.

        Args:
            grey: as it came in.
            number: of the page, from 1.
            quarters: how often it is turned by 90 degrees counterclockwise first.

        Raises:
            UnreadableDocument: ``recogniser``, none is installed that can write the language.
        """
        if not self.engines:
            raise UnreadableDocument(
                tr("No recogniser that can write “{language}” is installed.",
                   language=self.language.value),
                fault="recogniser",
                mend=tr("On Debian: apt install tesseract-ocr-vie tesseract-ocr-chi-sim; or "
                        "install millhand-admin[ocr]."),
            )  # fmt: skip
        grey, turn = straightened(grey, quarters)
        photograph = is_photograph(grey)
        if not photograph:
            grey = without_rules(grey)
        first, *others = self._order(photograph=photograph)
        words, note = self._ask(first, grey, photograph=photograph)
        if _sure(words) < _ASK_ANOTHER and others:
            again, other_note = self._ask(others[0], grey, photograph=photograph)
            if _sure(again) > _sure(words):
                words, note = again, f"{other_note}, after {note}"
        height, width = grey.shape
        aspect = height / width
        lines = lines_of(words, aspect, level=not photograph)
        return Page(number, aspect, lines, Method.OCR, note, turn)

    def _order(self, *, photograph: bool) -> list[Engine]:
        def place(engine: Engine) -> bool:
            return (engine.name == PpOcr.name) is not photograph

        return sorted(self.engines, key=place)

    def _ask(
        self, engine: Engine, grey: NDArray[np.uint8], *, photograph: bool
    ) -> tuple[list[Word], str]:
        if isinstance(engine, Tesseract) and photograph:
            even = evened(grey)
            words = engine.words(enlarged(even, _ENLARGED), self.language)
            if self._detector is not None:
                words += found_again(
                    even, words, self._detector, lambda cut: engine.line_in(cut, self.language)
                )
            return words, f"{engine.name}, light evened, enlarged"
        return engine.words(grey, self.language), engine.name


def _sure(words: Sequence[Word]) -> float:
    """Mean confidence, weighted by length; 0 without words."""
    letters = sum(len(word.text) for word in words)
    if not letters:
        return 0.0
    return sum(word.confidence * len(word.text) for word in words) / letters
