"""The copy of a person's scenario that is attacked, with the intruders in it."""

from __future__ import annotations

import shutil
from pathlib import Path

from ruamel.yaml import YAML

from millhand.attack import walker
from millhand.attack.neighbour import NAME as NEIGHBOUR
from millhand.scenario.load import Scenario, load
from millhand.upkeep.selection import Selection, secret_references

_NEIGHBOUR_LIMITS = {"memory": "400 MB", "restarts": {"at_most": 1000}}
"""Little memory, so that a leak ends soon; restarts enough for all attacks of a run."""


def copied(own: Scenario, target: Path, *, switch: Path, walk: Path) -> Scenario:
    """Copy a scenario with what it needs, its secrets too, and put the intruders into the copy.

    Args:
        own: the person's; it is not touched.
        target: gets the copy.
        switch: the file that tells the bad neighbour what to do.
        walk: the file that lets the walker walk.
    """
    journal = own.folder / own.file.journal.folder
    for path in (*Selection(own, journal).files(), *_secrets(own)):
        copy = target / path.relative_to(own.folder)
        copy.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy2(path, copy)
    yaml = YAML()
    file = target / own.path.name
    data = yaml.load(file.read_text(encoding="utf-8"))
    data["agents"][NEIGHBOUR] = {
        "use": "attack.neighbour",
        "when": "every 250 ms",
        "deadline": "1 s",
        "worker": NEIGHBOUR,
        "config": {"switch": str(switch.resolve())},
    }
    data.setdefault("workers", {})[NEIGHBOUR] = dict(_NEIGHBOUR_LIMITS)
    walker.put_into(data, walk)
    data.pop("console", None)
    with file.open("w", encoding="utf-8") as stream:
        yaml.dump(data, stream)
    return load(file)


def _secrets(own: Scenario) -> list[Path]:
    """List the secrets' files, which a backup leaves out and a running cell needs."""
    inside = own.folder.resolve()
    files = [
        own.folder / one.removeprefix("file:")
        for one in secret_references(own)
        if one.startswith("file:")
    ]
    return [one for one in files if one.is_file() and one.resolve().is_relative_to(inside)]
