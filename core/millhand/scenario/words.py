"""Words for what was met in a file, so that errors speak of texts and numbers, not of ``dict``."""

from __future__ import annotations

import json

from millhand.messages import tr


def kind_of(value: object) -> str:
    """Name the kind of a YAML value for a person."""
    match value:
        case None:
            return tr("nothing")
        case bool():
            return tr("true or false")
        case int() | float():
            return tr("a number")
        case str():
            return tr("a text")
        case list() | tuple():
            return tr("a list")
        case _:
            return tr("a mapping")


def shown(value: object, limit: int = 60) -> str:
    """Write a value as it may have stood in the file, cut to ``limit`` characters."""
    if isinstance(value, dict | list | tuple):
        return kind_of(value)
    text = json.dumps(value, ensure_ascii=False, default=str)
    return text if len(text) <= limit else text[: limit - 1] + "…"
