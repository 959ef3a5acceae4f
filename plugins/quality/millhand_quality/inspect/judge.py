"""From score and novelty to a verdict: the same rule for the agent and the command line."""

from __future__ import annotations

from millhand.contracts import Verdict
from millhand.messages import tr
from millhand_quality.inspect.parameters import InspectParameters
from millhand_quality.inspect.threshold import p_value


def judge(parameters: InspectParameters, score: float, novelty: float) -> tuple[Verdict, str]:
    """Return the verdict and one line of why.

    A picture that differs as a whole (lamp off, another product, camera moved) is not decidable,
    whatever its score: a part must not be scrapped for the camera's fault. A score that is no
    number is not decidable either.
    """
    if not (score == score and novelty == novelty):
        return Verdict.NOT_DECIDABLE, tr("The model gave no number.")
    limits = {"score": f"{score:.3g}", "limit": f"{parameters.reject_above:.3g}"}
    if novelty > parameters.novelty_above:
        return Verdict.NOT_DECIDABLE, tr(
            "The whole picture differs from all good ones ({novelty} above {limit}): "
            "look at lamp, camera and product.",
            novelty=f"{novelty:.3g}",
            limit=f"{parameters.novelty_above:.3g}",
        )
    if score > parameters.reject_above:
        return Verdict.NOT_OK, tr("Score {score} is above {limit}.", **limits)
    if score > parameters.pass_up_to:
        return Verdict.NOT_DECIDABLE, tr(
            "Score {score} lies between {low} and {limit}.",
            low=f"{parameters.pass_up_to:.3g}",
            **limits,
        )
    return Verdict.OK, tr("Score {score} is within {limit}.", **limits)


def ordinary(parameters: InspectParameters, score: float, novelty: float) -> float:
    """Return the share of good parts held out that look no better: 1 is the most ordinary.

    It is the part's conformal p-value; 0 where the model would not call it good anyway.
    """
    if judge(parameters, score, novelty)[0] is not Verdict.OK:
        return 0.0
    return p_value(parameters.calibration, score)
