"""What is in a record: flat values, and its lines as JSON texts."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from millhand.contracts import Value


def lines_of(body: Mapping[str, Value]) -> list[dict[str, Any]]:
    """Return the lines of a record: ``lines`` is a list of JSON objects.

    Raises:
        ValueError: one is no JSON object.
    """
    texts = body.get("lines")
    found = []
    for text in texts if isinstance(texts, list) else ():
        line = json.loads(str(text))
        if not isinstance(line, dict):
            raise ValueError(  # noqa: TRY004  what came in is wrong, not the code
                f"a line is {type(line).__name__}, not an object"
            )
        found.append(line)
    return found


def text_of(body: Mapping[str, Value], name: str) -> str:
    """Return a value as text, empty where there is none."""
    value = body.get(name)
    return "" if value is None else str(value)
