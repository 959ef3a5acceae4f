"""What all our pages share: the templates' environment, how figures are written, the file."""

from __future__ import annotations

import math
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import jinja2

from millhand.console.words import case_note, case_title, word
from millhand.ledger.worst import MISTAKES
from millhand.messages import tr, trn


def write_page(file: Path, text: str) -> None:
    """Write a page, whole or not at all; its folder is made where it is missing."""
    file.parent.mkdir(parents=True, exist_ok=True)
    unfinished = file.with_name(f".{file.name}.{os.getpid()}")
    unfinished.write_text(text, encoding="utf-8")
    unfinished.replace(file)


def environment() -> jinja2.Environment:
    """Return the templates' environment; everything shown is escaped."""
    built = jinja2.Environment(
        loader=jinja2.PackageLoader("millhand.console"),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    built.globals |= {
        "tr": tr,
        "trn": trn,
        "word": word,
        "case_title": case_title,
        "case_note": case_note,
        "mistakes": MISTAKES,
        "inf": math.inf,
    }
    built.filters |= _FILTERS
    return built


def percent(rate: float) -> str:
    """Write a rate of 0 to 1 as per cent, with as many digits as it deserves."""
    digits = 2 if rate < 0.01 else 1
    text = f"{100 * rate:.{digits}f}".rstrip("0").rstrip(".")
    return f"{text}\u202f%"


def milliseconds(value: float) -> str:
    """Write milliseconds with three digits or so."""
    return f"{value:.2f}" if value < 10 else f"{value:.1f}"


def fine(value: float) -> str:
    """Write an amount with three digits that tell, large or small."""
    if value == 0 or abs(value) >= 100:
        return f"{value:,.0f}".replace(",", "\u202f")
    return f"{value:.3g}" if abs(value) >= 0.001 else f"{value:.1e}"


_FILTERS: dict[str, Callable[..., Any]] = {
    "percent": percent,
    "ms": milliseconds,
    "fine": fine,
    "whole": lambda value: f"{value:,}".replace(",", "\u202f"),
    "money": lambda value: f"{value:,.2f}".replace(",", "\u202f").replace("-", "\u2212"),
}
