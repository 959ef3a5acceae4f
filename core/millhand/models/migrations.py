"""Older manifests in today's form. The file and its id stay as they are; only reading changes."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from millhand.models.licences import as_spdx

Data = dict[str, Any]

LATEST = 2


def upgraded(data: Data) -> Data:
    """Return a manifest's data in the latest version's form.

    Raises:
        LookupError: this Millhand does not know the version.
    """
    version = data.get("manifest_version", 1)
    known = type(version) is int and (version in _STEPS or version == LATEST)
    if not known:
        raise LookupError(version)
    while version != LATEST:
        data = _STEPS[version](data)
        version = data["manifest_version"]
    return data


def _one_to_two(data: Data) -> Data:
    """Version 1 took any words for a licence, and knew neither energy, abstention nor budget."""
    changed = {**data, "manifest_version": 2}
    if isinstance(data.get("licence"), str):
        changed["licence"] = as_spdx(data["licence"])
    teacher = data.get("teacher")
    if isinstance(teacher, dict) and isinstance(teacher.get("licence"), str):
        changed["teacher"] = {**teacher, "licence": as_spdx(teacher["licence"])}
    return changed


_STEPS: dict[int, Callable[[Data], Data]] = {1: _one_to_two}
