"""The agent ``quality.signals``: names the kind of a measured curve, or says that it cannot."""

from __future__ import annotations

import math
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray

from millhand.contracts import (
    Decision,
    Models,
    Needs,
    Observation,
    TriggerKind,
)
from millhand.messages import tr
from millhand_quality.classify.naming import name_kind
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
        found = name_kind(model(**{SIGNAL: curve})[PROBABILITIES], wanted)
        return Decision(
            confidence=found.confidence,
            reason=found.reason,
            scores=found.scores,
            events=(found.event(CURVE_NAMED, observation),),
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
