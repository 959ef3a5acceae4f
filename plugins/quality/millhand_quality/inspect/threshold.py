"""Thresholds from good pictures only, with the guarantee that split conformal prediction gives.

Scores of held-out good parts and of the good parts to come are exchangeable. Then, for ``n``
held-out scores, a new one lies above the ``ceil((n + 1)(1 - rate))``-th smallest with a
probability of at most ``rate``, whatever the scores' distribution. That rank exists only from
``ceil(1 / rate) - 1`` scores on: 99 for one per cent. With fewer, the lowest rate that can be
promised is ``1 / (n + 1)``.

The promise is an average over draws of the held-out parts; it ends when good parts change
(another lamp, another alloy, a worn tool), which is what drift supervision is for.
"""

from __future__ import annotations

import math
from bisect import bisect_left
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np

Guarantee = Literal["split-conformal", "estimate"]


def scores_needed(rate: float) -> int:
    """Return how many held-out good parts a false-reject rate needs to be promised.

    Args:
        rate: between 0 and 1, both excluded.
    """
    if not 0 < rate < 1:
        raise ValueError(f"rate must lie between 0 and 1, not {rate}")
    return math.ceil(round(1 / rate, 9)) - 1


def lowest_rate(count: int) -> float:
    """Return the lowest rate that ``count`` held-out scores can promise."""
    return 1 / (count + 1)


def conformal_quantile(scores: Sequence[float], rate: float) -> float:
    """Return the score above which a new good part lies with a probability of at most ``rate``.

    Infinite where there are too few scores to promise that.
    """
    ordered = np.sort(np.asarray(scores, np.float64))
    rank = math.ceil(round((len(ordered) + 1) * (1 - rate), 9))
    return float(ordered[rank - 1]) if rank <= len(ordered) else math.inf


def p_value(scores: Sequence[float], score: float) -> float:
    """Return how probable a good part with such a score or a higher one is, at most.

    Args:
        scores: of held-out good parts, sorted as :class:`Thresholds` keeps them: thousands of
            them cost no time.
        score: of the part in question.
    """
    higher = len(scores) - bisect_left(scores, score)
    return (1 + higher) / (len(scores) + 1)


@dataclass(frozen=True, slots=True)
class Thresholds:
    """Where OK ends and where not OK begins; between them nothing is decided.

    ``reject_above`` is never below ``pass_up_to``.
    """

    pass_up_to: float
    reject_above: float
    asked_rate: float
    """The false-reject rate that was asked for."""
    promised_rate: float
    """The rate that holds; larger than asked where held-out parts are too few."""
    undecided_rate: float
    """Good parts that fall between the thresholds, at most, beside the false rejects."""
    guarantee: Guarantee
    scores: tuple[float, ...]
    """Held-out scores, sorted."""

    @property
    def enough(self) -> bool:
        """Whether the rate asked for is the rate promised."""
        return self.guarantee == "split-conformal" and self.promised_rate <= self.asked_rate


def calibrate(
    scores: Sequence[float], rate: float, undecided: float, guarantee: Guarantee
) -> Thresholds:
    """Set both thresholds from scores of held-out good parts.

    Args:
        scores: one for each held-out part (its highest, where a part has several pictures).
        rate: false-reject rate asked for.
        undecided: share of good parts that may be left undecided beside.
        guarantee: what the scores are: of parts never fitted on (``split-conformal``), or out
            of cross-validation folds, which promise nothing (``estimate``).

    Raises:
        ValueError: no scores, or rates out of range.
    """
    if not scores or not 0 <= undecided < 1 or rate + undecided >= 1:
        raise ValueError("calibration needs scores, and rates that leave something to pass")
    promised = max(rate, lowest_rate(len(scores)))
    reject = conformal_quantile(scores, promised)
    passing = conformal_quantile(scores, min(promised + undecided, 0.999))
    return Thresholds(
        pass_up_to=min(passing, reject),
        reject_above=reject,
        asked_rate=rate,
        promised_rate=promised,
        undecided_rate=undecided,
        guarantee=guarantee,
        scores=tuple(sorted(float(score) for score in scores)),
    )
