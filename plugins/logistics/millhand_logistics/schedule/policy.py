"""The dispatching network: its weights, and the ways to choose that it gives."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from millhand_logistics.schedule.problem import Problem
from millhand_logistics.schedule.rules import choice
from millhand_logistics.schedule.tables import (
    ACTIVE,
    FEATURES,
    HIDDEN,
    HIDDEN_2,
    NETWORK,
    Choice,
)

Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True, eq=False)
class Policy:
    """Scores candidates: two layers with ReLU, the second sees a candidate beside their mean.

    ``score_i = w3 · relu(w2ᵀ [h_i, mean(h)] + b2)`` with ``h_i = relu(w1ᵀ x_i + b1)``
    """

    w1: Floats
    """``(FEATURES, HIDDEN)``"""
    b1: Floats
    w2: Floats
    """``(2 * HIDDEN, HIDDEN_2)``"""
    b2: Floats
    w3: Floats

    @classmethod
    def untrained(cls, seed: int) -> Policy:
        """Draw weights after He (2015)."""
        draw = np.random.default_rng(seed)
        return cls(
            w1=draw.normal(0, np.sqrt(2 / FEATURES), (FEATURES, HIDDEN)),
            b1=np.zeros(HIDDEN),
            w2=draw.normal(0, np.sqrt(1 / HIDDEN), (2 * HIDDEN, HIDDEN_2)),
            b2=np.zeros(HIDDEN_2),
            w3=draw.normal(0, 0.1, HIDDEN_2),
        )

    @property
    def weights(self) -> tuple[Floats, Floats, Floats, Floats, Floats]:
        """All weights in the order of the fields."""
        return self.w1, self.b1, self.w2, self.b2, self.w3

    @property
    def parameters(self) -> int:
        """Number of weights."""
        return sum(weights.size for weights in self.weights)

    def scores(self, rows: NDArray[np.floating], begins: NDArray[np.integer]) -> Floats:
        """Score rows of features, ``(rows, FEATURES)``; ``begins`` says where each choice begins.

        The reference for the builder's own arithmetic, and for the exported graph.
        """
        counts = np.diff(np.append(begins, len(rows)))
        h = np.maximum(rows @ self.w1 + self.b1, 0)
        mean = np.add.reduceat(h, begins, axis=0) / counts[:, None]
        both = np.concatenate([h, np.repeat(mean, counts, axis=0)], axis=1)
        scores: Floats = np.maximum(both @ self.w2 + self.b2, 0) @ self.w3
        return scores

    def sharpened(self, times: float) -> Policy:
        """Return a policy with the same best guesses that draws as if it were surer of them."""
        return replace(self, w3=self.w3 * times)

    def choose(self, problem: Problem, seed: int = 0) -> Choice:
        """Return a way to choose: the best score, or a sample where ``seed`` is above 0."""
        w1, b1, w2, b2, w3 = (np.ascontiguousarray(w, np.float64) for w in self.weights)
        bare = choice(problem, ACTIVE, NETWORK)
        return bare._replace(seed=mixed(seed), w1=w1, b1=b1, w2=w2, b2=b2, w3=w3)


def mixed(seed: int) -> int:
    """Spread small seeds over the generator's range, 1 to 2³¹ - 2; 0 stays 0."""
    if seed <= 0:
        return 0
    state = seed
    for _ in range(3):
        state = (state * 1103515245 + 12345) % 2147483647
    return max(state, 1)
