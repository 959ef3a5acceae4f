"""Numbers as they stand on pages: which mark is the decimal point is decided for a whole paper."""

from __future__ import annotations

import re
from decimal import Decimal

POINTS = (".", ",")
NUMBER = re.compile(
    r"(?<![\w.,])[-+]?(?:\d{1,3}(?:[ .,'’]\d{3})+(?:[.,]\d{1,4})?|\d+(?:[.,]\d{1,6})?)"
    r"(?![\dA-Za-z])"
)
PERCENT = re.compile(r"(?<![\d.,])(\d{1,2}(?:[.,]\d{1,2})?)\s?[%％]")
_SPACED = re.compile(r"(?<=\d)\s?([.,])\s?(?=\d)")
_LETTERS = str.maketrans({"O": "0", "o": "0", "l": "1", "I": "1", "|": "1", "，": ",", "．": ".",
                          ":": "."})  # fmt: skip
_MONEY = re.compile(r"[€$£¥￥₫元]|\b(?:EUR|USD|GBP|VND|CNY|RMB|VNĐ)\b|(?<=\d)\s?(?:đồng|đ)(?!\w)")


def tidy(text: str) -> str:
    """Take out currencies and the spaces that recognisers put around points."""
    return _SPACED.sub(r"\1", _MONEY.sub(" ", text.translate(_WIDE))).strip()


_WIDE = str.maketrans("０１２３４５６７８９，．％", "0123456789,.%")


def mended(text: str) -> str | None:
    """Return a text of mostly digits with look-alikes as digits; None if none was there."""
    digits = sum(letter.isdigit() for letter in text)
    if not digits or digits < 0.5 * len(text.replace(" ", "")):
        return None
    other = text.translate(_LETTERS)
    return other if other != text and NUMBER.fullmatch(tidy(other)) else None


def numbers_in(text: str) -> list[str]:
    """Return the numbers of a text that are no percentages, as they stand there."""
    return [match.group().strip() for match in NUMBER.finditer(PERCENT.sub(" ", tidy(text)))]


def percent_in(text: str) -> Decimal | None:
    """Return the first percentage."""
    match = PERCENT.search(tidy(text))
    return None if match is None else Decimal(match[1].replace(",", "."))


def meant(text: str, point: str) -> Decimal | None:
    """Return what a number means where ``point`` is the decimal point; None where it is none."""
    plain = re.sub(r"[ '’]", "", text)
    group = "," if point == "." else "."
    whole, mark, part = plain.partition(point)
    if mark and (not part.isdecimal()):
        return None
    sign = whole[:1] if whole[:1] in "+-" else ""
    groups = whole.removeprefix(sign).split(group)
    if not all(one.isdecimal() for one in groups):
        return None
    if len(groups) > 1 and (len(groups[0]) > 3 or any(len(one) != 3 for one in groups[1:])):
        return None
    return Decimal(f"{sign}{''.join(groups)}{'.' + part if part else ''}")
