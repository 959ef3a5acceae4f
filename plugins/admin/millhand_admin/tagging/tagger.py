"""The tagger: among candidates, which is it, and how sure; learnt from labels alone.

Softmax regression on hashed pieces of what stands around each candidate (:mod:`tickets.learn`);
values that stand there several times add up. How sure it is, is the best value's share of all.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal

import numpy as np

from millhand_admin.paper.fact import Fact, Method
from millhand_admin.reading.page import Page
from millhand_admin.tagging.candidates import Candidate, Field, candidates
from millhand_admin.tickets.learn import Learning, Weights, learn
from millhand_admin.tickets.ngrams import Pieces

RULES = Pieces(bits=15, shortest=3, longest=4, words=1)
_HOW = Learning(rounds=12, step=0.2, batch=64)


@dataclass(frozen=True, slots=True)
class Choice:
    """What was chosen: a candidate, and how sure."""

    candidate: Candidate
    sure: float

    def fact(self) -> Fact[date | Decimal]:
        """Return it as a value of a paper."""
        one = self.candidate
        return Fact[date | Decimal](
            value=one.value,
            text=one.text,
            method=Method.OCR,
            confidence=min(self.sure, one.confidence),
            page=one.page,
            box=one.box,
        )


class Tagger:
    """Chooses one field's value."""

    def __init__(self, field: Field, weights: Weights) -> None:
        self.field = field
        self._weights = weights

    def choose(self, pages: Sequence[Page]) -> Choice | None:
        """Return the likeliest candidate; None where there is none."""
        found = candidates(pages, self.field)
        if not found:
            return None
        chances = np.array([self._chance(one) for one in found])
        shares: dict[date | Decimal, float] = {}
        for one, chance in zip(found, chances, strict=True):
            shares[one.value] = max(shares.get(one.value, 0.0), float(chance))
        best = max(shares, key=shares.__getitem__)
        others = sum(share for value, share in shares.items() if value != best)
        first = max((one for one in zip(found, chances, strict=True) if one[0].value == best),
                    key=lambda pair: pair[1])[0]  # fmt: skip
        return Choice(first, shares[best] * shares[best] / (shares[best] + others))

    def _chance(self, one: Candidate) -> float:
        logits = self._weights.logits(one.context, RULES)
        return float(1 / (1 + np.exp(np.clip(logits[0] - logits[1], -60, 60))))


def fit_tagger(
    field: Field, examples: Sequence[tuple[Sequence[Page], date | Decimal]], seed: int = 0
) -> Tagger:
    """Learn from pages with the right value of each."""
    texts: list[str] = []
    right: list[int] = []
    for pages, value in examples:
        for one in candidates(pages, field):
            texts.append(one.context)
            right.append(int(one.value == value))
    how = _HOW.model_copy(update={"seed": seed})
    return Tagger(field, learn(texts, right, 2, RULES, how))
