"""Held-out pictures by which another precision of an inspector's graph is judged."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from millhand.contracts import Verdict
from millhand.distil.roles import Judged
from millhand_quality.inspect.detector import NOVELTY, SCORE
from millhand_quality.inspect.features import IMAGE
from millhand_quality.inspect.judge import judge
from millhand_quality.inspect.parameters import InspectParameters
from millhand_quality.inspect.pictures import Pixels
from millhand_quality.inspect.select import auroc

Outputs = Mapping[str, NDArray[Any]]


ENOUGH = 150
"""How many pictures of a kind a student hands in."""


def judged_by(
    parameters: InspectParameters, good: Sequence[Pixels], defective: Sequence[Pixels] = ()
) -> Judged:
    """Return the pictures with what the agent makes of an answer: its verdict.

    Args:
        parameters: thresholds of the package.
        good: pictures of good parts, not those that were learnt from.
        defective: pictures of defective parts; with them the image AUROC is the figure of merit.
    """

    def answer(outputs: Outputs) -> Verdict:
        score, novelty = float(outputs[SCORE][0]), float(outputs[NOVELTY][0])
        return judge(parameters, score, novelty)[0]

    def figure(outputs: Sequence[Outputs]) -> float:
        scores = np.array([float(one[SCORE][0]) for one in outputs])
        return auroc(scores[bad], scores[~bad])

    # Alternating, so that the first few show both kinds.
    order = np.argsort([*_spread(len(good)), *_spread(len(defective))], kind="stable")
    pictures = [*good, *defective]
    bad = np.array(order >= len(good))
    return Judged(
        inputs=[{IMAGE: np.ascontiguousarray(pictures[place])} for place in order],
        answer=answer,
        figure=figure if len(good) and len(defective) else None,
    )


def _spread(count: int) -> list[float]:
    return [(place + 0.5) / count for place in range(count)]
