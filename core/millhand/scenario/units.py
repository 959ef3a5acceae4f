"""Quantities with their unit written beside them: ``80 ms``, ``2 GB``, ``1 %``.

Use the annotated types in any pydantic model (an adapter's ``Config`` too)::

    class Config(BaseModel):
        timeout: Duration = 2.0  # seconds
        cache: Size = 64_000_000  # bytes

In the file a bare number is an error that says which units there are; in Python the field is a
plain ``float`` or ``int`` in the base unit.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from decimal import Decimal
from typing import Annotated, Any

from pydantic import BeforeValidator, PlainSerializer, WithJsonSchema
from pydantic_core import PydanticCustomError

from millhand.messages import tr
from millhand.scenario.words import kind_of

_NUMBER = r"\d{1,15}(?:\.\d{1,15})?"
_QUANTITY = re.compile(rf"({_NUMBER})\s*([^\W\d_]+|%)", re.ASCII)
_BARE = re.compile(rf"[+-]?{_NUMBER}", re.ASCII)

_SECONDS = {
    "us": Decimal("0.000001"),
    "ms": Decimal("0.001"),
    "s": Decimal(1),
    "min": Decimal(60),
    "h": Decimal(3600),
    "d": Decimal(86400),
}
_BYTES = {
    "kB": Decimal(10**3),
    "MB": Decimal(10**6),
    "GB": Decimal(10**9),
    "TB": Decimal(10**12),
    "KiB": Decimal(2**10),
    "MiB": Decimal(2**20),
    "GiB": Decimal(2**30),
}
_SYNONYMS = {
    "sec": "s",
    "secs": "s",
    "second": "s",
    "seconds": "s",
    "msec": "ms",
    "usec": "us",
    "m": "min",
    "mins": "min",
    "minute": "min",
    "minutes": "min",
    "hour": "h",
    "hours": "h",
    "hr": "h",
    "day": "d",
    "days": "d",
    "percent": "%",
}
_FRACTION = {"%": Decimal("0.01")}


class UnitError(ValueError):
    """A quantity that cannot be read. ``expected`` and ``mend`` help the writer."""

    def __init__(self, message: str, *, expected: str, mend: str = "") -> None:
        super().__init__(message)
        self.expected = expected
        self.mend = mend


def parse_duration(text: object) -> float:
    """Read ``80 ms``, ``2 s``, ``5 min``, ``1 h``, ``30 d`` as seconds, greater than zero.

    Raises:
        UnitError: no unit, an unknown unit, or not a quantity at all.
    """
    seconds = float(_parse(text, _SECONDS, tr("a time with its unit, such as 80 ms, 2 s, 5 min")))
    if seconds <= 0:
        raise UnitError(
            tr("{text} is no time.", text=text), expected=tr("a time greater than zero")
        )
    return seconds


def parse_size(text: object) -> int:
    """Read ``500 MB`` (10⁶), ``2 GB``, ``64 MiB`` (2²⁰) as bytes.

    Raises:
        UnitError: no unit, an unknown unit, or not a quantity at all.
    """
    return int(_parse(text, _BYTES, tr("a size with its unit, such as 500 MB or 2 GB")))


def parse_percent(text: object) -> float:
    """Read ``1 %`` as the fraction 0.01, between 0 and 1.

    Raises:
        UnitError: no per cent sign, or outside 0 to 100 %.
    """
    fraction = float(_parse(text, _FRACTION, tr("a share in per cent, such as 1 %")))
    if fraction > 1:
        raise UnitError(tr("{text} is too much.", text=text), expected=tr("0 % to 100 %"))
    return fraction


def format_duration(seconds: float) -> str:
    """Write seconds in the largest unit that keeps a short number: ``0.08`` is ``80 ms``."""
    return _format(Decimal(repr(seconds)), _SECONDS)


def format_size(size: int) -> str:
    """Write bytes in decimal units: ``2000000000`` is ``2 GB``."""
    return _format(Decimal(size), {unit: _BYTES[unit] for unit in ("kB", "MB", "GB", "TB")})


def format_percent(fraction: float) -> str:
    """Write a fraction in per cent: ``0.01`` is ``1 %``."""
    return _format(Decimal(repr(fraction)), _FRACTION)


def _parse(text: object, units: Mapping[str, Decimal], expected: str) -> Decimal:
    known = ", ".join(units)
    if isinstance(text, bool) or not isinstance(text, str | int | float):
        raise UnitError(
            tr("This is {kind}, not a quantity.", kind=kind_of(text)), expected=expected
        )
    written = str(text).strip()
    if _BARE.fullmatch(written):
        raise UnitError(
            tr("The number {text} has no unit.", text=written),
            expected=expected,
            mend=tr("Write the unit behind it: one of {units}.", units=known),
        )
    match = _QUANTITY.fullmatch(written.replace("µs", "us"))
    if match is None:
        raise UnitError(tr("“{text}” is not a quantity.", text=written[:80]), expected=expected)
    number, unit = match.groups()
    if unit not in units:
        raise UnitError(
            tr("The unit “{unit}” in “{text}” is not known here.", unit=unit, text=written[:80]),
            expected=expected,
            mend=_right_unit(unit, units),
        )
    return Decimal(number) * units[unit]


def _right_unit(unit: str, units: Mapping[str, Decimal]) -> str:
    by_fold = {known.casefold(): known for known in units}
    meant = _SYNONYMS.get(unit.casefold(), by_fold.get(unit.casefold(), ""))
    if meant in units:
        return tr("Write {unit}.", unit=meant)
    return tr("Write one of {units}.", units=", ".join(units))


def _format(value: Decimal, units: Mapping[str, Decimal]) -> str:
    """Write in the largest unit that needs no decimals, else in the one that is shortest."""
    whole = [unit for unit, factor in units.items() if value and value % factor == 0]
    if whole:
        unit = max(whole, key=lambda unit: units[unit])
        return f"{value / units[unit]:.0f} {unit}"
    return min(
        (f"{(value / factor).normalize():f} {unit}" for unit, factor in units.items()), key=len
    )


QUANTITY = "x-quantity"
"""Key in a JSON Schema that names the quantity, to write its default with the unit."""
WRITERS: dict[str, Any] = {
    "duration": format_duration,
    "size": format_size,
    "percent": format_percent,
}


def _field(quantity: str, parse: Any, pattern: str, examples: list[str]) -> tuple[Any, ...]:
    def read(value: object) -> object:
        try:
            return parse(value)
        except UnitError as error:
            raise PydanticCustomError(
                "quantity",
                "{message}",
                {"message": str(error), "expected": error.expected, "mend": error.mend},
            ) from error

    return (
        BeforeValidator(read),
        PlainSerializer(WRITERS[quantity], return_type=str, when_used="json"),
        WithJsonSchema(
            {"type": "string", "pattern": pattern, "examples": examples, QUANTITY: quantity}
        ),
    )


Duration = Annotated[
    float,
    *_field(
        "duration",
        parse_duration,
        rf"^{_NUMBER}\s*(us|µs|ms|s|min|h|d)$",
        ["80 ms", "2 s", "5 min", "1 h"],
    ),
]
"""Seconds, written ``80 ms``, ``2 s``, ``5 min``, ``1 h``, ``30 d``; greater than zero."""

Size = Annotated[
    int,
    *_field(
        "size",
        parse_size,
        rf"^{_NUMBER}\s*(kB|MB|GB|TB|KiB|MiB|GiB)$",
        ["500 MB", "2 GB"],
    ),
]
"""Bytes, written ``500 MB``, ``2 GB``, ``64 MiB``."""

Percent = Annotated[
    float,
    *_field("percent", parse_percent, rf"^{_NUMBER}\s*%$", ["1 %", "0.5 %"]),
]
"""A fraction between 0 and 1, written ``1 %``."""
