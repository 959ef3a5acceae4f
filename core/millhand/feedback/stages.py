"""Where each model stands in its life: read from the journal, never from a flag."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import msgspec

from millhand.journal.entries import Entry
from millhand.journal.records import ModelMoved, Stage

_BESIDE = frozenset({Stage.SHADOW, Stage.CANARY})
_CANDIDATES = frozenset({Stage.CANDIDATE, *_BESIDE})


def stages_of(entries: Iterable[Entry]) -> list[ModelMoved]:
    """Return how each package of each agent stands, in the order in which they first moved.

    Args:
        entries: at least those of kind ``model``, in the journal's order.
    """
    found: dict[tuple[str, str], ModelMoved] = {}
    for entry in entries:
        moved = entry.record
        if not isinstance(moved, ModelMoved):
            continue
        key = (moved.agent, moved.package)
        if moved.now is Stage.LIVE and moved.replaces:
            before = (moved.agent, moved.replaces)
            found.setdefault(before, msgspec.structs.replace(moved, package=moved.replaces))
        for other, stands in found.items():
            if other[0] == moved.agent and other != key and _leaves(stands, moved):
                found[other] = msgspec.structs.replace(stands, now=Stage.RETIRED)
        found[key] = moved
    return list(found.values())


def _leaves(stands: ModelMoved, moved: ModelMoved) -> bool:
    """Whether a package gives way to one that moved: to a new candidate, or to what replaces it."""
    if moved.now is Stage.LIVE:
        return stands.package == moved.replaces
    return moved.now in _BESIDE and stands.now in _CANDIDATES


@dataclass(frozen=True, slots=True)
class Previous:
    """The model that was live before the one that is."""

    package: str
    folders: tuple[str, ...]
    """As in the entry that had made it live; none for the scenario's own packages."""


@dataclass(frozen=True, slots=True)
class Standing:
    """How one agent's models stand."""

    live: str = ""
    """Id of the package that was made live last; empty where none ever was."""
    folders: tuple[str, ...] = ()
    """Packages that stand in the place of the scenario's own."""
    previous: Previous | None = None
    candidate: ModelMoved | None = None
    """The one in the shadow or the canary."""


def standing_of(entries: Iterable[Entry], agent: str) -> Standing:
    """Return how an agent's models stand.

    Args:
        entries: at least those of kind ``model``, in the journal's order.
        agent: whose.
    """
    standing = Standing()
    for entry in entries:
        moved = entry.record
        if isinstance(moved, ModelMoved) and moved.agent == agent:
            standing = _after(standing, moved)
    return standing


def _after(before: Standing, moved: ModelMoved) -> Standing:
    candidate = before.candidate
    same = candidate is not None and candidate.package == moved.package
    match moved.now:
        case Stage.LIVE:
            return Standing(
                live=moved.package,
                folders=moved.folders,
                previous=Previous(moved.replaces, before.folders),
                candidate=None if same else candidate,
            )
        case Stage.SHADOW | Stage.CANARY:
            return Standing(before.live, before.folders, before.previous, moved)
        case Stage.RETIRED if same:
            return Standing(before.live, before.folders, before.previous, None)
        case _:
            return before
