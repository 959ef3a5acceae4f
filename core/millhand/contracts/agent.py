"""What an agent is: a pure function of what it saw, what it remembers and its models."""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from typing import TYPE_CHECKING, Any, ClassVar, Protocol

from msgspec import Struct

from millhand.contracts.decision import Decision
from millhand.contracts.observation import Observation

if TYPE_CHECKING:
    from numpy.typing import NDArray
    from pydantic import BaseModel


class TriggerKind(StrEnum):
    """The kinds of :data:`~millhand.contracts.triggers.Trigger`, by their wire tags."""

    PART = "part"
    EDGE = "edge"
    TIMER = "timer"
    DOCUMENT = "document"
    EVENT = "event"


class ActionKind(StrEnum):
    """The kinds of :data:`~millhand.contracts.decision.Action`, by their wire tags."""

    WRITE_TAG = "write_tag"
    SEND_DISPOSITION = "send_disposition"
    PERFORM_SKILL = "perform_skill"
    DELIVER_RECORD = "deliver_record"
    PROPOSE = "propose"


class Needs(Struct, frozen=True, kw_only=True):
    """What an agent needs and may ask for, by roles that the scenario binds.

    The scenario binds ``see: {<frame or sample role>: …}``, ``model: …`` and
    ``may: {<action role>: …}``; `millhand check` reports a role left open or unknown.
    """

    triggers: frozenset[TriggerKind]
    frames: frozenset[str] = frozenset()
    samples: frozenset[str] = frozenset()
    optional_samples: frozenset[str] = frozenset()
    documents: frozenset[str] = frozenset()
    events: frozenset[str] = frozenset()
    """Wire tags of event bodies it wants: ``hold/1``."""
    models: frozenset[str] = frozenset()
    actions: dict[str, ActionKind] = {}
    light: bool = False
    """True: no model, microseconds of pure Python; may run inside the engine."""


class Model(Protocol):
    """An opened model: a plain function of arrays."""

    @property
    def package_id(self) -> str: ...
    @property
    def parameters(self) -> Mapping[str, Any]:
        """The manifest's free parameters for the agent (thresholds, class names)."""
        ...

    def __call__(self, **inputs: NDArray[Any]) -> Mapping[str, NDArray[Any]]:
        """Run once. Shapes and dtypes are those of the manifest; a mismatch raises."""
        ...


Models = Mapping[str, Model]
"""The opened models of this decision by role."""


class Agent(Protocol):
    """A sans-I/O agent. Built once in its worker as ``AgentClass(config)``."""

    Config: ClassVar[type[BaseModel]]

    def needs(self) -> Needs:
        """Say what the agent needs; called once, before anything runs."""
        ...

    def decide(self, observation: Observation, models: Models) -> Decision:
        """Answer an observation. Deterministic, touches nothing else, bounded by counts."""
        ...
