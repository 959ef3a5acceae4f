"""The agent ``quality.inspect``: judges a part by a picture, taught by good parts."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

import msgspec
import numpy as np
from numpy.typing import NDArray

from millhand.contracts import (
    ActionKind,
    Decision,
    Frame,
    HeatMap,
    Highlight,
    Model,
    Models,
    Needs,
    Nonconformance,
    Observation,
    PartTrigger,
    TriggerKind,
    Value,
    Verdict,
)
from millhand.messages import tr
from millhand_quality.inspect.config import InspectConfig
from millhand_quality.inspect.detector import COUNTS, HEAT, NOVELTY, SCORE
from millhand_quality.inspect.judge import judge, ordinary
from millhand_quality.inspect.parameters import InspectParameters, read_parameters
from millhand_quality.inspect.reference.boxes import boxes
from millhand_quality.inspect.threshold import p_value

FRAME, MODEL, QUICK, DISPOSITION = "frame", "model", "quick", "disposition"
"""Roles that the scenario binds."""
MOST_BOXES = 20
"""Shown of a part; the strongest come first."""
AT_THRESHOLD = 128
"""Where the rejecting score lies in a heat map's 0 to 255."""


@dataclass(frozen=True, slots=True)
class QuickAnswer:
    """What the quick model of a cascade says, before the other is asked."""

    package_id: str
    parameters: InspectParameters
    outputs: Mapping[str, NDArray[Any]]
    share: float
    """Of good parts held out that look no better."""
    clears: bool

    def beside(self, decision: Decision) -> Decision:
        """Return the decision with what the quick model said, so that the record shows both."""
        return msgspec.structs.replace(
            decision,
            scores={**decision.scores, "quick": self.share},
            models={**decision.models, QUICK: self.package_id},
        )


class InspectAgent:
    """Judges one picture of each part by a model fitted on good parts.

    The engine sends the disposition that follows from the verdict; the agent asks for no action.
    Reads one frame, and one model or a cascade of two; keeps no memory.
    """

    Config: ClassVar[type[InspectConfig]] = InspectConfig

    def __init__(self, config: InspectConfig) -> None:
        self._config = config
        self._parameters: dict[str, InspectParameters] = {}

    def needs(self) -> Needs:
        """One frame and one model for each part, one channel for the disposition.

        With ``clear_from`` a second model, which is asked first.
        """
        return Needs(
            triggers=frozenset({TriggerKind.PART}),
            frames=frozenset({FRAME}),
            models=frozenset({MODEL} if self._config.clear_from is None else {MODEL, QUICK}),
            actions={DISPOSITION: ActionKind.SEND_DISPOSITION},
        )

    def decide(self, observation: Observation, models: Models) -> Decision:
        """Judge the frame; not decidable where it is missing or of another size.

        Raises:
            PackageError: the model's package is not for this agent.
        """
        model = models.get(MODEL)
        frame = observation.frames.get(FRAME)
        if model is None:
            return _undecidable(tr("There is no model for this product."), {})
        quick = self._ask_quick(frame, models.get(QUICK))
        if quick is not None and quick.clears:
            return self._cleared(quick)
        used = {MODEL: model.package_id}
        if frame is None:
            return _undecidable(tr("There is no picture of this part."), used)
        parameters = self._parameters_of(model)
        misfit = _misfit(frame, parameters)
        if misfit:
            return _undecidable(misfit, used)
        decision = self._inspect(observation, frame, model, parameters)
        return decision if quick is None else quick.beside(decision)

    def _ask_quick(self, frame: Frame | None, model: Model | None) -> QuickAnswer | None:
        """Ask the quick model, where there is one and it can judge the frame."""
        least = self._config.clear_from
        if least is None or model is None or frame is None:
            return None
        parameters = self._parameters_of(model)
        if _misfit(frame, parameters):
            return None
        outputs = model(image=np.ascontiguousarray(frame.pixels))
        score, novelty = float(outputs[SCORE][0]), float(outputs[NOVELTY][0])
        share = ordinary(parameters, score, novelty)
        return QuickAnswer(model.package_id, parameters, outputs, share, share >= least)

    def _cleared(self, quick: QuickAnswer) -> Decision:
        score, novelty = (float(quick.outputs[name][0]) for name in (SCORE, NOVELTY))
        return quick.beside(
            Decision(
                verdict=Verdict.OK,
                reason=tr(
                    "Cleared by the quick model: {share} of good parts look no better.",
                    share=f"{quick.share:.0%}",
                ),
                scores=_scores(quick.parameters, score, novelty),
                explanations=self._explanations(quick.outputs, quick.parameters),
            )
        )

    def _inspect(
        self, observation: Observation, frame: Frame, model: Model, parameters: InspectParameters
    ) -> Decision:
        outputs = model(image=np.ascontiguousarray(frame.pixels))
        score, novelty = float(outputs[SCORE][0]), float(outputs[NOVELTY][0])
        verdict, reason = judge(parameters, score, novelty)
        return Decision(
            verdict=verdict,
            reason=reason,
            scores=_scores(parameters, score, novelty),
            events=self._events(observation, frame, verdict, score, parameters),
            explanations=self._explanations(outputs, parameters),
            models={MODEL: model.package_id},
        )

    def _explanations(
        self, outputs: Mapping[str, NDArray[Any]], parameters: InspectParameters
    ) -> tuple[HeatMap | Highlight, ...]:
        """Return a heat map where the scenario wants one, and boxes where the model gives them."""
        shown: list[HeatMap | Highlight] = []
        if self._config.heat_map:
            shown.append(heat_map(outputs[HEAT], parameters.reject_above))
        if COUNTS in outputs:
            found = boxes(outputs[COUNTS], parameters.reject_above)[:MOST_BOXES]
            named: dict[str, Value] = {
                tr("spot {number}", number=n): str(box) for n, box in enumerate(found, 1)
            }
            shown.extend((Highlight(fields=named),) if named else ())
        return tuple(shown)

    def _events(
        self,
        observation: Observation,
        frame: Frame,
        verdict: Verdict,
        score: float,
        parameters: InspectParameters,
    ) -> tuple[Nonconformance, ...]:
        trigger = observation.trigger
        if (
            verdict is not Verdict.NOT_OK
            or not self._config.report_nonconformance
            or not isinstance(trigger, PartTrigger)
        ):
            return ()
        return (
            Nonconformance(
                part_id=trigger.part_id,
                product=observation.product,
                lot=observation.lot,
                characteristic=parameters.characteristic,
                measured=score,
                limit=parameters.reject_above,
                evidence=(frame.ref.sha256,),
            ),
        )

    def _parameters_of(self, model: Model) -> InspectParameters:
        """Read a package's parameters once; without abstention both thresholds are one."""
        found = self._parameters.get(model.package_id)
        if found is None:
            found = read_parameters(model.parameters)
            if not self._config.abstain:
                found = found.model_copy(update={"pass_up_to": found.reject_above})
            self._parameters[model.package_id] = found
        return found


