"""A bad neighbour: an agent beside the person's own that misbehaves when a file says how."""

from __future__ import annotations

import os
import time
from collections.abc import Sequence
from pathlib import Path

from pydantic import BaseModel, ConfigDict

from millhand.contracts import Decision, Needs, Observation, TriggerKind
from millhand.plugins.hookspecs import hookimpl
from millhand.plugins.registrations import AdapterType, AgentType, Face

NAME = "bad_neighbour"


@hookimpl
def millhand_agents() -> Sequence[AgentType]:
    """Register the intruders; only the attacked process knows this plugin."""
    neighbour = "millhand.attack.neighbour:BadNeighbour"
    walker = "millhand.attack.walker:Walker"
    return [
        AgentType("attack.neighbour", neighbour, "Misbehaves on command."),
        AgentType("attack.walker", walker, "Walks a value to its limit."),
    ]


@hookimpl
def millhand_adapters() -> Sequence[AdapterType]:
    """Register the device of the walker: a value in memory."""
    target = "millhand.attack.setpoint:Setpoint"
    summary = "A value in memory."
    return [AdapterType("attack.setpoint", target, summary, faces=frozenset({Face.TAGS}))]


class NeighbourConfig(BaseModel):
    """Where the neighbour is told how to misbehave."""

    model_config = ConfigDict(frozen=True, extra="forbid")
    switch: Path


class BadNeighbour:
    """Wakes on a timer and does what the switch says: nothing, while the file is not there."""

    Config = NeighbourConfig

    def __init__(self, config: NeighbourConfig) -> None:
        self._switch = config.switch
        self._leaked: list[bytearray] = []

    def needs(self) -> Needs:
        """Ask for a timer and nothing else."""
        return Needs(triggers=frozenset({TriggerKind.TIMER}))

    def decide(self, observation: Observation, models: object) -> Decision:
        """Misbehave."""
        del observation, models
        try:
            order = self._switch.read_text(encoding="utf-8").strip()
        except FileNotFoundError:
            return Decision(reason="quiet")
        match order:
            case "raise":
                raise ZeroDivisionError("by design")
            case "exit":
                os._exit(3)
            case "spin":
                while self._switch.exists():
                    sum(range(1000))
            case "hang":
                time.sleep(3600)
            case "leak":
                self._leaked.append(bytearray(os.urandom(1024) * 65_536))
        return Decision(reason=order)
