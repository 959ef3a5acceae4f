"""Choosing a detector for one product, by cross-validation on good pictures alone.

Pictures are dealt into folds by physical part. Each candidate is fitted without a fold and then
judges that fold's pictures, untouched and artificially damaged. What counts is the share of
damaged pictures that score above every untouched one held out with them: it is what a low
false-reject rate leaves to be found. The cheapest candidate within one standard error of the best
is taken. Features are computed once.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from millhand_quality.inspect.damage import KINDS, damaged
from millhand_quality.inspect.detector import LevelChoice, fit_detector, folds
from millhand_quality.inspect.features import FeatureExtractor, InputPlan, Taps
from millhand_quality.inspect.pictures import Picture
from millhand_quality.inspect.trunk import Array

Choices = tuple[LevelChoice, ...]

CANDIDATES: dict[str, Choices] = {
    "diagonal": (LevelChoice((10,), "diagonal"),),
    "padim-fine": (LevelChoice((2,), "padim"), LevelChoice((4,), "padim")),
    "bank": (LevelChoice((10,), "bank"),),
    "padim": (LevelChoice((10,), "padim"),),
    "fused": (LevelChoice((10,), "fused"),),
}
"""From the cheapest at run time to the dearest. The fine one needs no more than block 4."""

PICTURES_LIMIT = 24
"""Most pictures that are damaged; each costs one pass of the trunk for every kind of damage."""
FITTED_LIMIT = 48
"""Most pictures used to compare; the one chosen is fitted on all."""


@dataclass(frozen=True, slots=True)
class Trial:
    """How one candidate did in cross-validation."""

    name: str
    found: float
    """Share of damaged pictures above every untouched one held out."""
    standard_error: float
    auroc: float
    """Damaged against untouched pictures."""
    damaged_pictures: int


@dataclass(frozen=True, slots=True)
class Selection:
    """All trials, and which was taken."""

    chosen: str
    trials: tuple[Trial, ...]

    @property
    def reason(self) -> Trial:
        """The trial of the one chosen."""
        return next(trial for trial in self.trials if trial.name == self.chosen)


def auroc(positive: Array, negative: Array) -> float:
    """Return the probability that a positive scores above a negative, ties counting half."""
    both = np.concatenate([positive, negative])
    order = both.argsort(kind="stable")
    ranks = np.empty(len(both))
    ranks[order] = np.arange(1, len(both) + 1)
    _, inverse, counts = np.unique(both, return_inverse=True, return_counts=True)
    mean_rank = (np.bincount(inverse, ranks) / counts)[inverse]
    wins = mean_rank[: len(positive)].sum() - len(positive) * (len(positive) + 1) / 2
    return float(wins / (len(positive) * len(negative)))


def spread_out(count: int, limit: int) -> list[int]:
    """Return at most ``limit`` indices below ``count``, evenly spread."""
    return list(range(0, count, -(-count // limit)))


def taps_of(candidates: Mapping[str, Choices]) -> tuple[Taps, ...]:
    """Return every set of tapped blocks that some candidate asks for."""
    return tuple(
        dict.fromkeys(choice.taps for choices in candidates.values() for choice in choices)
    )


def damaged_features(
    extractor: FeatureExtractor,
    pictures: Sequence[Picture],
    seed: int,
    progress: Callable[[], None] = lambda: None,
) -> tuple[dict[Taps, Array], list[int]]:
    """Damage pictures, each once by every kind, and return features and the pictures' indices."""
    plan = extractor.plan
    unit = math.sqrt(plan.frame.height * plan.frame.width / (plan.height * plan.width))
    random = np.random.default_rng(seed)
    changed, origin = [], []
    for index in spread_out(len(pictures), PICTURES_LIMIT):
        for kind in KINDS:
            changed.append(damaged(pictures[index].pixels(plan.frame), kind, random, unit)[0])
            origin.append(index)
            progress()
    return extractor.stack(changed), origin


def select(
    plan: InputPlan,
    candidates: Mapping[str, Choices],
    good: Mapping[Taps, Array],
    parts: Sequence[str],
    damage: tuple[Mapping[Taps, Array], Sequence[int]],
    progress: Callable[[], None] = lambda: None,
) -> Selection:
    """Try every candidate and take the cheapest that is as good as the best.

    Args:
        plan: size of pictures and of the trunk's input.
        candidates: in order of cost.
        good: features of the good pictures, by tapped blocks.
        parts: physical part of each good picture.
        damage: what :func:`damaged_features` returned.
        progress: called after each candidate.
    """
    trials = []
    for name, choices in candidates.items():
        trials.append(_try(name, plan, choices, good, parts, damage))
        progress()
    best = max(trials, key=lambda trial: (trial.found, trial.auroc))
    enough = best.found - best.standard_error
    chosen = next(trial for trial in trials if trial.found >= enough)
    return Selection(chosen.name, tuple(trials))


def _try(
    name: str,
    plan: InputPlan,
    choices: Choices,
    good: Mapping[Taps, Array],
    parts: Sequence[str],
    damage: tuple[Mapping[Taps, Array], Sequence[int]],
) -> Trial:
    features, origin = damage
    found: list[float] = []
    untouched: list[Array] = []
    touched: list[Array] = []
    for held in folds(parts, 3 if len(parts) >= 6 else 2):
        inside = set(held)
        kept = [index for index in range(len(parts)) if index not in inside]
        hurt = [place for place, index in enumerate(origin) if index in inside]
        if len(kept) < 2 or not hurt:
            continue
        detector = fit_detector(
            plan,
            choices,
            {taps: array[kept] for taps, array in good.items()},
            [parts[i] for i in kept],
            in_units=False,
        )
        clean = detector.maps({taps: array[held] for taps, array in good.items()}).score
        dirty = detector.maps({taps: array[hurt] for taps, array in features.items()}).score
        found.extend((dirty > clean.max()).astype(float))
        untouched.append(clean)
        touched.append(dirty)
    share = float(np.mean(found))
    error = math.sqrt(max(share * (1 - share), 1e-4) / len(found))
    return Trial(
        name=name,
        found=share,
        standard_error=error,
        auroc=auroc(np.concatenate(touched), np.concatenate(untouched)),
        damaged_pictures=len(found),
    )
