"""What the engine takes from an agent as an answer, and what it says where the agent could not."""

from __future__ import annotations

from math import isfinite

import msgspec

from millhand.contracts import Decision, Verdict
from millhand.errors import InternalError
from millhand.messages import tr

LARGEST_MEMORY = 16 * 1024
"""Bytes of an agent's memory, encoded."""


def check_finite(decision: Decision) -> None:
    """Refuse numbers that JSON cannot hold: the journal would not be readable.

    Raises:
        InternalError: a score, the confidence or a value in the memory is no finite number.
    """
    numbers = [*decision.scores.values(), decision.confidence, *(decision.memory or {}).values()]
    if not all(isfinite(number) for number in numbers if isinstance(number, float)):
        raise InternalError(tr("The decision holds a number that is not finite."))


def memory_fits(decision: Decision) -> bool:
    """Whether what the agent wants to remember, if anything, may be kept."""
    memory = decision.memory
    return memory is None or len(msgspec.json.encode(memory)) <= LARGEST_MEMORY


def undecided(reason: str) -> Decision:
    """The decision that the engine makes where the agent could not."""
    return Decision(verdict=Verdict.NOT_DECIDABLE, reason=reason)
