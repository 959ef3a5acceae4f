"""Two agents that decide at once, so that only the engine is measured."""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict

from millhand.contracts import (
    ActionKind,
    Decision,
    Models,
    Needs,
    Observation,
    TagEdge,
    TriggerKind,
    Verdict,
    WriteTag,
)
from millhand.plugins import hookimpl
from millhand.plugins.registrations import AdapterType, AgentType, Face


class NoConfig(BaseModel):
    """Nothing to set."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class Passes:
    """Lets every part pass."""

    Config = NoConfig

    def __init__(self, config: NoConfig) -> None:
        del config

    def needs(self) -> Needs:
        """One channel."""
        return Needs(
            triggers=frozenset({TriggerKind.PART}),
            actions={"disposition": ActionKind.SEND_DISPOSITION},
            light=True,
        )

    def decide(self, observation: Observation, models: Models) -> Decision:
        """Pass."""
        del observation, models
        return Decision(verdict=Verdict.OK)


class Echoes:
    """Writes a changed tag's value to another."""

    Config = NoConfig

    def __init__(self, config: NoConfig) -> None:
        del config

    def needs(self) -> Needs:
        """One tag to write."""
        return Needs(
            triggers=frozenset({TriggerKind.EDGE}),
            actions={"answer": ActionKind.WRITE_TAG},
            light=True,
        )

    def decide(self, observation: Observation, models: Models) -> Decision:
        """Echo."""
        del models
        assert isinstance(observation.trigger, TagEdge)
        return Decision(actions=(WriteTag(to="answer", value=observation.trigger.now.value),))


class BenchmarkPlugin:
    """Registers the two, and the controller in memory."""

    @hookimpl
    def millhand_agents(self) -> list[AgentType]:
        """The two agents."""
        return [
            AgentType("benchmark.passes", "benchmark_agents:Passes", "passes"),
            AgentType("benchmark.echoes", "benchmark_agents:Echoes", "echoes"),
        ]

    @hookimpl
    def millhand_adapters(self) -> list[AdapterType]:
        """The controller in memory."""
        target = "millhand.testing.memory:MemoryTags"
        return [AdapterType("memory", target, "in memory", faces=frozenset({Face.TAGS}))]
