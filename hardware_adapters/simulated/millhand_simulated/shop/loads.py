"""Where each order's load is in a shop with vehicles, and which transports are asked for. Pure.

A load is at the machine that worked on it last, or on its way. An order's first material lies at
whatever machine needs it first.
"""

from __future__ import annotations

from dataclasses import dataclass, field


@dataclass(slots=True)
class Transport:
    """A load that is to be brought from one machine to another."""

    id: str
    order: str
    pick: str
    drop: str
    asked: float
    """Seconds after the opening."""


@dataclass(slots=True)
class Loads:
    """The loads of one shop."""

    at: dict[str, str] = field(default_factory=dict)
    """Order to the machine where its load is."""
    brought: dict[str, str] = field(default_factory=dict)
    """Order to the machine that its load was brought to and that has not begun with it."""
    wanted: dict[str, Transport] = field(default_factory=dict)
    """Transports that are asked for or under way, by id."""
    refused: dict[str, str] = field(default_factory=dict)
    """Why fleet control refused a transport, by id."""
    done: int = 0
    waited_s: float = 0.0
    """From a transport's being asked for to its arrival, added up."""
    _count: dict[str, int] = field(default_factory=dict)

    def there(self, order: str, machine: str) -> bool:
        """Whether an order's load is at a machine, to be worked on."""
        return not self.moving(order) and self.at.get(order, machine) == machine

    def moving(self, order: str) -> bool:
        """Whether a transport was asked for an order's load and has not arrived."""
        return any(one.order == order for one in self.wanted.values())

    def bound(self) -> dict[str, str]:
        """Return each order whose load was brought or is on its way, with the machine."""
        return self.brought | {one.order: one.drop for one in self.wanted.values()}

    def begin(self, order: str) -> None:
        """Take note that a machine begins with an order's load."""
        self.brought.pop(order, None)

    def want(self, order: str, machine: str, now: float) -> None:
        """Ask for an order's load at a machine, unless it is there or on its way somewhere."""
        place = self.at.get(order, machine)
        if place == machine or self.moving(order):
            return
        self.brought.pop(order, None)
        number = self._count[order] = self._count.get(order, 0) + 1
        name = f"{order}.{number}"
        self.wanted[name] = Transport(name, order, place, machine, now)

    def arrive(self, name: str, now: float) -> None:
        """Take note that a transport is done; one that is not known changes nothing."""
        transport = self.wanted.pop(name, None)
        if transport is None:
            return
        self.at[transport.order] = self.brought[transport.order] = transport.drop
        self.done += 1
        self.waited_s += now - transport.asked

    def refuse(self, name: str, why: str) -> None:
        """Take note that nobody will carry it: the load stays, and the refusal is told."""
        if name in self.wanted:
            self.refused[name] = why
