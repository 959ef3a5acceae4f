"""The same test as :mod:`millhand.statistics.betting`, where all see on which items two differ.

Whether two models say the same of an item is known without asking anybody. How often they differ
tells which bet makes the capital grow fastest while they are equally good (Kelly's bet; see
Waudby-Smith and Ramdas, JRSS B 86, 2024, section 4), so that fewer answers are needed than by
several players who each guess. The bet is settled before the item and by no answer: the capital
stays a supermartingale while B is worse by the margin, and leaving questions open changes no bet.

Of equal models that differ on a share d of the items, a margin of m takes some 2 ln(1/alpha) (d/m)²
answers in the mean, 6 (d/m)² for 5 %: as much as an answer tells. No test does with fewer.
"""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

_MOST = 0.98
"""Share of the largest bet that can be paid whatever comes."""
_CHOICES = 50
_CAUTION = 0.95
"""Share of the best bet that is taken: how often they differ is an estimate."""
_GUESS, _GUESSED_ON = 0.04, 50
"""How often they are taken to differ before any was seen, and for how many items that counts."""


class NotWorseByDifferences:
    """Evidence that B is not worse than A by ``margin``, gathered item by item.

    Args:
        margin: how much lower B's rate of right answers may be, above 0 and below 1.
        alpha: probability of a false conclusion, 0 to 1.

    Raises:
        ValueError: a number is out of range.
    """

    def __init__(self, margin: float, alpha: float = 0.05) -> None:
        if not 0 < margin < 1 or not 0 < alpha < 1:
            raise ValueError("margin and alpha must be rates")
        self.margin = margin
        self.alpha = alpha
        self.pairs = 0
        self.differing = 0
        most = _MOST / (1 - margin)
        bets = most * np.linspace(1 / _CHOICES, 1.0, _CHOICES)
        self._bets: NDArray[np.float64] = bets
        self._differ = (np.log1p(bets * (1 + margin)) + np.log1p(-bets * (1 - margin))) / 2
        self._same = np.log1p(bets * margin)
        self._log_capital = 0.0
        self._best = 0.0

    def add(self, *, a_right: bool, b_right: bool) -> float:
        """Take an item of which they said different things; return the evidence so far."""
        gain = int(b_right) - int(a_right)
        (bet,) = self._next_bets(1)
        self._take(math.log1p(bet * (gain + self.margin)))
        self.pairs += 1
        self.differing += 1
        return self.evidence

    def add_ties(self, count: int) -> None:
        """Take ``count`` items of which they said the same; as adding each does."""
        if count:
            self._take(float(np.log1p(self._next_bets(count) * self.margin).sum()))
            self.pairs += count

    def _take(self, growth: float) -> None:
        self._log_capital += growth
        self._best = max(self._best, self.evidence)

    def _next_bets(self, count: int) -> NDArray[np.float64]:
        """Return the bets on the next items, were they all but the last alike."""
        seen = np.arange(self.pairs, self.pairs + count)
        rate = (self.differing + _GUESS * _GUESSED_ON) / (seen + _GUESSED_ON)
        growth = rate[:, None] * self._differ + (1 - rate)[:, None] * self._same
        return np.asarray(_CAUTION * self._bets[growth.argmax(axis=1)])

    @property
    def evidence(self) -> float:
        """The capital: 1 at the start, 1/alpha and more is proof."""
        return math.inf if self._log_capital > 600 else math.exp(self._log_capital)

    @property
    def shown(self) -> bool:
        """Whether it was shown, now or at any look before."""
        return self._best >= 1 / self.alpha
