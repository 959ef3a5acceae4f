"""The agent ``quality.signals``: names the kind of a measured curve, or says that it cannot."""

from __future__ import annotations

import math
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray

from millhand.contracts import (
    CustomEvent,
    Decision,
    Models,
    Needs,
    Observation,
    PartTrigger,
    TriggerKind,
)
from millhand.messages import tr
from millhand_quality.signals.config import SignalsConfig
from millhand_quality.signals.parameters import (
    PROBABILITIES,
    SIGNAL,
    CurveParameters,
    read_parameters,
)

CURVES = "curves"
"""Role of the model that the scenario binds."""
CURVE_NAMED = "quality.curve_named"
"""Event: of what kind a curve is; ``kind`` is empty where it abstains."""


class SignalsAgent:
    """Names a kind for each curve. Judges no part, asks for no action, keeps no memory.

    It abstains below the confidence that its package has proven.
    """

    Config: ClassVar[type[SignalsConfig]] = SignalsConfig

    def __init__(self, config: SignalsConfig) -> None:
        self._config = config
        self._known: dict[str, CurveParameters] = {}

    def needs(self) -> Needs:
        """One array for each channel, and a model."""
        return Needs(
            triggers=frozenset({TriggerKind.PART, TriggerKind.EDGE, TriggerKind.TIMER}),
            samples=frozenset(self._config.channels),
            models=frozenset({CURVES}),
        )

    def decide(self, observation: Observation, models: Models) -> Decision:
        """Name the kind of the curve.

        Raises:
            PackageError: the model's package is not for this agent.
        """
        model = models.get(CURVES)
        if model is None:
            return Decision(reason=tr("There is no model of this curve."))
        used = {CURVES: model.package_id}
        if model.package_id not in self._known:
            self._known[model.package_id] = read_parameters(model.parameters)
        wanted = self._known[model.package_id]
        curve = _curve(observation, self._config.channels)
        if curve is None:
            return Decision(reason=tr("There is no good curve of this part."), models=used)
        if curve.shape != (wanted.channels, wanted.length):
            return Decision(
                reason=tr(
                    "The curve has {channels} channels of {length} values, the model wants "
                    "{other} of {values}.",
                    channels=curve.shape[0],
                    length=curve.shape[1],
                    other=wanted.channels,
                    values=wanted.length,
                ),
                models=used,
            )
        shares = model(**{SIGNAL: curve})[PROBABILITIES]
        place = int(shares.argmax())
        sure, kind = float(shares[place]), wanted.classes[place]
        answered = sure >= wanted.answer_from
        return Decision(
            confidence=sure if answered else None,
            reason=_words(kind, sure, wanted, answered=answered),
            scores={
                f"p_{name}": float(share)
                for name, share in zip(wanted.classes, shares, strict=True)
            },
            events=(_event(observation, kind if answered else "", sure),),
            models=used,
        )


def _curve(observation: Observation, channels: tuple[str, ...]) -> NDArray[np.float32] | None:
    """Return ``(channels, length)``; None where one is not good or is of another length."""
    rows = []
    for name in channels:
        sample = observation.samples.get(name)
        if sample is None or not sample.good or not isinstance(sample.value, list):
            return None
        row = [value for value in sample.value if _number(value)]
        if not row or len(row) != len(sample.value):
            return None
        rows.append(row)
    if len({len(row) for row in rows}) != 1:
        return None
    return np.array(rows, np.float32)


def _number(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)


def _words(kind: str, sure: float, wanted: CurveParameters, *, answered: bool) -> str:
    share = f"{100 * sure:.0f}"
    if answered:
        return tr("{kind}, {share} % sure", kind=kind, share=share)
    if wanted.answer_from > 1:
        return tr("No kind is named: the package has proven no error rate.")
    return tr("It cannot tell the kind: perhaps {kind}, {share} % sure.", kind=kind, share=share)


def _event(observation: Observation, kind: str, sure: float) -> CustomEvent:
    trigger = observation.trigger
    part = trigger.part_id if isinstance(trigger, PartTrigger) else ""
    return CustomEvent(
        name=CURVE_NAMED,
        data={
            "part": part,
            "product": observation.product or "",
            "kind": kind or None,
            "confidence": sure,
        },
    )
