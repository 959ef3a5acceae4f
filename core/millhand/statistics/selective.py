"""Answer only when sure enough: the lowest confidence from which a bound on errors is proven.

Learn then Test (Angelopoulos, Bates, Candès, Jordan and Lei, "Learn then Test: calibrating
predictive algorithms to achieve risk control", 2021): for each of a few thresholds that were fixed
before the data were seen, the hypothesis *the rate of wrong answers above this threshold is more
than alpha* is tested with the exact binomial tail, and the tests are corrected for their number
(Bonferroni). Whichever of the thresholds that pass is used then, the bound holds with a
probability of at least 1 - delta over the draw of the calibration data.

Searching many thresholds for one that happens to look good proves nothing; that is why they are
few and fixed. The promise ends when the data change: drift voids a certificate.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
from msgspec import Struct
from numpy.typing import ArrayLike, NDArray

from millhand.statistics.intervals import beta_cdf, beta_quantile

THRESHOLDS = (0.5, 0.6, 0.7, 0.8, 0.9, 0.95, 0.98, 0.99)
"""Confidences tried where the caller fixes none; fixed here, before anybody's data."""


class Certificate(Struct, frozen=True, kw_only=True):
    """P(wrong | answered) ≤ ``alpha`` with a probability of at least 1 - ``delta``."""

    threshold: float
    """Answer from this confidence on; leave the rest undecided."""
    alpha: float
    delta: float
    tried: int
    """How many thresholds were tested, for which the test was corrected."""
    items: int
    answered: int
    wrong: int
    upper: float
    """The error rate that is proven, at most ``alpha``."""

    @property
    def coverage(self) -> float:
        """Share of the calibration items that are answered."""
        return self.answered / self.items if self.items else 0.0


class NoCertificate(Struct, frozen=True, kw_only=True):
    """The data prove no such bound. An honest answer: abstain always, or label more."""

    alpha: float
    delta: float
    tried: int
    items: int
    needed: int
    """Answered items, all right, from which on a certificate is possible at all."""


def certify(
    confidence: ArrayLike,
    wrong: ArrayLike,
    *,
    alpha: float,
    delta: float = 0.05,
    thresholds: Sequence[float] = THRESHOLDS,
) -> Certificate | NoCertificate:
    """Return the lowest of the fixed thresholds whose error rate is proven to be at most alpha.

    Args:
        confidence: (n,) how sure the model is of its answer, for held-out items that it was
            neither trained nor tuned on; NaN is never answered.
        wrong: (n,) bool, whether that answer is wrong.
        alpha: error rate among the answered that must not be exceeded, 0 to 1.
        delta: probability with which the promise may fail, 0 to 1.
        thresholds: confidences to try, chosen before the data were looked at.

    Raises:
        ValueError: lengths differ, no threshold is given, or a rate is not between 0 and 1.
    """
    return certify_all([(confidence, wrong)], alpha=alpha, delta=delta, thresholds=thresholds)


def certify_all(
    models: Sequence[tuple[ArrayLike, ArrayLike]],
    *,
    alpha: float,
    delta: float = 0.05,
    thresholds: Sequence[float] = THRESHOLDS,
) -> Certificate | NoCertificate:
    """Return the lowest threshold that is proven for every one of several models.

    For a package with graphs of several precisions, any of which may be run: the promise then
    holds for whichever is. Every threshold of every model is one test more to correct for.

    Args:
        models: confidence and wrong of each, as for :func:`certify`, for the same items.
        alpha: error rate among the answered that must not be exceeded, 0 to 1.
        delta: probability with which the promise may fail, 0 to 1.
        thresholds: confidences to try, chosen before the data were looked at.

    Returns:
        The certificate with the counts of the model with the highest proven error rate.

    Raises:
        ValueError: as :func:`certify`, or no model is given.
    """
    cases = [_case(*model) for model in models]
    if not cases or not thresholds or not 0 < alpha < 1 or not 0 < delta < 1:
        raise ValueError("a certificate needs thresholds, and rates between 0 and 1")
    steps = sorted(set(thresholds))
    tried = len(steps) * len(cases)
    level = delta / tried
    items = len(cases[0][0])
    for threshold in steps:
        counts = [_counts(sure, failed, threshold) for sure, failed in cases]
        if all(of and binomial_tail(wrong, of, alpha) <= level for of, wrong in counts):
            upper, answered, mistakes = max((_upper(w, of, level), of, w) for of, w in counts)
            return Certificate(
                threshold=threshold,
                alpha=alpha,
                delta=delta,
                tried=tried,
                items=items,
                answered=answered,
                wrong=mistakes,
                upper=upper,
            )
    needed = items_needed(alpha, delta, tried)
    return NoCertificate(alpha=alpha, delta=delta, tried=tried, items=items, needed=needed)


def _case(confidence: ArrayLike, wrong: ArrayLike) -> tuple[NDArray[np.float64], NDArray[np.bool_]]:
    sure, failed = np.asarray(confidence, np.float64), np.asarray(wrong, np.bool_)
    if sure.ndim != 1 or sure.shape != failed.shape:
        raise ValueError(f"{sure.shape} confidences do not go with {failed.shape} answers")
    return sure, failed


def _counts(
    sure: NDArray[np.float64], failed: NDArray[np.bool_], threshold: float
) -> tuple[int, int]:
    answered = sure >= threshold
    return int(answered.sum()), int(failed[answered].sum())


def items_needed(alpha: float, delta: float = 0.05, tried: int = len(THRESHOLDS)) -> int:
    """Return how many answered items, none of them wrong, a certificate takes at least."""
    return math.ceil(math.log(delta / tried) / math.log1p(-alpha))


def binomial_tail(count: int, of: int, rate: float) -> float:
    """Return the probability of ``count`` or fewer in ``of`` where each happens at ``rate``."""
    if count >= of:
        return 1.0
    return beta_cdf(1 - rate, of - count, count + 1)


def _upper(count: int, of: int, level: float) -> float:
    """One-sided upper limit of the rate (Clopper and Pearson 1934)."""
    return 1.0 if count >= of else beta_quantile(1 - level, count + 1, of - count)
