"""Where an agent sits with its models: a thinker and the packages that are open in it."""

from __future__ import annotations

from dataclasses import dataclass

import msgspec

from millhand.contracts import Observation
from millhand.engine.thinking import Thinker
from millhand.isolate.messages import OpenedAgent


@dataclass(slots=True)
class Seat:
    """A thinker, and what is open in it for one agent."""

    thinker: Thinker
    opened: OpenedAgent

    def pinned(self, observation: Observation) -> Observation:
        """Return the observation with the packages that are open here."""
        packages = self.opened.packages
        models = {
            role: packages.get(f"{role}.{observation.product}", packages.get(role, package))
            for role, package in observation.models.items()
        }
        return msgspec.structs.replace(observation, models=models)
