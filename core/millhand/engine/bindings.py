"""What the scenario's names come to: targets, records and policies that the engine works with."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from millhand.contracts import (
    ActionKind,
    Disposition,
    MachineAction,
    Mode,
    Needs,
    TriggerKind,
)


class Confirm(StrEnum):
    """How a channel's command is confirmed."""

    ECHO = "echo"
    READBACK = "readback"
    SENSOR = "sensor"
    NONE = "none"


@dataclass(frozen=True, slots=True)
class Target:
    """A device and something in it: ``plc.result``, ``plc.speed``, ``camera``."""

    device: str
    item: str = ""
    name: str = field(init=False, compare=False, repr=False, default="")
    """Both in one: ``plc.result``; written once, asked for many times in a decision."""

    def __post_init__(self) -> None:
        name = f"{self.device}.{self.item}" if self.item else self.device
        object.__setattr__(self, "name", name)

    def __str__(self) -> str:
        return self.name


@dataclass(frozen=True, slots=True)
class ChannelBinding:
    """A command record in a PLC; its tags are ``<item>.part_id``, ``<item>.answers.code``."""

    target: Target
    confirm: Confirm
    default: Disposition
    tick_ns: int
    poll_s: float = 0.004

    @property
    def answers(self) -> bool:
        """Whether the PLC answers each command in its ring."""
        return self.confirm in (Confirm.ECHO, Confirm.SENSOR)

    def tag(self, field_name: str) -> str:
        """Name of one of the record's tags."""
        return f"{self.target.item}.{field_name}"


@dataclass(frozen=True, slots=True)
class LeaseBinding:
    """The lease record of a device, renewed every ``every_s``."""

    device: str
    every_s: float


@dataclass(frozen=True, slots=True)
class Reaction:
    """What happens to the part and to the machine, and whether a person is asked."""

    part: Disposition
    machine: MachineAction = MachineAction.NONE
    review: bool = False
    call: str = ""
    """Who is called; empty for whoever the cell names."""
    within_s: float | None = None
    """How soon they are to respond."""


@dataclass(frozen=True, slots=True)
class AndonPolicy:
    """Who is called where a reaction names nobody, and how soon they are to respond."""

    owner: str = ""
    within_s: float | None = None


@dataclass(frozen=True, slots=True)
class RejectLimit:
    """How many rejects in a row are believed, and what the machine is asked beyond that."""

    more_than: int
    machine: MachineAction


@dataclass(frozen=True, slots=True)
class Jidoka:
    """An agent's reactions when it cannot do its work."""

    unsure: Reaction = Reaction(Disposition.DIVERT, review=True)
    late: Reaction = Reaction(Disposition.REJECT)
    blind: Reaction = Reaction(Disposition.REJECT)
    contradicted: Reaction = Reaction(Disposition.DIVERT, review=True)


@dataclass(frozen=True, slots=True)
class TriggerBinding:
    """What sets the agent to work."""

    kind: TriggerKind
    source: str
    """As in the scenario: ``plc.trigger``, ``plc.count``, ``every 5 min``, ``hold/1``."""
    target: Target | None = None
    every_s: float = 0.0
    event: str = ""


@dataclass(frozen=True, slots=True)
class ModelChoice:
    """The package for one role: one for all, or one for each product."""

    folders: Mapping[str | None, str]
    by: Target | None = None
    """Tag that names the product; None takes the trigger's product."""
    precision: str | None = None


@dataclass(frozen=True, slots=True)
class AgentBinding:
    """One agent of the scenario, ready to be run."""

    name: str
    type_name: str
    needs: Needs
    max_mode: Mode
    triggers: tuple[TriggerBinding, ...]
    frames: Mapping[str, str] = field(default_factory=dict)
    """Role to camera."""
    samples: Mapping[str, Target] = field(default_factory=dict)
    models: Mapping[str, ModelChoice] = field(default_factory=dict)
    actions: Mapping[str, Target] = field(default_factory=dict)
    deadline_ns: int = 0
    queue: int = 8
    latest: bool = False
    jidoka: Jidoka = Jidoka()
    heeds: tuple[str, ...] = ()
    """Agents whose verdict on a part is awaited before it may pass."""
    books: bool = True
    """Whether parts get their one disposition from it: it has a channel for them, or nobody whom
    its triggers wake has one. What another agent says of a part is only said."""

    @property
    def disposition(self) -> Target | None:
        """Where the agent's dispositions go, if it has such a role."""
        for role, kind in self.needs.actions.items():
            if kind is ActionKind.SEND_DISPOSITION and role in self.actions:
                return self.actions[role]
        return None

    @property
    def sees(self) -> bool:
        """Whether anything must be asked of a device before it can decide."""
        by_tag = any(choice.by is not None for choice in self.models.values())
        return bool(self.frames or self.samples or by_tag)

    @property
    def acts_on(self) -> frozenset[str]:
        """The devices that it may act on."""
        return frozenset(target.device for target in self.actions.values())

    @property
    def allowed_targets(self) -> frozenset[str]:
        """All that the scenario lists under ``may``."""
        return frozenset(str(target) for target in self.actions.values())
