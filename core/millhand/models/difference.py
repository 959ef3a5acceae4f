"""What two packages differ in, key by key of their manifests."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from msgspec import Struct

from millhand.models.manifest import Manifest


class Difference(Struct, frozen=True, kw_only=True):
    """One value of the manifest that is not the same; None where one side has none."""

    key: str
    """As a path: ``teacher.licence``, ``metrics.image AUROC.value``."""
    before: Any
    after: Any


def differences(before: Manifest, after: Manifest) -> list[Difference]:
    """List what differs, in the manifest's order; metrics, files and sources are met by name."""
    one, other = (dict(_leaves("", m.model_dump(mode="json"))) for m in (before, after))
    keys = dict.fromkeys([*one, *other])
    return [
        Difference(key=key, before=one.get(key), after=other.get(key))
        for key in keys
        if one.get(key) != other.get(key)
    ]


def _leaves(prefix: str, value: Any) -> Iterator[tuple[str, Any]]:
    if isinstance(value, dict):
        for key, inner in value.items():
            yield from _leaves(f"{prefix}.{key}" if prefix else str(key), inner)
    elif isinstance(value, list) and value and all(isinstance(item, dict) for item in value):
        for number, item in enumerate(value):
            yield from _leaves(f"{prefix}.{_name(item, number)}", item)
    else:
        yield prefix, value


def _name(item: dict[str, Any], number: int) -> str:
    """What tells an item of a list from its neighbours: its name, path, or what it ran on."""
    if "runtime" in item:
        return f"{item['runtime']} {item.get('precision', '')}"
    return str(item.get("name") or item.get("path") or number)
