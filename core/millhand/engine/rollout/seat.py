"""Where an agent sits with its models: a thinker and the packages that are open in it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Protocol

import msgspec

from millhand.contracts import Decision, Observation
from millhand.engine.thinking import Thinker
from millhand.engine.work import Work
from millhand.isolate.messages import OpenedAgent
from millhand.journal.records import Cause


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


class Beside(Protocol):
    """A second model beside the live one: :class:`~millhand.engine.rollout.rollout.Rollout`."""

    def chosen(self, work: Work, observation: Observation) -> Seat | None:
        """Return where this one is decided, if not in the live seat."""
        ...

    def watch(self, work: Work, observation: Observation, decision: Decision, cause: Cause) -> bool:
        """Learn how the live model has decided; say whether the other one decides it too."""
        ...

    def fell(self, seat: Seat, reason: str) -> None:
        """Learn that what was chosen gave no answer."""
        ...

    def is_other(self, packages: Mapping[str, str]) -> bool:
        """Whether these packages are open in the other seat."""
        ...
