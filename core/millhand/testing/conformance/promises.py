"""Promises: what a kit's tests hold an adapter to, and how much each one counts."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, TypeVar

F = TypeVar("F", bound=Callable[..., Any])


class Tier(StrEnum):
    """How far an adapter is proven, computed from results and never said by itself."""

    NONE = "none"
    BRONZE = "bronze"
    """It does what its face says while all goes well, and leaves nothing behind."""
    SILVER = "silver"
    """It survives its device: killed, frozen, reset, silent."""
    GOLD = "gold"
    """The finer promises too, and on a peer whose code is not ours."""


LEVELS = (Tier.BRONZE, Tier.SILVER, Tier.GOLD)


@dataclass(frozen=True, slots=True)
class Promise:
    """What one test of a kit proves."""

    level: Tier
    needs: frozenset[str]
    """Capabilities without which it means nothing. Without any, nobody can opt out of it."""


def promise(level: Tier, *needs: str) -> Callable[[F], F]:
    """Mark a kit's test with its level and with the capabilities that it needs."""

    def mark(test: F) -> F:
        test.promise = Promise(level, frozenset(map(str, needs)))  # type: ignore[attr-defined]
        return test

    return mark


def promise_of(test: object) -> Promise | None:
    """Return what a test function proves, None where it is no kit's."""
    found = getattr(test, "promise", None)
    return found if isinstance(found, Promise) else None
