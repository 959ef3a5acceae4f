"""Made-up demand by families, to learn from and to be tested on. Drawn by seed alone."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from millhand_logistics.replenish.candidates import Floats

Rng = np.random.Generator
Family = Callable[[Rng, int], Floats]
WEEKS = 156
SEASON = 52


def _level(rng: Rng, n: int) -> Floats:
    mean = rng.lognormal(3, 1)
    return rng.normal(mean, mean * rng.uniform(0.05, 0.6), n)


def _trend(rng: Rng, n: int) -> Floats:
    mean = rng.lognormal(3, 1)
    line = 1 + rng.uniform(-0.8, 1.5) * np.arange(n) / n
    return mean * line + rng.normal(0, mean * rng.uniform(0.05, 0.4), n)


def _walk(rng: Rng, n: int) -> Floats:
    mean = rng.lognormal(3.5, 0.8)
    return mean * np.exp(np.cumsum(rng.normal(0, rng.uniform(0.02, 0.12), n))) + rng.normal(
        0, mean * rng.uniform(0.02, 0.2), n
    )


def _yearly(rng: Rng, n: int) -> Floats:
    mean, t = rng.lognormal(3, 1), np.arange(n)
    wave = 1 + rng.uniform(0.1, 0.8) * np.sin(2 * np.pi * (t / SEASON + rng.random()))
    return mean * wave + rng.normal(0, mean * rng.uniform(0.05, 0.3), n)


def _counts(rng: Rng, n: int) -> Floats:
    return rng.poisson(rng.uniform(0.3, 8), n).astype(float)


def _gaps(rng: Rng, n: int) -> Floats:
    size = rng.lognormal(1.5, 0.8)
    return np.where(rng.random(n) < rng.uniform(0.05, 0.5), rng.poisson(size, n) + 1.0, 0.0)


def _steps(rng: Rng, n: int) -> Floats:
    mean = rng.lognormal(3, 1)
    level = np.repeat(mean * rng.uniform(0.4, 2.0, n // 20 + 1), 20)[:n]
    return level + rng.normal(0, mean * rng.uniform(0.05, 0.3), n)


def _mean_reverting(rng: Rng, n: int) -> Floats:
    mean, rho = rng.lognormal(3, 1), rng.uniform(0.3, 0.95)
    noise, found, at = rng.normal(0, 0.2, n), np.empty(n), 0.0
    for i in range(n):
        at = rho * at + noise[i]
        found[i] = mean * (1 + at)
    return found


TRAINED: dict[str, Family] = {
    "level": _level, "trend": _trend, "walk": _walk, "yearly": _yearly, "counts": _counts,
    "gaps": _gaps, "steps": _steps, "mean reverting": _mean_reverting,
}  # fmt: skip
"""What the student learns from."""


def _promotions(rng: Rng, n: int) -> Floats:
    mean = rng.lognormal(3, 1)
    base = mean * rng.gamma(8, 1 / 8, n)
    base[rng.random(n) < 0.06] *= rng.uniform(2, 5)
    return base


def _life_cycle(rng: Rng, n: int) -> Floats:
    t, peak = np.arange(n), rng.uniform(0.3, 0.9) * n
    curve = np.exp(-(((t - peak) / (rng.uniform(0.2, 0.5) * n)) ** 2))
    found: Floats = rng.poisson(rng.lognormal(3, 0.8) * curve).astype(float)
    return found


def _dying(rng: Rng, n: int) -> Floats:
    often = rng.uniform(0.3, 0.8) * np.exp(-np.arange(n) / (rng.uniform(0.3, 1.0) * n))
    return np.where(rng.random(n) < often, rng.geometric(0.3, n), 0).astype(float)


def _growing_season(rng: Rng, n: int) -> Floats:
    t, mean = np.arange(n), rng.lognormal(3, 1)
    level = mean * (1 + rng.uniform(0.2, 1.5) * t / n)
    peak = np.exp(4 * (np.cos(2 * np.pi * (t / SEASON + rng.random())) - 1))
    found: Floats = level * (1 + rng.uniform(0.5, 2) * peak) * rng.lognormal(0, 0.15, n)
    return found


def _bent(rng: Rng, n: int) -> Floats:
    slope = np.repeat(rng.normal(0, 0.012, n // 26 + 1), 26)[:n]
    mean = rng.lognormal(3.5, 0.8) * np.clip(1 + np.cumsum(slope), 0.1, None)
    noise = rng.standard_t(3, n) * 0.12
    found: Floats = mean * (1 + noise)
    return found


def _thinned(rng: Rng, n: int) -> Floats:
    keep, found, at = rng.uniform(0.3, 0.9), np.empty(n), rng.poisson(5)
    for i in range(n):
        at = rng.binomial(at, keep) + rng.poisson(rng.uniform(0.5, 3))
        found[i] = at
    return found


HELD_OUT: dict[str, Family] = {
    "promotions": _promotions, "life cycle": _life_cycle, "dying": _dying,
    "growing season": _growing_season, "bent": _bent, "thinned": _thinned,
}  # fmt: skip
"""What it is tested on and has never seen."""


def draw(families: dict[str, Family], each: int, seed: int, weeks: int = WEEKS) -> Floats:
    """Draw ``each`` series of every family, one family after another.

    Returns:
        (families * each, weeks): demand, never below 0.
    """
    found = [
        family(np.random.default_rng([seed, f, i]), weeks)
        for f, family in enumerate(families.values())
        for i in range(each)
    ]
    return np.maximum(np.array(found), 0.0)
