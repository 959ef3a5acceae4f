"""Softmax regression on hashed pieces, learnt by AdaGrad in numpy; the same seed, the same weights.

Duchi, Hazan and Singer, "Adaptive subgradient methods", JMLR 2011. Only buckets that occur move, so
a step costs what the texts in it cost.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from pydantic import BaseModel, ConfigDict, Field

from millhand_admin.tickets.ngrams import Pieces, pieces

Matrix = NDArray[np.float32]


class Learning(BaseModel):
    """How it is learnt."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    rounds: int = Field(default=40, ge=1, le=1000, description="Times that all texts are seen.")
    batch: int = Field(default=32, ge=1)
    step: float = Field(default=0.2, gt=0, description="AdaGrad's first step.")
    decay: float = Field(default=1e-4, ge=0, description="L2 penalty.")
    seed: int = Field(default=0, ge=0)


@dataclass(frozen=True, slots=True)
class Weights:
    """What was learnt: ``table`` is ``(buckets, kinds)``, ``bias`` is ``(kinds,)``.

    ``seen`` is ``(buckets,)``: 1 for a bucket that a text to learn from fell into, else 0.
    """

    table: Matrix
    bias: Matrix
    seen: Matrix

    def logits(self, text: str, rules: Pieces) -> Matrix:
        """Return a text's logits, ``(kinds,)``."""
        buckets, weights = pieces(text, rules)
        return weights @ self.table[buckets] + self.bias

    def known(self, text: str, rules: Pieces) -> float:
        """Return how much of a text was ever seen, 0 to 1."""
        buckets, weights = pieces(text, rules)
        return float(weights**2 @ self.seen[buckets])


def learn(
    texts: Sequence[str], kinds: Sequence[int], count: int, rules: Pieces, how: Learning
) -> Weights:
    """Learn from texts with their kinds (0 to ``count`` less one)."""
    examples = [pieces(text, rules) for text in texts]
    right = np.asarray(kinds, np.int64)
    table = np.zeros((1 << rules.bits, count), np.float32)
    bias = np.zeros(count, np.float32)
    table_sum = np.full_like(table, 1e-6)
    bias_sum = np.full_like(bias, 1e-6)
    random = np.random.default_rng(how.seed)
    for _ in range(how.rounds):
        order = random.permutation(len(examples))
        for start in range(0, len(order), how.batch):
            chosen = order[start : start + how.batch]
            buckets = np.concatenate([examples[one][0] for one in chosen])
            weights = np.concatenate([examples[one][1] for one in chosen])
            sizes = np.array([len(examples[one][0]) for one in chosen])
            rows = np.repeat(np.arange(len(chosen)), sizes)
            logits = np.add.reduceat(
                table[buckets] * weights[:, None], np.r_[0, sizes.cumsum()[:-1]]
            )
            error = _softmax(logits + bias)
            error[np.arange(len(chosen)), right[chosen]] -= 1
            error /= len(chosen)
            used, places = np.unique(buckets, return_inverse=True)
            slope = np.zeros((len(used), count), np.float32)
            np.add.at(slope, places, weights[:, None] * error[rows])
            slope += how.decay * table[used]
            table_sum[used] += slope**2
            table[used] -= how.step * slope / np.sqrt(table_sum[used])
            total = error.sum(0)
            bias_sum += total**2
            bias -= how.step * total / np.sqrt(bias_sum)
    seen = np.zeros(1 << rules.bits, np.float32)
    for buckets, _ in examples:
        seen[buckets] = 1
    return Weights(table, bias, seen)


def _softmax(logits: Matrix) -> Matrix:
    shifted = np.exp(logits - logits.max(1, keepdims=True))
    probabilities: Matrix = shifted / shifted.sum(1, keepdims=True)
    return probabilities
