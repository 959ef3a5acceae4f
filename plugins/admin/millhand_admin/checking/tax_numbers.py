"""Check digits of tax numbers: Vietnam, the European Union's VAT numbers, China, and a few more.

Sources: Vietnam, Circular 105/2020/TT-BTC and the weights that the General Department of Taxation
publishes; European Union, the European Commission's "VIES check-digit algorithms"; Switzerland,
UID (modulo 11, eCH-0097); China, GB 32100-2015 (unified social credit code, modulo 31). A right
check digit says that a number can exist, not that it does.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from enum import StrEnum


class NumberCheck(StrEnum):
    """What the digits say."""

    RIGHT = "right"
    WRONG = "wrong"
    UNKNOWN = "unknown"
    """No country is named and none can be told, or its rule is not known here."""


_NOISE = re.compile(r"[\s.\-/·]")


def normalised(text: str) -> str:
    """Return a tax number without spaces and punctuation, in capitals."""
    return _NOISE.sub("", text).upper()


def check_tax_number(text: str, country: str = "") -> NumberCheck:
    """Check a tax number.

    Args:
        text: as it stands on the paper.
        country: ISO 3166 code where it is known; without it the form must tell.
    """
    number = normalised(text)
    code = country.upper() or _country_of(number)
    rule = _RULES.get(code)
    if rule is None:
        return NumberCheck.UNKNOWN
    pattern, check = rule
    prefix = {"GR": "EL"}.get(code, code)
    body = number.removeprefix(prefix)
    if not re.fullmatch(pattern, body):
        return NumberCheck.WRONG
    return NumberCheck.RIGHT if check(body) else NumberCheck.WRONG


def _country_of(number: str) -> str:
    prefix = {"EL": "GR", "XI": "GB"}.get(number[:2], number[:2])
    if prefix in _RULES and prefix not in {"VN", "CN"} and len(number) > 6:
        return prefix
    if re.fullmatch(r"\d{10}(\d{3})?", number):
        return "VN"
    if re.fullmatch(_RULES["CN"][0], number):
        return "CN"
    return ""


def _digits(text: str) -> list[int]:
    return [int(digit) for digit in text]


def _weighted(digits: Sequence[int], weights: Sequence[int]) -> int:
    return sum(digit * weight for digit, weight in zip(digits, weights, strict=False))


# --- Vietnam and China ---


def _vietnam(number: str) -> bool:
    digits = _digits(number[:10])
    return digits[9] == 10 - _weighted(digits, (31, 29, 23, 19, 17, 13, 7, 5, 3)) % 11


_CHINA = "0123456789ABCDEFGHJKLMNPQRTUWXY"


def _china(number: str) -> bool:
    total = sum(
        _CHINA.index(letter) * pow(3, place, 31) for place, letter in enumerate(number[:17])
    )
    return _CHINA.index(number[17]) == (31 - total % 31) % 31


# --- Europe ---


def _mod11_10(number: str) -> bool:
    """ISO 7064 MOD 11,10: Germany, Croatia."""
    product = 10
    for digit in _digits(number[:-1]):
        product = ((digit + product) % 10 or 10) * 2 % 11
    return (product + int(number[-1])) % 10 == 1


def _luhn(number: str) -> bool:
    total = 0
    for place, digit in enumerate(reversed(_digits(number))):
        total += digit if place % 2 == 0 else sum(divmod(digit * 2, 10))
    return total % 10 == 0


def _austria(number: str) -> bool:
    digits = _digits(number[1:])
    total = sum(
        d if place % 2 == 0 else sum(divmod(d * 2, 10)) for place, d in enumerate(digits[:7])
    )
    return digits[7] == (10 - (total + 4) % 10) % 10


def _belgium(number: str) -> bool:
    return 97 - int(number[:8]) % 97 == int(number[8:])


def _denmark(number: str) -> bool:
    return _weighted(_digits(number), (2, 7, 6, 5, 4, 3, 2, 1)) % 11 == 0


def _finland(number: str) -> bool:
    rest = _weighted(_digits(number), (7, 9, 10, 5, 8, 4, 2)) % 11
    return rest != 1 and int(number[7]) == (0 if rest == 0 else 11 - rest)


def _france(number: str) -> bool:
    if not number[:2].isdecimal():
        return _luhn(number[2:])  # the key's new form has letters; SIREN alone is checked
    return _luhn(number[2:]) and (12 + 3 * (int(number[2:]) % 97)) % 97 == int(number[:2])


def _greece(number: str) -> bool:
    total = _weighted(_digits(number), (256, 128, 64, 32, 16, 8, 4, 2))
    return total % 11 % 10 == int(number[8])


def _italy(number: str) -> bool:
    return _luhn(number)


def _luxembourg(number: str) -> bool:
    return int(number[:6]) % 89 == int(number[6:])


def _netherlands(number: str) -> bool:
    old = _weighted(_digits(number[:9]), (9, 8, 7, 6, 5, 4, 3, 2)) % 11 == int(number[8])
    text = "".join(str(int(letter, 36)) for letter in f"NL{number}")
    return old or int(text) % 97 == 1


def _poland(number: str) -> bool:
    return _weighted(_digits(number), (6, 5, 7, 2, 3, 4, 5, 6, 7)) % 11 == int(number[9])


def _portugal(number: str) -> bool:
    rest = 11 - _weighted(_digits(number), (9, 8, 7, 6, 5, 4, 3, 2)) % 11
    return int(number[8]) == (0 if rest > 9 else rest)


def _sweden(number: str) -> bool:
    return _luhn(number[:10])


def _slovenia(number: str) -> bool:
    rest = 11 - _weighted(_digits(number), (8, 7, 6, 5, 4, 3, 2)) % 11
    return rest != 11 and int(number[7]) == rest % 10


_SPANISH_LETTERS = "TRWAGMYFPDXBNJZSQVHLCKE"


def _spain(number: str) -> bool:
    if number[0] in "XYZ" or (number[0].isdecimal() and number[-1].isalpha()):
        digits = str("XYZ".find(number[0])) + number[1:8] if number[0] in "XYZ" else number[:8]
        return number[8] == _SPANISH_LETTERS[int(digits) % 23]
    digits_ = _digits(number[1:8])
    odd = sum(sum(divmod(digit * 2, 10)) for digit in digits_[::2])
    check = (10 - (odd + sum(digits_[1::2])) % 10) % 10
    return number[8] in {str(check), "JABCDEFGHI"[check]}


def _britain(number: str) -> bool:
    total = _weighted(_digits(number[:9]), (8, 7, 6, 5, 4, 3, 2, 10, 1))
    return total % 97 == 0 or (total + 55) % 97 == 0


def _norway(number: str) -> bool:
    return _weighted(_digits(number[:9]), (3, 2, 7, 6, 5, 4, 3, 2, 1)) % 11 == 0


def _switzerland(number: str) -> bool:
    digits = _digits(number[1:10])
    return (11 - _weighted(digits, (5, 4, 3, 2, 7, 6, 5, 4)) % 11) % 11 == digits[8]


_RULES: dict[str, tuple[str, Callable[[str], bool]]] = {
    "AT": (r"U\d{8}", _austria),
    "BE": (r"[01]\d{9}", _belgium),
    "CH": (r"E\d{9}(MWST|TVA|IVA)?", _switzerland),
    "CN": (r"[0-9A-HJ-NPQRTUWXY]{2}\d{6}[0-9A-HJ-NPQRTUWXY]{10}", _china),
    "DE": (r"[1-9]\d{8}", _mod11_10),
    "DK": (r"[1-9]\d{7}", _denmark),
    "ES": (r"[A-Z0-9]\d{7}[A-Z0-9]", _spain),
    "FI": (r"\d{8}", _finland),
    "FR": (r"[A-HJ-NP-Z0-9]{2}\d{9}", _france),
    "GB": (r"\d{9}(\d{3})?", _britain),
    "GR": (r"\d{9}", _greece),
    "HR": (r"\d{11}", _mod11_10),
    "IT": (r"\d{11}", _italy),
    "LU": (r"\d{8}", _luxembourg),
    "NL": (r"\d{9}B\d{2}", _netherlands),
    "NO": (r"\d{9}(MVA)?", _norway),
    "PL": (r"\d{10}", _poland),
    "PT": (r"[1-9]\d{8}", _portugal),
    "SE": (r"\d{12}", _sweden),
    "SI": (r"[1-9]\d{7}", _slovenia),
    "VN": (r"\d{10}(\d{3})?", _vietnam),
}

COUNTRIES = frozenset(_RULES)
"""Countries whose numbers can be checked."""
