"""What an attack is: a promise, something done against it, and a judgement of what came of it.

A plugin contributes one by the hook ``millhand_attacks``: a class with these members, built
without arguments, one object for each run.
"""

from __future__ import annotations

from enum import StrEnum
from typing import TYPE_CHECKING, Protocol

from msgspec import Struct

if TYPE_CHECKING:
    from millhand.attack.arena import Arena


class Verdict(StrEnum):
    """What came of an attack."""

    HELD = "held"
    BROKEN = "broken"
    NOT_APPLICABLE = "not_applicable"


class Finding(Struct, frozen=True, kw_only=True):
    """A judgement with its evidence."""

    verdict: Verdict
    rule: str
    """What held it, or what should have: ``guard: deadline``, ``PLC: lease``."""
    evidence: str
    """What was seen, in figures: entries of the journal, counters of the PLC."""


class NotApplicable(Exception):
    """Raised by an attack that this cell gives no opening for; the text says why."""


class Attack(Protocol):
    """One attack. ``run`` does it, waits until it is over, and judges it.

    Whatever it did must be undone when it returns or raises. Beside its own judgement, the books
    are held against each other after every attack (:mod:`millhand.attack.books`).
    """

    title: str
    """What is done, in a few words."""
    promise: int
    """Which of the promises in ``docs/explanation/guarantees.md`` is attacked."""

    async def run(self, arena: Arena) -> Finding:
        """Attack.

        Raises:
            NotApplicable: this cell gives no opening for it.
            TimeoutError: what was waited for never came; the attack counts as broken.
        """
        ...


def held(rule: str, evidence: str) -> Finding:
    """The promise was kept."""
    return Finding(verdict=Verdict.HELD, rule=rule, evidence=evidence)


def broken(rule: str, evidence: str) -> Finding:
    """The promise was broken."""
    return Finding(verdict=Verdict.BROKEN, rule=rule, evidence=evidence)


def judged(kept: bool, rule: str, evidence: str) -> Finding:
    """Held or broken, by a condition."""
    return held(rule, evidence) if kept else broken(rule, evidence)
