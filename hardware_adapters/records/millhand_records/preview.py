"""What delivering a record would change, in the receiver's own words, without writing anything."""

from __future__ import annotations

import difflib
import json
from collections.abc import Mapping
from typing import Any, NamedTuple


class Preview(NamedTuple):
    """What is there under the record's key, and what there would be."""

    name: str
    """Of the document that is there, or of what would be made."""
    there: str
    """As text; empty where nothing is there."""
    wanted: str


def as_text(document: Mapping[str, Any] | None) -> str:
    """Return a document as lines of text that compare well; empty for none."""
    if document is None:
        return ""
    return json.dumps(document, ensure_ascii=False, indent=1, sort_keys=True, default=str) + "\n"


def difference(preview: Preview) -> str:
    """Return a unified diff; empty where nothing would change."""
    return "".join(
        difflib.unified_diff(
            preview.there.splitlines(keepends=True),
            preview.wanted.splitlines(keepends=True),
            f"{preview.name} (there)" if preview.there else "(nothing there)",
            f"{preview.name} (draft)",
        )
    )
