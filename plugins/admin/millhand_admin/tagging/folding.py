"""Letters reduced to what recognisers do not confuse, one for one: places stay places."""

from __future__ import annotations

import re
import unicodedata
from functools import lru_cache

_LOOSE = {"i": "[il1|!]", "l": "[il1|!]", "o": "[o0]", "0": "[o0]", " ": r"[\s.]*"}


def fold(text: str) -> str:
    """Return the text without case, marks and full width; as long as ``composed(text)``."""
    return "".join(_folded(letter) for letter in composed(text))


def composed(text: str) -> str:
    """Return the text with every mark joined to its letter (NFC)."""
    return unicodedata.normalize("NFC", text)


@lru_cache(maxsize=4096)
def _folded(letter: str) -> str:
    plain = unicodedata.normalize("NFD", unicodedata.normalize("NFKC", letter).casefold())
    first = plain[:1] or " "
    return "d" if first == "đ" else first


def loose(phrase: str) -> str:
    """Return a pattern for folded text that finds a phrase in spite of look-alikes."""
    folded = fold(phrase)
    body = "".join(_LOOSE.get(letter, re.escape(letter)) for letter in folded)
    if not folded.isascii():
        return body
    return rf"(?<![a-z0-9]){body}(?![a-z]|-\d)"
