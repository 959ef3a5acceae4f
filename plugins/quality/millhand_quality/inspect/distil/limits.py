"""What the agent is told of a distilled package: limits calibrated on good pictures held out."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from millhand.distil.roles import GoldenPair, Judged
from millhand_quality.inspect.distil.examples import Examples
from millhand_quality.inspect.features import IMAGE
from millhand_quality.inspect.inspector import Reading
from millhand_quality.inspect.judged import ENOUGH, judged_by
from millhand_quality.inspect.parameters import FrameSize, InspectParameters
from millhand_quality.inspect.pictures import Pixels, Shape
from millhand_quality.inspect.threshold import calibrate
from millhand_quality.inspect.trunk import Array

GOLDEN_ABSOLUTE, GOLDEN_RELATIVE = 0.01, 0.005
"""How far another run time may be off, in units of an ordinary good picture's worst cell."""


def parameters_from(
    readings: Sequence[Reading],
    frame: Shape,
    *,
    detector: str,
    rates: tuple[float, float],
    novelty_factor: float,
) -> InspectParameters:
    """Set both thresholds and the limit of novelty.

    Args:
        readings: of good pictures that nothing was learnt from, by the graph to be shipped.
        frame: size of the pictures.
        detector: what judged them.
        rates: of false rejects, and of good parts left undecided beside.
        novelty_factor: a picture is foreign when it is this many times as novel as any of these.
    """
    limits = calibrate([one.score for one in readings], *rates, "split-conformal")
    return InspectParameters(
        frame=FrameSize.model_validate(
            {"height": frame.height, "width": frame.width, "channels": frame.channels}
        ),
        detector=detector,
        pass_up_to=limits.pass_up_to,
        reject_above=limits.reject_above,
        novelty_above=novelty_factor * max(one.novelty for one in readings),
        asked_rate=limits.asked_rate,
        promised_rate=limits.promised_rate,
        undecided_rate=limits.undecided_rate,
        guarantee=limits.guarantee,
        calibration=limits.scores,
    )


def judged_by_held(parameters: InspectParameters, held: Examples) -> Judged:
    """Hand in pictures held out, good and defective, by which an int8 graph can be judged."""
    good, bad = (
        [held.pictures[place] for place in places[:ENOUGH]]
        for places in (held.good, held.defective)
    )
    return judged_by(parameters, good, bad)


def golden_pair(pixels: Pixels, outputs: dict[str, Array]) -> GoldenPair:
    """Pair a picture with what the trained model itself says of it."""
    return GoldenPair(
        inputs={IMAGE: np.ascontiguousarray(pixels)},
        outputs=outputs,
        absolute=GOLDEN_ABSOLUTE,
        relative=GOLDEN_RELATIVE,
    )
