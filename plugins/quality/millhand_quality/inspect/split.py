"""Dividing good pictures: which are fitted on, which are held out to set the threshold."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from millhand.errors import ConfigError
from millhand.messages import tr
from millhand_quality.inspect.pictures import Picture
from millhand_quality.inspect.threshold import scores_needed

FEWEST_PARTS = 4
"""Fewer good parts are refused: nothing could be said about how good ones differ."""
FEWEST_TO_HOLD_OUT = 20
"""Below this many parts all are fitted on, and the threshold is an estimate."""
ENOUGH_TO_FIT = 50
"""Parts from which on more bring little (accuracy on texture saturates here)."""
MOST_TO_FIT = 600
"""Parts beyond which fitting is mostly slower; all others set the threshold."""


@dataclass(frozen=True, slots=True)
class Division:
    """Pictures by use; no part is in both."""

    fit: tuple[Picture, ...]
    held_out: tuple[Picture, ...]
    """Empty where there are too few parts to hold any out."""

    @property
    def held_out_parts(self) -> int:
        """How many parts are held out."""
        return len({picture.part for picture in self.held_out})


def parts_to_fit(parts: int, rate: float) -> int:
    """Return how many of so many parts are fitted on when ``rate`` is to be promised.

    The rate asked for comes first, as long as :data:`FEWEST_TO_HOLD_OUT` parts are left to fit
    on; what is more than enough to fit on makes the threshold steadier.
    """
    if parts < FEWEST_TO_HOLD_OUT:
        return parts
    left = parts - scores_needed(rate)
    if left < FEWEST_TO_HOLD_OUT:
        return parts // 2
    return min(left, max(ENOUGH_TO_FIT, parts // 2), MOST_TO_FIT)


def divide(pictures: Sequence[Picture], rate: float, seed: int) -> Division:
    """Divide good pictures by physical part, at random.

    Raises:
        ConfigError: fewer than :data:`FEWEST_PARTS` parts.
    """
    parts = sorted({picture.part for picture in pictures})
    if len(parts) < FEWEST_PARTS:
        raise ConfigError(
            tr(
                "There are good pictures of {count} parts; at least {fewest} are needed.",
                count=len(parts),
                fewest=FEWEST_PARTS,
            ),
            mend=tr("Take pictures of more good parts; 10 make a start, 150 a promise of 1 %."),
        )
    order = np.random.default_rng(seed).permutation(len(parts))
    chosen = {parts[place] for place in order[: parts_to_fit(len(parts), rate)]}
    return Division(
        fit=tuple(picture for picture in pictures if picture.part in chosen),
        held_out=tuple(picture for picture in pictures if picture.part not in chosen),
    )


def worst_by_part(pictures: Sequence[Picture], scores: Sequence[float]) -> list[float]:
    """Return each part's highest score: parts, not pictures, are what is exchangeable."""
    worst: dict[str, float] = {}
    for picture, score in zip(pictures, scores, strict=True):
        worst[picture.part] = max(score, worst.get(picture.part, -np.inf))
    return [worst[part] for part in sorted(worst)]
