"""Which decisions a person should look at next, so that few answers teach and prove much.

Two needs pull apart. To *teach*, ask where the models disagree or are unsure. To *measure*, ask
about parts drawn by chance. So a share of all decisions, the audit, is drawn uniformly, and each
other one with a probability that grows with its worth; every question records the probability
with which it was drawn (its propensity), so that weighing answers by one over it gives unbiased
rates (Horvitz and Thompson, JASA 47, 1952).

The draw is a hash of the decision's id: anyone can repeat it from the journal.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from enum import StrEnum

from msgspec import Struct

URGENT = 2.0
"""Urgency of a decision that the agent could not make."""
_BITS = 64


class Ground(StrEnum):
    """Why a decision is worth a person's look."""

    DISAGREEMENT = "disagreement"
    """The candidate in the shadow says otherwise."""
    ABSTENTION = "abstention"
    """The agent could not decide."""
    MARGIN = "margin"
    """Near the limit, or unlike what the model was taught."""
    AUDIT = "audit"
    """Drawn by chance alone."""


class Worth(Struct, frozen=True, kw_only=True):
    """What is known of a decision before anybody is asked."""

    decision: str
    disagrees: bool = False
    abstained: bool = False
    margin: float | None = None
    """Distance from the limit as a share of it, 0 at the limit; None where unknown."""
    novelty: float | None = None
    """Over what the model takes for known, 1 at the limit; None where unknown."""


class Rates(Struct, frozen=True, kw_only=True):
    """How often is asked, by ground. All decisions are asked about at least at ``audit``."""

    audit: float = 0.02
    disagreement: float = 1.0
    abstention: float = 0.5
    margin: float = 0.25
    near: float = 0.1
    """What counts as near the limit."""

    def __post_init__(self) -> None:
        """Check the rates; an audit of 0 would leave parts that can never be asked about."""
        rates = (self.audit, self.disagreement, self.abstention, self.margin)
        if not all(0 < rate <= 1 for rate in rates):
            raise ValueError("rates lie above 0 and at most at 1")


class Asked(Struct, frozen=True, kw_only=True):
    """A decision drawn for a question."""

    decision: str
    ground: Ground
    chance: float
    """The probability with which it was drawn."""
    urgency: float
    """Orders the queue, the highest first."""


def draw(worth: Worth, rates: Rates, *, salt: str = "") -> Asked | None:
    """Draw a decision for a question, or leave it; the same decision always alike.

    Args:
        worth: what is known of it.
        rates: how often is asked.
        salt: another one draws others.
    """
    ground, chance, urgency = _ground(worth, rates)
    luck = uniform(f"{salt}/{worth.decision}")
    if luck >= chance:
        return None
    if luck < rates.audit:
        ground = Ground.AUDIT if ground is not Ground.DISAGREEMENT else ground
    return Asked(decision=worth.decision, ground=ground, chance=chance, urgency=urgency)


def _ground(worth: Worth, rates: Rates) -> tuple[Ground, float, float]:
    if worth.disagrees:
        return Ground.DISAGREEMENT, max(rates.disagreement, rates.audit), 3.0
    if worth.abstained:
        return Ground.ABSTENTION, max(rates.abstention, rates.audit), URGENT + _strangeness(worth)
    near = worth.margin is not None and worth.margin <= rates.near
    if near or (worth.novelty is not None and worth.novelty > 1):
        return Ground.MARGIN, max(rates.margin, rates.audit), 1.0 + _strangeness(worth)
    return Ground.AUDIT, rates.audit, 0.5


def _strangeness(worth: Worth) -> float:
    """Return 0 for a usual part, towards 1 for one that is near the limit and novel."""
    close = 0.0 if worth.margin is None else 1 / (1 + 10 * worth.margin)
    novel = 0.0 if worth.novelty is None else worth.novelty / (1 + worth.novelty)
    return min(0.99, (close + novel) / 2)


def uniform(text: str) -> float:
    """Return a number from 0 to 1 that looks drawn and is always the same for a text."""
    number = int.from_bytes(hashlib.sha256(text.encode()).digest()[: _BITS // 8], "big")
    return number / 2.0**_BITS


class Weighed(Struct, frozen=True, kw_only=True):
    """An answer with the probability with which it was asked for."""

    wrong: bool
    chance: float


def weighed_rate(answers: Iterable[Weighed], decisions: int) -> float:
    """Estimate how often the agent is wrong of all ``decisions``, unbiased.

    Raises:
        ValueError: there were no decisions.
    """
    if decisions <= 0:
        raise ValueError("there is no decision to estimate a rate of")
    return sum(1 / one.chance for one in answers if one.wrong) / decisions
