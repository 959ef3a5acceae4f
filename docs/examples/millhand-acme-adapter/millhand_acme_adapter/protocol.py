"""The lines that go over the wire: pure functions, no socket.

Commands and answers end with CR LF and are at most a few dozen bytes long::

    SI            S S     500.00 g     the weight, stable
                  S D     499.20 g     the weight, still moving
                  S I, S +, S -        no weight: busy, overload, underload
    TA            TA A     12.50 g     the tare
    TA 12.50 g    TA A     12.50 g     the tare, as it was set
                  TA I, TA L           not now, not this value
"""

from __future__ import annotations

import math
from typing import NamedTuple

from millhand.contracts import Quality

LONGEST_LINE = 256
COMMANDS = {"weight": "SI", "tare": "TA"}
_FIRST_WORD = {"weight": "S", "tare": "TA"}
_QUALITY = {
    ("weight", "S"): Quality.GOOD,
    ("weight", "D"): Quality.UNCERTAIN,
    ("tare", "A"): Quality.GOOD,
}


class Reading(NamedTuple):
    """What one answer says."""

    value: float | None
    quality: Quality
    note: str = ""


def question(address: str) -> bytes:
    """Return the line that asks for a value."""
    return f"{COMMANDS[address]}\r\n".encode()


def order(address: str, value: float, unit: str) -> bytes:
    """Return the line that sets a value."""
    return f"{COMMANDS[address]} {value:.3f} {unit}\r\n".encode()


def answer(address: str, line: bytes, unit: str) -> Reading:
    """Read an answer. Whatever it is, it is a reading; a bad one says why."""
    text = line.decode("ascii", errors="replace").strip()
    words = text.split()
    quality = _QUALITY.get((address, words[1])) if len(words) == 4 else None
    if quality is None or words[0] != _FIRST_WORD[address]:
        return Reading(None, Quality.BAD, text)
    if words[3] != unit:
        return Reading(None, Quality.BAD, f"{text}: not in {unit}")
    try:
        value = float(words[2])
    except ValueError:
        return Reading(None, Quality.BAD, text)
    if not math.isfinite(value):
        return Reading(None, Quality.BAD, text)
    return Reading(value, quality)
