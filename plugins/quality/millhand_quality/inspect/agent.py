"""The agent ``quality.inspect``: judges a part by a picture, taught by good parts."""

from __future__ import annotations

from typing import ClassVar

import numpy as np
from numpy.typing import NDArray

from millhand.contracts import (
    ActionKind,
    Decision,
    Frame,
    HeatMap,
    Model,
    Models,
    Needs,
    Nonconformance,
    Observation,
    PartTrigger,
    TriggerKind,
    Verdict,
)
from millhand.messages import tr
from millhand_quality.inspect.config import InspectConfig
from millhand_quality.inspect.judge import judge
from millhand_quality.inspect.parameters import InspectParameters, read_parameters
from millhand_quality.inspect.threshold import p_value

FRAME, MODEL, DISPOSITION = "frame", "model", "disposition"
"""Roles that the scenario binds."""
AT_THRESHOLD = 128
"""Where the rejecting score lies in a heat map's 0 to 255."""


class InspectAgent:
    """Judges one picture of each part by a model fitted on good parts.

    The engine sends the disposition that follows from the verdict; the agent asks for no action.
    Reads one frame, one model; keeps no memory.
    """

    Config: ClassVar[type[InspectConfig]] = InspectConfig

    def __init__(self, config: InspectConfig) -> None:
        self._config = config
        self._parameters: dict[str, InspectParameters] = {}

    def needs(self) -> Needs:
        """One frame and one model for each part, one channel for the disposition."""
        return Needs(
            triggers=frozenset({TriggerKind.PART}),
            frames=frozenset({FRAME}),
            models=frozenset({MODEL}),
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
        used = {MODEL: model.package_id}
        if frame is None:
            return _undecidable(tr("There is no picture of this part."), used)
        parameters = self._parameters_of(model)
        misfit = _misfit(frame, parameters)
        if misfit:
            return _undecidable(misfit, used)
        return self._inspect(observation, frame, model, parameters)

    def _inspect(
        self, observation: Observation, frame: Frame, model: Model, parameters: InspectParameters
    ) -> Decision:
        outputs = model(image=np.ascontiguousarray(frame.pixels))
        score, novelty = float(outputs["score"][0]), float(outputs["novelty"][0])
        verdict, reason = judge(parameters, score, novelty)
        heat = outputs["heat"]
        return Decision(
            verdict=verdict,
            reason=reason,
            scores=_scores(parameters, score, novelty),
            events=self._events(observation, frame, verdict, score, parameters),
            explanations=(heat_map(heat, parameters.reject_above),)
            if self._config.heat_map
            else (),
            models={MODEL: model.package_id},
        )

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
