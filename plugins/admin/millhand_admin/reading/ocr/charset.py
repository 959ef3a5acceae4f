"""Can a recogniser write the language at all? Its dictionary tells; its list of languages does not.

PP-OCR lists Vietnamese and its dictionary lacks two thirds of the Vietnamese letters
(PaddleOCR issue 18254): it would write ``o`` for ``ở`` with a high confidence.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Set as AbstractSet
from enum import StrEnum
from functools import lru_cache

_MOST_MISSING = 0.02


class Language(StrEnum):
    """Languages that pages may be in."""

    ENGLISH = "en"
    VIETNAMESE = "vi"
    CHINESE = "zh"


_DIGITS = "0123456789.,:/-%"
_LATIN = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"


@lru_cache(maxsize=3)
def alphabet(language: Language) -> frozenset[str]:
    """Return the letters without which the language cannot be written."""
    if language is Language.ENGLISH:
        return frozenset(_LATIN + _DIGITS)
    if language is Language.CHINESE:
        # The 3,755 commonest characters: GB 2312, level 1.
        codes = (bytes((high, low)) for high in range(0xB0, 0xD8) for low in range(0xA1, 0xFF))
        common = {code.decode("gb2312", errors="ignore") for code in codes} - {""}
        return frozenset(common | set(_DIGITS))
    marked = {
        unicodedata.normalize("NFC", vowel + mark + tone)
        for vowel in "aeiouyAEIOUY"
        for mark in ("", "\u0306", "\u0302", "\u031b")
        for tone in ("", "\u0300", "\u0301", "\u0303", "\u0309", "\u0323")
    }
    letters = {one for one in marked if len(one) == 1 and one.isalpha() and _is_vietnamese(one)}
    return frozenset(letters | {"đ", "Đ"} | set(_DIGITS))


def _is_vietnamese(letter: str) -> bool:
    base, *marks = list(unicodedata.normalize("NFD", letter.casefold()))
    allowed = {"\u0306": "a", "\u0302": "aeo", "\u031b": "ou"}
    return all(base in allowed[mark] for mark in marks if mark in allowed)


def missing(characters: AbstractSet[str], language: Language) -> frozenset[str]:
    """Return the letters of a language that a recogniser cannot write."""
    known = {unicodedata.normalize("NFC", one) for one in characters}
    return alphabet(language) - known


def can_write(characters: AbstractSet[str], language: Language) -> bool:
    """Tell whether so few letters are missing that a page can be written."""
    return len(missing(characters, language)) <= _MOST_MISSING * len(alphabet(language))
