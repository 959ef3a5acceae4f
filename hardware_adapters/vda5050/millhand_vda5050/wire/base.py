"""What all messages on the wire have in common.

The classes in ``v2`` and ``v3`` say what the JSON schemas of VDA 5050 (MIT, VDA) say: names, types,
ranges, what is required. msgspec compiles them, so that decoding a message *is* validating it;
the tests hold them against the published schemas. Unknown keys are allowed and dropped, as the
schemas have it; an optional value that is absent is ``UNSET``, and null is never a value.
"""

from __future__ import annotations

from typing import Annotated, Any

from msgspec import Meta, Struct

Anything = list[Any] | dict[str, Any] | bool | int | float | str
"""Any JSON value but null: the value of an action's parameter."""

Timestamp = Annotated[
    str,
    Meta(
        pattern=r"^\d{4}-[01]\d-[0-3]\d[tT][0-2]\d:[0-5]\d:[0-5]\d(\.\d+)?([zZ]|[+-][0-2]\d:[0-5]\d)$"
    ),
]
"""A moment by RFC 3339."""


class Wire(Struct, frozen=True, kw_only=True, rename="camel"):
    """Base of all objects on the wire."""
