"""Relative paths in a plugin's configuration count from the scenario's folder."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from pydantic import BaseModel


def based_on(value: Any, folder: Path) -> Any:
    """Let relative paths in a model's fields of type ``Path`` count from ``folder``."""
    if isinstance(value, Path):
        return folder / value
    if isinstance(value, BaseModel):
        changed = {
            name: based for name, field in value if (based := based_on(field, folder)) is not field
        }
        return value.model_copy(update=changed) if changed else value
    if isinstance(value, list | tuple) and any(isinstance(item, Path) for item in value):
        return type(value)(based_on(item, folder) for item in value)
    return value
