"""Has something changed? A test that may be watched for ever, with a bounded false-alarm rate.

Conformal test martingales (Vovk, Petej, Nouretdinov, Ahlberg, Carlsson and Gammerman, "Retrain or
not retrain: conformal test martingales for change-point detection", COPA 2021; Ville 1939).
Each value is ranked among all before it; while nothing changes the ranks are uniform, whatever
the values' distribution is, so that it need not be known. Somebody bets that they are not. The
probability that the capital *ever* reaches 1/alpha is at most alpha, without any change.

That holds for values that might as well have come in another order. Where neighbours resemble each
other, as parts of one lot do: :mod:`millhand.statistics.drift_in_batches`.
"""

from __future__ import annotations

import math
from bisect import bisect_left, bisect_right, insort

import numpy as np

_JUMP = 0.01
"""Share of the capital that changes its opinion at each value (the paper's simple jumper)."""
_OPINIONS = (-1.0, 0.0, 1.0)
_LONGEST = 10_000


class Drift:
    """Evidence that values are no longer like those before.

    Args:
        alpha: probability of a false alarm, ever; 0 to 1.
        warm_up: values that only count as history, for which nothing is bet.
        seed: of the ranks of equal values, which are drawn.

    Raises:
        ValueError: ``alpha`` is no rate, or ``warm_up`` is negative.
    """

    def __init__(self, alpha: float = 0.01, *, warm_up: int = 50, seed: int = 0) -> None:
        if not 0 < alpha < 1 or warm_up < 0:
            raise ValueError("alpha must be a rate, warm_up a count")
        self.alpha = alpha
        self.alarmed_at: int | None = None
        """Number of the value at which it was shown, from 1; None as long as it was not."""
        self.seen = 0
        self._warm_up = warm_up
        self._rng = np.random.default_rng(seed)
        self._history: list[float] = []
        self._capital = [1 / len(_OPINIONS)] * len(_OPINIONS)

    def add(self, value: float) -> bool:
        """Take the next value; return whether a change has been shown, now or before.

        After 10,000 values the history stands still and later values are ranked against it: the
        bound then holds but for the error of an empirical distribution of 10,000.

        Raises:
            ValueError: the value is not finite.
        """
        if not math.isfinite(value):
            raise ValueError(f"{value} cannot be ranked")
        self.seen += 1
        rank = self._rank(value)
        if len(self._history) < _LONGEST:
            insort(self._history, value)
        if self.seen > self._warm_up:
            self._bet(rank)
            if self.alarmed_at is None and self.evidence >= 1 / self.alpha:
                self.alarmed_at = self.seen
        return self.alarmed_at is not None

    @property
    def evidence(self) -> float:
        """The capital: 1 at the start, 1/alpha and more is proof."""
        return sum(self._capital)

    def quantile(self, share: float) -> float | None:
        """Return the value that ``share`` of those before do not exceed; None without any."""
        history = self._history
        return history[int(share * (len(history) - 1))] if history else None

    def _rank(self, value: float) -> float:
        """Return the value's smoothed conformal rank, 0 to 1."""
        below = bisect_left(self._history, value)
        equal = bisect_right(self._history, value) - below + 1
        return float((below + self._rng.uniform() * equal) / (len(self._history) + 1))

    def _bet(self, rank: float) -> None:
        total = self.evidence
        if total > 1e100:
            return  # proof enough; more would only overflow
        share = _JUMP * total / len(_OPINIONS)
        self._capital = [
            ((1 - _JUMP) * capital + share) * (1 + opinion * (rank - 0.5))
            for capital, opinion in zip(self._capital, _OPINIONS, strict=True)
        ]
