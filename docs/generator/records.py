"""The page on the journal's records."""

from __future__ import annotations

import millhand.journal.records
from generator.markdown import HEAD
from generator.structs import described

INTRODUCTION = """\
Every entry of the journal holds one of these as canonical JSON; its `type` is the entry's kind:
`millhand journal tail --kind intent`. What is named here and not described is a
[contract](contracts.md).
"""


def page() -> str:
    """Write the page."""
    names = [
        name
        for name, value in vars(millhand.journal.records).items()
        if isinstance(value, type) and value.__module__ == millhand.journal.records.__name__
    ]
    return "\n".join(
        [
            "# Journal records\n",
            HEAD,
            INTRODUCTION,
            *described(millhand.journal.records, names, "##"),
        ]
    )
