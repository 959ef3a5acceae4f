"""Dates and amounts as people write them, to what they mean."""

from __future__ import annotations

import re
from datetime import date
from decimal import Decimal

_MONTHS = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")
_MARK = r" ?[/\-.,] ?| "
"""Between day and month name; never two spaces, which part the cells of a line."""
DATE = re.compile(
    r"(?<!\d)(?:"
    r"(?P<d>\d{1,2}) ?(?P<mark>[/\-.]) ?(?P<m>\d{1,2}) ?(?P=mark) ?"
    r"(?P<y>\d{4}|\d{2})(?!(?P=mark)?\d)"
    rf"|(?P<d5>\d{{1,2}})(?:{_MARK})?(?P<m5>[A-Za-z]{{3,9}})(?:{_MARK})(?P<y5>\d{{4}}|\d{{2}})(?!\d)"
    r"|(?P<d6>\d{1,2}) (?P<m6>\d{1,2}) (?P<y6>\d{4})(?!\d| \d{3})"
    r"|(?P<y2>20\d{2})[/\-.年](?P<m2>\d{1,2})[/\-.月](?P<d2>\d{1,2})(?!\d)"
    r"|(?P<y3>20\d{2})(?P<m3>[01]\d)(?P<d3>[0-3]\d)(?!\d)"
    r"|(?P<m4>[A-Za-z]{3,9})\s?(?P<d4>\d{1,2}),?\s?(?P<y4>20\d{2}))"
)
"""A day, month and year of numbers are parted by the same mark twice, or by single spaces."""
AMOUNT = re.compile(
    r"(?<![\d.,])\d{1,3}(?:[,. ]\d{3})+(?:[.,]\d{2})?(?!\d)|(?<![\d.,])\d+[.,]\d{2}(?!\d)"
)


def date_of(match: re.Match[str]) -> date | None:
    """Return the date that a match means; day before month, as outside the United States."""
    parts = {
        name[0]: value
        for name, value in match.groupdict().items()
        if value is not None and name != "mark"
    }
    month = parts["m"]
    number = int(month) if month.isdecimal() else _month(month)
    year = int(parts["y"])
    year += 2000 if year < 100 else 0
    try:
        found = date(year, number, int(parts["d"]))
    except ValueError:
        return None
    return found if 2000 <= found.year <= 2099 else None


def _month(word: str) -> int:
    start = word[:3].casefold()
    return _MONTHS.index(start) + 1 if start in _MONTHS else 0


def amount_of(text: str) -> Decimal:
    """Return the amount that a text means: the last separator before two digits is the point."""
    plain = text.replace(" ", "")
    head, tail = plain, ""
    if len(plain) > 3 and plain[-3] in ".,":
        head, tail = plain[:-3], plain[-2:]
    digits = head.replace(",", "").replace(".", "")
    return Decimal(f"{digits}.{tail}" if tail else digits)
