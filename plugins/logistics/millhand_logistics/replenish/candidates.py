"""Simple forecasts of many series at once, at every past moment: what the student chooses among.

Each candidate gives, after every period, the demand of the next ``periods`` together. All are
recursions over time that run over all series side by side.

Exponential smoothing (Brown 1959) at four rates; damped trend (Gardner and McKenzie 1985); Theta as
smoothing with half the drift of a regression line (Hyndman and Billah 2003); Teunter, Syntetos and
Babai's method for demand with gaps (2011); moving means; the last value; and, where demand repeats,
the same moment of the season before, alone and times the change of level since.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
NAMES = (
    "smoothed 0.05", "smoothed 0.1", "smoothed 0.2", "smoothed 0.4", "damped trend", "theta",
    "gaps 0.05", "gaps 0.2", "mean of 13", "mean of 52", "last", "season", "season and level",
)  # fmt: skip
_RATES = (0.05, 0.1, 0.2, 0.4)


def candidates(series: Floats, periods: int, season: int) -> Floats:
    """Forecast the next ``periods`` together, after each period.

    Args:
        series: (n, t) demand, oldest first; NaN before a series begins.
        periods: how many are forecast.
        season: periods after which demand repeats; 1: it does not.

    Returns:
        (n, t, len(NAMES)): what is expected of periods ``i+1 … i+periods`` when period ``i`` is
        over. NaN before a series begins.
    """
    found = np.full((*series.shape, len(NAMES)), np.nan)
    known = ~np.isnan(series)
    filled = np.where(known, series, 0.0)
    for c, rate in enumerate(_RATES):
        found[:, :, c] = periods * _smoothed(series, rate)
    found[:, :, 4] = _damped(series, periods, 0.2, 0.1, 0.9)
    found[:, :, 5] = found[:, :, 2] + _half_drift(filled, known) * periods * (periods + 1) / 2
    for c, rate in ((6, 0.05), (7, 0.2)):
        found[:, :, c] = periods * _with_gaps(series, rate)
    for c, width in ((8, 13), (9, 52)):
        found[:, :, c] = periods * _moving(filled, known, width)
    found[:, :, 10] = periods * series
    found[:, :, 11:] = _seasonal(filled, known, periods, season, found[:, :, 8:9])
    return np.maximum(found, 0.0)


def _smoothed(series: Floats, rate: float) -> Floats:
    """Return the level after each period; it begins as a plain mean, and forgets at ``rate``."""
    level, seen = np.zeros(len(series)), np.zeros(len(series))
    found = np.full(series.shape, np.nan)
    for i in range(series.shape[1]):
        value = series[:, i]
        known = ~np.isnan(value)
        seen += known
        step = np.maximum(rate, 1.0 / np.maximum(seen, 1.0))
        level = np.where(known, level + step * (np.nan_to_num(value) - level), level)
        found[:, i] = np.where(known, level, np.nan)
    return found


def _damped(series: Floats, periods: int, rate: float, trend_rate: float, damping: float) -> Floats:
    level, trend = np.zeros(len(series)), np.zeros(len(series))
    begun = np.zeros(len(series), dtype=bool)
    found = np.full(series.shape, np.nan)
    ahead = sum(sum(damping**k for k in range(1, h + 1)) for h in range(1, periods + 1))
    for i in range(series.shape[1]):
        value = series[:, i]
        known = ~np.isnan(value)
        first = known & ~begun
        level = np.where(first, np.nan_to_num(value), level)
        begun |= known
        goes_on = known & ~first
        expected = level + damping * trend
        new = np.where(goes_on, expected + rate * (np.nan_to_num(value) - expected), level)
        moved = trend_rate * (new - level) + (1 - trend_rate) * damping * trend
        trend, level = np.where(goes_on, moved, trend), new
        found[:, i] = np.where(known, periods * level + ahead * trend, np.nan)
    return found


def _half_drift(filled: Floats, known: NDArray[np.bool_]) -> Floats:
    """Return half the slope of the regression line through all values so far."""
    at = np.cumsum(known, axis=1).astype(float)
    n = np.maximum(at, 1.0)
    sum_y, sum_ty = np.cumsum(filled, axis=1), np.cumsum(filled * at * known, axis=1)
    mean_t = (n + 1) / 2
    spread = n * (n * n - 1) / 12
    slope = np.where(n > 7, (sum_ty - mean_t * sum_y) / np.maximum(spread, 1.0), 0.0)
    return slope / 2


def _with_gaps(series: Floats, rate: float) -> Floats:
    demand = np.where(series > 0, series, np.nan)
    size, seen = np.zeros(len(series)), np.zeros(len(series))
    sizes = np.zeros(series.shape)
    for i in range(series.shape[1]):
        value = demand[:, i]
        there = ~np.isnan(value)
        seen += there
        step = np.maximum(0.2, 1.0 / np.maximum(seen, 1.0))
        size = np.where(there, size + step * (np.nan_to_num(value) - size), size)
        sizes[:, i] = size
    often = _smoothed(np.where(np.isnan(series), np.nan, (series > 0).astype(float)), rate)
    return sizes * often


def _moving(filled: Floats, known: NDArray[np.bool_], width: int) -> Floats:
    sums = np.cumsum(np.pad(filled, ((0, 0), (width, 0))), axis=1)
    counts = np.cumsum(np.pad(known.astype(float), ((0, 0), (width, 0))), axis=1)
    total, count = sums[:, width:] - sums[:, :-width], counts[:, width:] - counts[:, :-width]
    return np.where(known, total / np.maximum(count, 1.0), np.nan)


def _seasonal(
    filled: Floats, known: NDArray[np.bool_], periods: int, season: int, without: Floats
) -> Floats:
    """Return the same periods a season ago, and those times the change of the last quarter."""
    found = np.repeat(without, 2, axis=2)
    span = filled.shape[1]
    if season <= 1 or span <= season or periods > season:
        return found
    totals = np.cumsum(np.pad(filled, ((0, 0), (1, 0))), axis=1)
    width = max(2, season // 4)
    for i in range(season, span):
        begun = known[:, i - season]
        ago = totals[:, i - season + periods + 1] - totals[:, i - season + 1]
        now = totals[:, i + 1] - totals[:, max(0, i + 1 - width)]
        then = totals[:, i + 1 - season] - totals[:, max(0, i + 1 - season - width)]
        whole = begun & (known[:, max(0, i + 1 - season - width)])
        change = np.where(whole & (then > 0), np.clip(now / np.maximum(then, 1e-9), 0.25, 4.0), 1.0)
        found[:, i, 0] = np.where(begun, ago, found[:, i, 0])
        found[:, i, 1] = np.where(begun, ago * change, found[:, i, 1])
    return found
