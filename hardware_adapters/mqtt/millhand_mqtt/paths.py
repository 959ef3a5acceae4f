"""Where in a JSON message a value stands: the plain part of JSONPath (RFC 9535).

``$`` is the message, ``$.oven.zones[0]['set point']`` a value in it: child names and indexes, no
wildcard, no filter, so that a path names exactly one place and can also be written to.
"""

from __future__ import annotations

import json
import re
from functools import lru_cache
from typing import Any, NamedTuple

from millhand.messages import tr

_LONGEST, _DEEPEST = 1000, 64
_STEP = re.compile(
    r"\.(?P<name>[^\W\d][\w-]*)|\[(?P<index>0|[1-9]\d{0,8})\]|\['(?P<quoted>[^'\\]*)'\]"
)
MISSING: Any = object()
"""What :meth:`JsonPath.find` returns where nothing stands."""


class JsonPath(NamedTuple):
    """The steps from the message to one place in it."""

    steps: tuple[str | int, ...]

    @staticmethod
    @lru_cache(4096)
    def parse(text: str) -> JsonPath:
        """Read a path; the empty text is the empty path.

        Raises:
            ValueError: it is no path of child names and indexes.
        """
        if not text or text == "$":
            return JsonPath(())
        position = 1
        steps: list[str | int] = []
        while text[0] == "$" and position < len(text) <= _LONGEST:
            step = _STEP.match(text, position)
            if step is None:
                break
            index = step["index"]
            steps.append(int(index) if index else str(step["name"] or step["quoted"] or ""))
            position = step.end()
        if text[0] != "$" or position != len(text) or len(steps) > _DEEPEST:
            raise ValueError(
                tr("{text} is no path; expected $.name[0]['other name']", text=text[:80])
            )
        return JsonPath(tuple(steps))

    def __str__(self) -> str:
        return "$" + "".join(
            f"[{step}]"
            if isinstance(step, int)
            else (f".{step}" if _STEP.fullmatch(f".{step}") else f"['{step}']")
            for step in self.steps
        )

    def find(self, document: Any) -> Any:
        """Return what stands there, or :data:`MISSING`."""
        for step in self.steps:
            if isinstance(step, int):
                if not isinstance(document, list) or step >= len(document):
                    return MISSING
            elif not isinstance(document, dict) or step not in document:
                return MISSING
            document = document[step]
        return document

    def around(self, value: Any) -> bytes:
        """Return a JSON message that holds nothing but ``value``, there.

        Places of a list before it are null.
        """
        for step in reversed(self.steps):
            value = [None] * step + [value] if isinstance(step, int) else {step: value}
        return json.dumps(value, ensure_ascii=False, allow_nan=False).encode()