def _undecidable(reason: str, models: dict[str, str]) -> Decision:
    return Decision(verdict=Verdict.NOT_DECIDABLE, reason=reason, models=models)


def _misfit(frame: Frame, parameters: InspectParameters) -> str:
    """Say in a line why a frame cannot be judged; empty where it can."""
    ref, wanted = frame.ref, parameters.frame
    if (ref.height, ref.width, ref.channels) == (wanted.height, wanted.width, wanted.channels):
        return ""
    return tr(
        "The picture is {width}x{height} with {channels} channels; the model was fitted on "
        "{wanted_width}x{wanted_height} with {wanted_channels}.",
        width=ref.width,
        height=ref.height,
        channels=ref.channels,
        wanted_width=wanted.width,
        wanted_height=wanted.height,
        wanted_channels=wanted.channels,
    )


def _scores(parameters: InspectParameters, score: float, novelty: float) -> dict[str, float]:
    """Return the figures behind the verdict, those that are numbers."""
    found = {
        "score": score,
        "limit": parameters.reject_above,
        "novelty": novelty,
        "p_good": p_value(parameters.calibration, score),
    }
    return {name: value for name, value in found.items() if np.isfinite(value)}


def heat_map(heat: NDArray[np.float32], limit: float) -> HeatMap:
    """Scale a map so that a cell that alone would reject is :data:`AT_THRESHOLD`."""
    rows, columns = heat.shape
    scaled = np.nan_to_num(heat * np.float32(AT_THRESHOLD / max(limit, 1e-6)), nan=255.0)
    values = np.clip(np.rint(scaled), 0, 255).astype(np.uint8)
    return HeatMap(
        frame=FRAME, rows=rows, columns=columns, values=values.tobytes(), at_threshold=AT_THRESHOLD
    )
