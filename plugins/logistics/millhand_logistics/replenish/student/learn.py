"""Making the student: ``python -m millhand_logistics.replenish.student.learn --out weights.json``.

It learns from made-up demand by families (:mod:`families`): the shares of the candidates whose
forecast comes nearest to what came, and by how much past errors are to be stretched so that what
was said to be covered is covered. Half a minute on one core.
"""

from __future__ import annotations

import argparse
import json
from pathlib import Path

import numpy as np

from millhand_logistics.replenish.candidates import NAMES, Floats
from millhand_logistics.replenish.student.families import SEASON, TRAINED, WEEKS, draw
from millhand_logistics.replenish.student.weigh import (
    FEATURES,
    Seen,
    Weights,
    expected,
    look,
    weigh,
)

SPANS = (1, 4, 8, 13)
_STEPS, _RATE = 600, 0.03
_COVERED = (0.8, 0.9, 0.95)
_FAR = 4.0
"""Errors beyond so many scales count no more than in proportion."""


def lessons(each: int, seed: int) -> list[tuple[Seen, Floats]]:
    """Return what is seen and what came after it, for several spans and lengths of history."""
    found = []
    rng = np.random.default_rng(seed)
    for number, periods in enumerate(SPANS):
        series = draw(TRAINED, each, seed + number)
        past = series[:, : WEEKS - periods].copy()
        begins = rng.choice([0, 0, 52, 100, 125], size=len(past))
        past[np.arange(past.shape[1])[None, :] < begins[:, None]] = np.nan
        found.append((look(past, periods, SEASON), series[:, WEEKS - periods :].sum(axis=1)))
    return found


def learn(taught: list[tuple[Seen, Floats]]) -> Weights:
    """Descend (Adam; Kingma and Ba 2015) on the squared error over each series' own scale."""
    shape = (len(NAMES), len(FEATURES))
    flat = np.concatenate([np.zeros(shape[0] * shape[1]), [2.0, 1.0]])
    mean, square = np.zeros_like(flat), np.zeros_like(flat)
    for step in range(1, _STEPS + 1):
        weights = Weights(flat[:-2].reshape(shape), flat[-2:], 1.0)
        slope = np.zeros_like(flat)
        for seen, came in taught:
            slope += _slope(seen, came, weights) / len(taught)
        slope[:-2] += 1e-4 * flat[:-2]
        mean, square = 0.9 * mean + 0.1 * slope, 0.999 * square + 0.001 * slope**2
        fast = mean / (1 - 0.9**step) / (np.sqrt(square / (1 - 0.999**step)) + 1e-8)
        flat = flat - _RATE * (1 - step / (_STEPS + 1)) * fast
    return Weights(flat[:-2].reshape(shape), flat[-2:], 1.0)


def _slope(seen: Seen, came: Floats, weights: Weights) -> Floats:
    shares = weigh(seen, weights)
    scaled = seen.forecasts / seen.scale[:, None]
    error = (scaled * shares).sum(axis=1) - came / seen.scale
    pull = np.clip(error, -_FAR, _FAR) / len(came)
    by_share = pull[:, None] * scaled
    by_logit = shares * (by_share - (shares * by_share).sum(axis=1, keepdims=True))
    bias = by_logit.T @ seen.features
    errors = -(by_logit[:, :, None] * seen.relative).sum(axis=(0, 1))
    found: Floats = np.concatenate([bias.ravel(), errors])
    return found


def stretched(taught: list[tuple[Seen, Floats]], weights: Weights) -> Weights:
    """Return the weights with the least stretch that covers what came as often as was said."""
    for stretch in np.arange(0.8, 3.0, 0.05):
        short = 0.0
        for share in _COVERED:
            inside = [_inside(seen, came, weights, share, float(stretch)) for seen, came in taught]
            short = max(short, share - float(np.mean(inside)))
        if short <= 0:
            return Weights(weights.bias, weights.errors, round(float(stretch), 2))
    return Weights(weights.bias, weights.errors, 3.0)


def _inside(seen: Seen, came: Floats, weights: Weights, share: float, stretch: float) -> float:
    mean, missed = expected(seen, weigh(seen, weights))
    known = ~np.isnan(missed)
    counted = known.sum(axis=1)
    ranked = np.sort(np.where(known, missed, np.inf), axis=1)
    rank = np.clip(np.ceil((counted + 1) * share) - 1, 0, np.maximum(counted - 1, 0)).astype(int)
    reach = np.where(counted > 0, ranked[np.arange(len(rank)), rank], 0.0)
    return float((came <= np.maximum(mean + stretch * reach, 0.0) + 1e-9)[counted >= 8].mean())


def main() -> None:
    """Learn, and write the weights as JSON."""
    parser = argparse.ArgumentParser(prog="learn", description=__doc__)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--each", type=int, default=250, help="series of each family and span")
    parser.add_argument("--seed", type=int, default=7)
    given = parser.parse_args()
    weights = learn(lessons(given.each, given.seed))
    weights = stretched(lessons(given.each, given.seed + 1000), weights)
    text = {
        "millhand_forecaster": 1,
        "candidates": list(NAMES),
        "features": list(FEATURES),
        "bias": [[round(float(v), 4) for v in row] for row in weights.bias],
        "errors": [round(float(v), 4) for v in weights.errors],
        "stretch": weights.stretch,
        "trained": {"families": list(TRAINED), "each": given.each, "seed": given.seed},
    }
    given.out.write_text(json.dumps(text, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
