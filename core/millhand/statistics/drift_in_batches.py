"""Has something changed, where neighbours resemble each other? A test that may be watched for ever.

Parts of one lot, one tool, one shift resemble each other, and a test that takes each of them for
news finds a change at every changeover. So values are put into batches, a little longer than what
belongs together, of which the median counts (batch means, after Runger and Willemain, "Batch-means
control charts for autocorrelated data", IIE Transactions 28, 1996; a median takes no notice of the
few parts that are defective). Each median is predicted from those before by Student's t; while
nothing changes, the probabilities of these predictions' errors are independent and uniform (the
recursive residuals of Brown, Durbin and Evans, JRSS B 37, 1975), and somebody bets that they are
not (power martingales: Vovk, Nouretdinov and Gammerman, "Testing exchangeability on-line", ICML
2003; Ville 1939). The probability that the capital *ever* reaches 1/alpha is then at most alpha.

It is exact for medians that are independent and normal. Simulation (the tests of this module) says
what is left of it where they are not.
"""

from __future__ import annotations

import math
from bisect import insort
from statistics import median

from millhand.statistics.intervals import beta_cdf

FEWEST_BATCHES = 5
"""Batches that the warm-up must hold, for a spread to be known."""
_JUMP = 0.02
"""Share of the capital that changes its opinion at each batch."""
_OPINIONS = (0.5, 0.25, 0.25)
"""What the capital is worth at first, and what a jump goes to: nothing changes, values have become
smaller, larger."""
_POWER = 0.5
"""A probability p is worth ``power * p ** (power - 1)``, which integrates to 1."""
_SMALLEST = 1e-4
"""Probabilities below count as this one: no single batch proves anything."""
_LONGEST = 2_000


class DriftInBatches:
    """Evidence that values are no longer like those before.

    Args:
        alpha: probability of a false alarm, ever; 0 to 1.
        batch: values whose median counts as one.
        warm_up: values that only count as history, for which nothing is bet.

    Raises:
        ValueError: ``alpha`` is no rate, or the warm-up holds too few batches.
    """

    def __init__(self, alpha: float = 0.01, *, batch: int = 20, warm_up: int = 200) -> None:
        if not 0 < alpha < 1 or batch < 1 or warm_up < FEWEST_BATCHES * batch:
            raise ValueError("alpha must be a rate, and the warm-up hold some batches")
        self.alpha = alpha
        self.batch = batch
        self.alarmed_at: int | None = None
        """Number of the value at which it was shown, from 1; None as long as it was not."""
        self.seen = 0
        self._warm_up = warm_up
        self._waiting: list[float] = []
        self._ordered: list[float] = []
        self._mean = 0.0
        self._squares = 0.0
        """Sum of the medians' squared distances from their mean (Welford 1962)."""
        self._capital = list(_OPINIONS)

    def add(self, value: float) -> bool:
        """Take the next value; return whether a change has been shown, now or before.

        After 2,000 batches the history stands still.

        Raises:
            ValueError: the value is not finite.
        """
        if not math.isfinite(value):
            raise ValueError(f"{value} cannot be ranked")
        self.seen += 1
        self._waiting.append(value)
        if len(self._waiting) == self.batch:
            self._take(median(self._waiting))
            self._waiting.clear()
        return self.alarmed_at is not None

    @property
    def evidence(self) -> float:
        """The capital: 1 at the start, 1/alpha and more is proof."""
        return sum(self._capital)

    def quantile(self, share: float) -> float | None:
        """Return the median that ``share`` of those before do not exceed; None without any."""
        history = self._ordered
        return history[int(share * (len(history) - 1))] if history else None

    def _take(self, value: float) -> None:
        if self.seen > self._warm_up:
            self._bet(self._probability(value))
            if self.alarmed_at is None and self.evidence >= 1 / self.alpha:
                self.alarmed_at = self.seen
        if len(self._ordered) < _LONGEST:
            insort(self._ordered, value)
            step = value - self._mean
            self._mean += step / len(self._ordered)
            self._squares += step * (value - self._mean)

    def _probability(self, value: float) -> float:
        """Return the probability of a median as small as this or smaller, from those before."""
        count = len(self._ordered)
        spread = math.sqrt(self._squares / (count - 1) * (1 + 1 / count))
        if spread == 0:
            return 0.5 if value == self._mean else float(value > self._mean)
        return student_cdf((value - self._mean) / spread, count - 1)

    def _bet(self, probability: float) -> None:
        total = self.evidence
        if total > 1e100:
            return  # proof enough; more would only overflow
        low = min(max(probability, _SMALLEST), 1.0)
        high = min(max(1 - probability, _SMALLEST), 1.0)
        worth = (1.0, _POWER * low ** (_POWER - 1), _POWER * high ** (_POWER - 1))
        self._capital = [
            ((1 - _JUMP) * capital + _JUMP * total * share) * gain
            for capital, share, gain in zip(self._capital, _OPINIONS, worth, strict=True)
        ]


def student_cdf(value: float, freedom: int) -> float:
    """Return the probability of ``value`` or less under Student's t."""
    tail = 0.5 * beta_cdf(freedom / (freedom + value * value), freedom / 2, 0.5)
    return 1 - tail if value > 0 else tail
