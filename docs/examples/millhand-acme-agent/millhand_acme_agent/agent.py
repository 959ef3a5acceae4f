"""The agent ``acme.checkweigher``."""

from __future__ import annotations

from typing import ClassVar

from millhand.contracts import (
    ActionKind,
    Decision,
    Highlight,
    Memory,
    Models,
    Needs,
    Nonconformance,
    Observation,
    PartTrigger,
    Sample,
    TriggerKind,
    Verdict,
)
from millhand_acme_agent.config import CheckweigherConfig

WEIGHT = "weight"


class Checkweigher:
    """Judges a part by its weight and remembers the mean of the good ones."""

    Config: ClassVar[type[CheckweigherConfig]] = CheckweigherConfig

    def __init__(self, config: CheckweigherConfig) -> None:
        self._config = config

    def needs(self) -> Needs:
        """One weight for each part, one channel for the disposition."""
        return Needs(
            triggers=frozenset({TriggerKind.PART}),
            samples=frozenset({WEIGHT}),
            actions={"disposition": ActionKind.SEND_DISPOSITION},
            light=True,
        )

    def decide(self, observation: Observation, models: Models) -> Decision:
        """Judge one part; not decidable without a good weight, or too near to a limit."""
        del models  # it needs none
        weight_g = _number(observation.samples[WEIGHT])
        if weight_g is None:
            return Decision(verdict=Verdict.NOT_DECIDABLE, reason="The scale gave no weight.")
        verdict = self._verdict(abs(weight_g - self._config.nominal_g))
        return Decision(
            verdict=verdict,
            reason=f"{weight_g:.1f} g, {weight_g - self._config.nominal_g:+.1f} g from nominal",
            scores={"weight_g": weight_g},
            events=self._events(observation, weight_g) if verdict is Verdict.NOT_OK else (),
            explanations=(Highlight(fields={"weight in g": weight_g}),),
            memory=_remember(observation.memory, weight_g) if verdict is Verdict.OK else None,
        )

    def _verdict(self, deviation_g: float) -> Verdict:
        if deviation_g <= self._config.tolerance_g - self._config.uncertainty_g:
            return Verdict.OK
        if deviation_g > self._config.tolerance_g + self._config.uncertainty_g:
            return Verdict.NOT_OK
        return Verdict.NOT_DECIDABLE

    def _events(self, observation: Observation, weight_g: float) -> tuple[Nonconformance, ...]:
        trigger = observation.trigger
        if not isinstance(trigger, PartTrigger):
            return ()
        return (
            Nonconformance(
                part_id=trigger.part_id,
                product=observation.product,
                characteristic="weight",
                measured=weight_g,
                limit=self._config.tolerance_g,
            ),
        )


def _number(sample: Sample) -> float | None:
    if not sample.good or isinstance(sample.value, bool):
        return None
    return float(sample.value) if isinstance(sample.value, int | float) else None


def _remember(memory: Memory, weight_g: float) -> Memory:
    """Return the memory with one more good part in its mean."""
    count, mean_g = memory.get("count", 0), memory.get("mean_g", 0.0)
    assert isinstance(count, int)
    assert isinstance(mean_g, int | float)
    return {"count": count + 1, "mean_g": mean_g + (weight_g - mean_g) / (count + 1)}
