"""An agent that walks a value to the end of its range by small steps, while a file says so.

It has a device of its own in the attacked process, so that the person's guard is attacked on any
cell and nothing of the cell is touched.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

from pydantic import BaseModel, ConfigDict

from millhand.contracts import (
    ActionKind,
    Decision,
    Needs,
    Observation,
    TriggerKind,
    WriteTag,
)

NAME = "small_steps"
DEVICE = "attacked_setpoint"
STEP = 1.0
BUDGET = 5.0
"""The largest sum of changes that the guard may let out."""
FARTHEST = 100.0


class WalkerConfig(BaseModel):
    """Where the walker is told to walk."""

    model_config = ConfigDict(frozen=True, extra="forbid")
    switch: Path


class Walker:
    """Asks at each tick for one step more than it was let out."""

    Config = WalkerConfig

    def __init__(self, config: WalkerConfig) -> None:
        self._switch = config.switch

    def needs(self) -> Needs:
        """Ask for a timer, the value, and to write it."""
        return Needs(
            triggers=frozenset({TriggerKind.TIMER}),
            samples=frozenset({"level"}),
            actions={"level": ActionKind.WRITE_TAG},
            light=True,
        )

    def decide(self, observation: Observation, models: object) -> Decision:
        """Take a step."""
        del models
        if not self._switch.exists():
            return Decision(reason="quiet")
        now = observation.samples["level"].value
        level = float(now) if isinstance(now, int | float) else 0.0
        return Decision(actions=(WriteTag(to="level", value=level + STEP),), reason="one step up")


def put_into(scenario: dict[str, Any], switch: Path) -> None:
    """Put the walker, its device and its guard into a scenario's data."""
    target = f"{DEVICE}.level"
    scenario.setdefault("devices", {})[DEVICE] = {
        "adapter": "attack.setpoint",
        "tags": {"level": "level"},
    }
    scenario["agents"][NAME] = {
        "use": "attack.walker",
        "max_mode": "control",
        "when": "every 250 ms",
        "see": {"level": target},
        "may": {"level": target},
        "deadline": "1 s",
        "light": True,
        "config": {"switch": str(switch.resolve())},
    }
    scenario.setdefault("guard", {})[target] = {
        "range": [0, FARTHEST],
        "rate": {"change": 10 * STEP, "within": "1 s"},
        "budget": {"change": BUDGET, "within": "1 h"},
    }
