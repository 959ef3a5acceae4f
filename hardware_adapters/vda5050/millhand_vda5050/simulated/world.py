"""What kind of vehicles there are, and what they share."""

from __future__ import annotations

from dataclasses import dataclass

from millhand_vda5050.model import Action


@dataclass(frozen=True, slots=True)
class Character:
    """What kind of vehicle it is. SI units, percent."""

    speed: float = 1.5
    acceleration: float = 0.8
    drain_per_m: float = 0.01
    drain_per_s: float = 0.0005
    charge_per_s: float = 0.5
    handling_s: float = 5.0
    """How long picking or dropping takes."""
    actions: frozenset[str] = frozenset({"pick", "drop", "startCharging", "stopCharging", "wait"})
    stations: frozenset[str] = frozenset()
    """Nodes where it can charge; empty: anywhere."""


class World:
    """What vehicles share: who stands where, and what is blocked."""

    def __init__(self) -> None:
        self.blocked: set[str] = set()
        self.holders: dict[str, str] = {}
        """Node to the vehicle that stands on it or drives to it."""
        self.conflicts = 0
        """How often a vehicle had to brake because another one held its next node."""

    def enter(self, node: str, serial: str) -> bool:
        """Take a node; return whether it was free."""
        if node in self.blocked or self.holders.get(node, serial) != serial:
            return False
        self.holders[node] = serial
        return True

    def leave(self, node: str, serial: str) -> None:
        """Give a node back."""
        if self.holders.get(node) == serial:
            del self.holders[node]


@dataclass(slots=True)
class Job:
    """An action that is under way."""

    action: Action
    left_s: float
