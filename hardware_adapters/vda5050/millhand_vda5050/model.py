"""What orders and vehicles are, whatever version of the protocol carries them.

Terms are those of VDA 5050: the *base* is the released beginning of an order, the *horizon* its
rest; nodes and edges share one run of sequence ids, nodes even, edges odd.
"""

from __future__ import annotations

from enum import StrEnum
from typing import Any

from msgspec import Struct


class Blocking(StrEnum):
    """What may go on beside an action."""

    NONE = "NONE"
    SOFT = "SOFT"
    """Other actions, but no driving."""
    SINGLE = "SINGLE"
    """Driving, but no other action (3.0)."""
    HARD = "HARD"


class Action(Struct, frozen=True, kw_only=True):
    """Something to do at a node, along an edge, or at once."""

    action_type: str
    action_id: str
    blocking: Blocking = Blocking.HARD
    parameters: dict[str, Any] = {}


class Node(Struct, frozen=True, kw_only=True):
    """A place that an order passes. Position in metres and radians on the map."""

    node_id: str
    sequence_id: int
    released: bool
    x: float | None = None
    y: float | None = None
    theta: float | None = None
    map_id: str = ""
    actions: tuple[Action, ...] = ()


class Edge(Struct, frozen=True, kw_only=True):
    """The way between two nodes of an order. Length in m, speed in m/s."""

    edge_id: str
    sequence_id: int
    released: bool
    start: str
    end: str
    length: float | None = None
    max_speed: float | None = None
    actions: tuple[Action, ...] = ()


class Order(Struct, frozen=True, kw_only=True):
    """An order or the update of one; both are told by their two ids."""

    order_id: str
    update_id: int
    nodes: tuple[Node, ...]
    edges: tuple[Edge, ...] = ()

    @property
    def base(self) -> tuple[Node, ...]:
        """The nodes released."""
        return tuple(node for node in self.nodes if node.released)


class ActionStatus(StrEnum):
    """How far an action is."""

    WAITING = "WAITING"
    INITIALIZING = "INITIALIZING"
    RUNNING = "RUNNING"
    PAUSED = "PAUSED"
    RETRIABLE = "RETRIABLE"
    FINISHED = "FINISHED"
    FAILED = "FAILED"

    @property
    def ended(self) -> bool:
        """Whether nothing will come of it any more."""
        return self in (ActionStatus.FINISHED, ActionStatus.FAILED)


class ActionState(Struct, frozen=True, kw_only=True):
    """How far one action is, as the vehicle says."""

    action_id: str
    action_type: str = ""
    status: ActionStatus
    result: str = ""


class Ahead(Struct, frozen=True):
    """A node or edge that the vehicle has still before it."""

    id: str
    sequence_id: int
    released: bool


class Fault(Struct, frozen=True, kw_only=True):
    """An error that a vehicle reports. ``level`` is WARNING, URGENT, CRITICAL or FATAL."""

    kind: str
    level: str
    text: str = ""
    references: dict[str, str] = {}

    @property
    def stops(self) -> bool:
        """Whether the vehicle cannot go on by itself."""
        return self.level in ("FATAL", "CRITICAL")


class Position(Struct, frozen=True, kw_only=True):
    """Where a vehicle is: m, m, rad on a map."""

    x: float
    y: float
    theta: float = 0.0
    map_id: str = ""
    known: bool = True
    """Whether the vehicle knows where it is."""


class OperatingMode(StrEnum):
    """Who drives. Only ``AUTOMATIC`` and ``SEMIAUTOMATIC`` follow orders."""

    STARTUP = "STARTUP"
    AUTOMATIC = "AUTOMATIC"
    SEMIAUTOMATIC = "SEMIAUTOMATIC"
    INTERVENED = "INTERVENED"
    MANUAL = "MANUAL"
    SERVICE = "SERVICE"
    TEACHIN = "TEACHIN"


class VehicleState(Struct, frozen=True, kw_only=True):
    """What a vehicle says of itself."""

    header_id: int
    sent_utc_ns: int | None = None
    order_id: str
    update_id: int
    last_node: str
    last_sequence: int
    driving: bool
    paused: bool = False
    base_wanted: bool = False
    """The vehicle soon needs more base to go on without stopping."""
    mode: OperatingMode
    nodes: tuple[Ahead, ...] = ()
    edges: tuple[Ahead, ...] = ()
    actions: tuple[ActionState, ...] = ()
    """Of the order and instant ones together."""
    position: Position | None = None
    loads: tuple[str, ...] = ()
    charge_percent: float
    charging: bool
    faults: tuple[Fault, ...] = ()
    emergency_stop: bool = False
    field_violation: bool = False

    @property
    def idle(self) -> bool:
        """Whether its order, if any, is done: nothing ahead, no action under way."""
        return not self.nodes and all(action.status.ended for action in self.actions)


class Presence(StrEnum):
    """Whether a vehicle is at the broker, as its connection topic says."""

    ONLINE = "ONLINE"
    OFFLINE = "OFFLINE"
    HIBERNATING = "HIBERNATING"
    BROKEN = "CONNECTIONBROKEN"
    """The broker's word after the vehicle vanished: its last will."""


class Limits(Struct, frozen=True, kw_only=True):
    """What of a factsheet bounds an order. None: the vehicle does not say."""

    actions: frozenset[str] | None = None
    max_nodes: int | None = None
    max_edges: int | None = None
    max_actions_per_node: int | None = None
    max_id_length: int | None = None
    speed_max: float | None = None
    """In m/s."""
    load_max: float | None = None
    """In kg."""
