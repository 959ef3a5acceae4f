"""An agent that asks for transports, one in each tick of its timer, until it has no more."""

from __future__ import annotations

from typing import ClassVar

from pydantic import BaseModel, ConfigDict

from millhand.contracts import CustomEvent, Decision, Models, Needs, Observation, TriggerKind


class PlannerConfig(BaseModel):
    """Which transports."""

    model_config = ConfigDict(extra="forbid", frozen=True)
    transports: list[list[str]]


class TransportPlanner:
    """Asks for its transports in order."""

    Config: ClassVar[type[BaseModel]] = PlannerConfig

    def __init__(self, config: PlannerConfig) -> None:
        self._transports = config.transports

    def needs(self) -> Needs:
        return Needs(triggers=frozenset({TriggerKind.TIMER}), light=True)

    def decide(self, observation: Observation, models: Models) -> Decision:
        asked = observation.memory.get("asked", 0)
        assert isinstance(asked, int)
        if asked >= len(self._transports):
            return Decision()
        name, pick, drop = self._transports[asked]
        event = CustomEvent(
            name="logistics.transport", data={"id": name, "pick": pick, "drop": drop}
        )
        return Decision(events=(event,), memory={"asked": asked + 1})
