"""Keys for numbers that a recogniser may have misread, or a person typed otherwise.

``PO-0O12 l`` and ``PO 001 21`` are the same to a recogniser: letters that look like digits become
those digits, punctuation and leading zeros of a group go.
"""

from __future__ import annotations

import re
import unicodedata

_LOOK_ALIKE = str.maketrans({"O": "0", "Q": "0", "D": "0", "I": "1", "L": "1", "|": "1", "Z": "2",
                             "S": "5", "G": "6", "B": "8"})  # fmt: skip
_NOT_KEY = re.compile(r"[^0-9A-Z|]")


def number_key(text: str) -> str:
    """Return a number's key: full-width forms folded, capitals, no punctuation."""
    folded = unicodedata.normalize("NFKC", text).upper()
    return _NOT_KEY.sub("", folded)


def confusion_key(text: str) -> str:
    """Return the key under which misreadings of one number fall together."""
    return number_key(text).translate(_LOOK_ALIKE)


def same_number(one: str, other: str) -> bool:
    """Tell whether two numbers are equal but for what a recogniser confuses."""
    return confusion_key(one) == confusion_key(other) != ""
