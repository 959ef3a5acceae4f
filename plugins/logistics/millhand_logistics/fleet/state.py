"""What dispatch knows: vehicles as they say they are, jobs, and what was asked of whom. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum


class Stage(StrEnum):
    """What a vehicle is on its way to do."""

    NONE = ""
    PICK = "pick"
    DROP = "drop"
    CHARGE = "charge"
    ASIDE = "aside"
    """Out of another one's way."""


@dataclass(frozen=True, slots=True)
class Vehicle:
    """A vehicle as it says it is."""

    name: str
    usable: bool
    """There, automatic, believed, no fatal error, no emergency stop, not paused."""
    node: str
    sequence: int
    order: str
    update: int
    idle: bool
    charge: float
    charging: bool
    known: bool = True
    """Whether it has ever said where it is."""


@dataclass(slots=True)
class Job:
    """A transport order: a load from one node to another."""

    id: str
    pick: str
    drop: str
    priority: int = 0
    vehicle: str = ""
    loaded: bool = False
    waited: int = 0
    """How many rounds it has waited for a vehicle."""


@dataclass(slots=True)
class Plan:
    """What was asked of one vehicle.

    ``ahead`` is the released way that is reserved for it: where it stands, and the nodes of its
    base that it has not reached. The last message sent began at ``ahead[asked_from]``.
    """

    order: str = ""
    update: int = 0
    first: int = 0
    """Sequence id of ``ahead[0]``."""
    goal: str = ""
    stage: Stage = Stage.NONE
    job: str = ""
    ahead: list[str] = field(default_factory=list)
    asked_from: int = 0
    waits: int = 0
    """Rounds without a step towards the goal."""
    tries: int = 0
    """How often the last message was asked for without being shown."""

    @property
    def busy(self) -> bool:
        """Whether it has something to do."""
        return self.stage is not Stage.NONE

    @property
    def complete(self) -> bool:
        """Whether the way is released to its goal."""
        return bool(self.ahead) and self.ahead[-1] == self.goal


@dataclass(frozen=True, slots=True)
class Request:
    """An order, or the update of one, to be handed to a vehicle."""

    vehicle: str
    order: str
    update: int
    path: tuple[str, ...]
    first: int
    action: str = ""
    load: str = ""


@dataclass(frozen=True, slots=True)
class Rules:
    """How a fleet is led. Charge in percent."""

    charge_below: float = 30.0
    """An idle vehicle with less goes to charge."""
    charge_until: float = 80.0
    work_from: float = 50.0
    """A charging vehicle may be given a job from here on."""
    chargers: frozenset[str] = frozenset()
    look_ahead: int = 3
    """Nodes released beyond where it stands: how far it may go unheard."""
    patience: int = 2
    """Rounds that a vehicle waits for a node before it looks for a way around."""
    tries: int = 5
    """Rounds that a vehicle may take to show what was asked of it."""
    metres_for_priority: float = 50.0
    metres_for_wait: float = 1.0
    blocked: frozenset[str] = frozenset()


@dataclass(slots=True)
class Book:
    """What dispatch remembers from round to round."""

    prefix: str
    number: int = 0
    plans: dict[str, Plan] = field(default_factory=dict)
    jobs: dict[str, Job] = field(default_factory=dict)
    answered: dict[str, str] = field(default_factory=dict)
    """Transports of a shop's list that are over: empty where delivered, else why not."""

    def next_order(self) -> str:
        """Return an order id that was never used."""
        self.number += 1
        return f"{self.prefix}{self.number}"


@dataclass(slots=True)
class Round:
    """What one look at the fleet led to."""

    requests: list[Request] = field(default_factory=list)
    done: list[Job] = field(default_factory=list)
    given: list[tuple[str, str]] = field(default_factory=list)
    """Job and vehicle."""
    returned: list[tuple[str, str, str]] = field(default_factory=list)
    """Job, vehicle and why it was taken from it again."""
    stuck: dict[str, str] = field(default_factory=dict)
    """Vehicle to why it does not get on."""


Vehicles = Mapping[str, Vehicle]
