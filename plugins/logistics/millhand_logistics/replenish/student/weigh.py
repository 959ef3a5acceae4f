"""How the student weighs the candidates: by their errors in the series' own past, and its features.

A soft choice among simple forecasts, learnt over many series (Montero-Manso and others 2020), small
enough to be read: one weight for errors of the last year, one for recent ones, and for each
candidate a bias that depends on what kind of series it is.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from millhand_logistics.replenish.candidates import NAMES, Floats, candidates

FEATURES = ("one", "length", "gaps", "spread", "trend", "season", "steadiness", "horizon")
_ORIGINS, _RECENT = 52, 13
"""Past moments whose forecasts are held against what came."""
_TINY = 1e-9


@dataclass(frozen=True, slots=True)
class Weights:
    """What was learnt."""

    bias: Floats
    """(candidates, features)."""
    errors: Floats
    """(2,): of the logarithm of a candidate's error over the best one's, past year and recent."""
    stretch: float
    """By how much past errors are stretched to cover the future as often as they say."""


@dataclass(frozen=True, slots=True)
class Seen:
    """What is known of some series when the last period is over."""

    forecasts: Floats
    """(n, candidates): of the next periods together."""
    past: Floats
    """(n, origins, candidates): the same at past moments; NaN where there were none."""
    came: Floats
    """(n, origins): what came."""
    relative: Floats
    """(n, candidates, 2): logarithm of errors, all and recent, over the best one's."""
    features: Floats
    """(n, features)."""
    scale: Floats
    """(n,): mean absolute change of demand over the periods."""


def look(series: Floats, periods: int, season: int) -> Seen:
    """Forecast by every candidate, now and at past moments.

    Args:
        series: (n, t) demand, oldest first; NaN before a series begins, at least one value each.
        periods: how many are forecast together.
        season: periods after which demand repeats; 1: it does not.
    """
    all_ = candidates(series, periods, season)
    span = series.shape[1]
    first = max(0, span - periods - _ORIGINS)
    origins = np.arange(first, max(first, span - periods))
    known = ~np.isnan(series)
    sums = np.cumsum(np.pad(np.where(known, series, 0.0), ((0, 0), (1, 0))), axis=1)
    came = sums[:, origins + 1 + periods] - sums[:, origins + 1]
    past = all_[:, origins]
    # A forecast of a series that has just begun says nothing of how good it is later.
    age = np.cumsum(known, axis=1)[:, origins]
    usable = age >= np.minimum(8, np.maximum(1, known.sum(axis=1, keepdims=True) // 2))
    past = np.where(usable[:, :, None], past, np.nan)
    error = np.abs(past - came[:, :, None])
    relative = np.stack([_relative(error), _relative(error[:, -_RECENT:])], axis=2)
    scale = _scale(series, periods)
    return Seen(
        forecasts=all_[:, -1],
        past=past,
        came=np.where(usable, came, np.nan),
        relative=relative,
        features=_features(series, periods, relative),
        scale=scale,
    )


def weigh(seen: Seen, weights: Weights) -> Floats:
    """Return each candidate's share, (n, candidates)."""
    logits = seen.features @ weights.bias.T - seen.relative @ weights.errors
    logits -= logits.max(axis=1, keepdims=True)
    shares: Floats = np.exp(logits)
    shares /= shares.sum(axis=1, keepdims=True)
    return shares


def expected(seen: Seen, shares: Floats) -> tuple[Floats, Floats]:
    """Return the forecast (n,), and what the same shares have missed in the past (n, origins)."""
    mean: Floats = (seen.forecasts * shares).sum(axis=1)
    missed: Floats = seen.came - (seen.past * shares[:, None, :]).sum(axis=2)
    return mean, missed


def _relative(error: Floats) -> Floats:
    if error.shape[1] == 0:
        return np.zeros((error.shape[0], len(NAMES)))
    counted = np.maximum((~np.isnan(error)).sum(axis=1), 1)
    mean = np.nansum(error, axis=1) / counted
    best = mean.min(axis=1, keepdims=True)
    floor = 0.05 * mean.mean(axis=1, keepdims=True) + _TINY
    found: Floats = np.log((mean + floor) / (best + floor))
    return found


def _scale(series: Floats, periods: int) -> Floats:
    steps = np.abs(np.diff(series, axis=1))
    counted = np.maximum((~np.isnan(steps)).sum(axis=1), 1)
    change = np.nansum(steps, axis=1) / counted
    mean = np.nanmean(np.abs(series), axis=1)
    found: Floats = np.maximum(change, 0.05 * mean + _TINY) * np.sqrt(periods)
    return found


def _features(series: Floats, periods: int, relative: Floats) -> Floats:
    known = ~np.isnan(series)
    n = known.sum(axis=1)
    mean = np.nanmean(series, axis=1)
    spread = np.nanstd(series, axis=1) / (mean + _TINY)
    gaps = (np.where(known, series, 1.0) == 0).sum(axis=1) / n
    old = np.nanmean(series[:, -52:], axis=1)
    new = np.nanmean(series[:, -13:], axis=1)
    return np.stack(
        [
            np.ones(len(series)),
            np.log1p(n) / 5,
            gaps,
            np.clip(spread, 0, 3) / 3,
            np.clip((new - old) / (old + _TINY), -1, 1),
            np.clip(relative[:, 0, 0] - relative[:, 11, 0], -2, 2) / 2,
            np.clip(relative[:, 10, 0] - relative[:, 1, 0], -2, 2) / 2,
            np.full(len(series), np.log1p(periods) / 3),
        ],
        axis=1,
    )
