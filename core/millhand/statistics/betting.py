"""A test that may be watched: is B not worse than A, judged pair by pair, stop whenever you like.

Testing by betting (Waudby-Smith and Ramdas, "Estimating means of bounded random variables by
betting", JRSS B 86, 2024; Ville 1939). Somebody bets against the hypothesis that B is worse by
the margin or more. While that is true, the capital is a supermartingale: the probability that it
ever reaches 1/alpha is at most alpha, however often one looks. No number of pairs need be fixed
beforehand, and looking every minute costs nothing.
"""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

_PLAYERS = 5
_SMALLEST = 0.08
"""Shares of the largest bet that can be paid. The best one is about margin / share of discordant
pairs; a factor of two beside it costs little, more players cost more."""


class NotWorse:
    """Evidence that B is not worse than A by ``margin``, gathered pair by pair.

    The capital is the mean of players who each bet a fixed share, so that no share need be tuned;
    a mean of supermartingales is one.

    Args:
        margin: how much lower B's rate of right answers may be, 0 to 1. With -margin it is shown
            that B is *better* by that much.
        alpha: probability of a false conclusion, 0 to 1.
        smallest_chance: the lowest probability with which a pair is ever drawn for judgement.
            Pairs that were asked for more or less often are weighed by one over it.

    Raises:
        ValueError: a number is out of range.
    """

    def __init__(self, margin: float, alpha: float = 0.05, *, smallest_chance: float = 1.0) -> None:
        if not -1 < margin < 1 or not 0 < alpha < 1 or not 0 < smallest_chance <= 1:
            raise ValueError("margin, alpha and chance must be rates")
        self.margin = margin
        self.alpha = alpha
        self.pairs = 0
        self.discordant = 0
        """Pairs of which one was right and the other wrong: only these tell the two apart."""
        self._worst = 1 / smallest_chance
        # A player must be able to pay: 1 + bet * (x + margin) > 0 for the worst x = -1/chance.
        most = 0.98 / (self._worst - margin)
        self._bets: NDArray[np.float64] = most * np.geomspace(_SMALLEST, 1.0, _PLAYERS)
        self._log_capital: NDArray[np.float64] = np.zeros(_PLAYERS)
        self._best = 0.0

    def add(self, *, a_right: bool, b_right: bool, chance: float = 1.0) -> float:
        """Take one pair of answers on the same item, and return the evidence so far.

        Args:
            a_right: whether A's answer was right.
            b_right: whether B's was.
            chance: probability with which this item was drawn for judgement.

        Raises:
            ValueError: ``chance`` is below the smallest that was declared.
        """
        if not 1 / self._worst - 1e-12 <= chance <= 1:
            raise ValueError(f"chance {chance} is below the smallest declared")
        self.pairs += 1
        self.discordant += a_right is not b_right
        gain = (int(b_right) - int(a_right)) / chance
        self._log_capital += np.log1p(self._bets * (gain + self.margin))
        evidence = self.evidence
        self._best = max(self._best, evidence)
        return evidence

    def add_ties(self, count: int) -> None:
        """Take ``count`` pairs on which both were right, or both wrong; as adding each does."""
        self.pairs += count
        self._log_capital += count * np.log1p(self._bets * self.margin)
        self._best = max(self._best, self.evidence)

    @property
    def evidence(self) -> float:
        """The capital: 1 at the start, 1/alpha and more is proof."""
        top = float(self._log_capital.max())
        if top > 600:
            return math.inf
        return float(np.exp(self._log_capital - top).mean() * math.exp(top))

    @property
    def shown(self) -> bool:
        """Whether it was shown, now or at any look before."""
        return max(self._best, 1.0) >= 1 / self.alpha
