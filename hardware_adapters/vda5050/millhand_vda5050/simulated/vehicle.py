"""One simulated vehicle: a state that orders, actions and time change. Pure, no clock, no network.

Driving: constant acceleration up to the least of its own and the edge's speed, braking in time for
the end of the base, for a node with something to do, and for a node that is blocked. The battery
drains by metre and by second.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, field

from msgspec.structs import replace

from millhand_vda5050.model import (
    Action,
    ActionState,
    ActionStatus,
    Ahead,
    Blocking,
    Edge,
    Fault,
    Limits,
    Node,
    OperatingMode,
    Order,
    Position,
    VehicleState,
)
from millhand_vda5050.orders import Fate, Ruling, receive
from millhand_vda5050.simulated.world import Character, Job, World

_ARRIVED_M = 1e-6
_INSTANT_KEPT = 20


@dataclass(slots=True)
class SimulatedVehicle:
    """A vehicle that stands at ``at`` in the beginning."""

    serial: str
    at: str
    place: tuple[float, float]
    world: World
    character: Character = field(default_factory=Character)
    charge: float = 80.0
    map_id: str = "map"
    pace: float = 1.0
    """Simulated seconds in a real one: its factsheet says how fast it is in real ones."""
    # the truth, for tests
    executed: dict[str, int] = field(default_factory=dict)
    """How often each action was carried out."""
    begun: list[tuple[str, int]] = field(default_factory=list)
    """Orders and updates taken, in order."""
    duplicates: int = 0
    """Orders and actions that came again and had no effect."""
    travelled: float = 0.0
    news: bool = True
    """Something happened that fleet control should hear at once."""
    _order: Order | None = None
    _nodes: list[Node] = field(default_factory=list)
    _edges: list[Edge] = field(default_factory=list)
    _last: tuple[str, int] = ("", 0)
    _base_end: Node | None = None
    _gone: float = 0.0
    """Metres from the last node."""
    _speed: float = 0.0
    _paused: bool = False
    _cancelling: str = ""
    _charging: bool = False
    _actions: dict[str, ActionState] = field(default_factory=dict)
    _instant: dict[str, ActionState] = field(default_factory=dict)
    _jobs: list[Job] = field(default_factory=list)
    _loads: list[str] = field(default_factory=list)
    _faults: list[Fault] = field(default_factory=list)
    _waiting_for: str = ""

    def __post_init__(self) -> None:
        self._last = (self.at, 0)
        self.world.enter(self.at, self.serial)

    # --- what fleet control sends ---

    def take_order(self, order: Order) -> Ruling:
        """Take an order, or say why not."""
        ruling = receive(order, self.state(0), self._base_end)
        if ruling.fate is not Fate.REJECTED and (unknown := self._cannot(order)):
            ruling = Ruling(Fate.REJECTED, "orderError", f"cannot {unknown}")
        self.news = True
        match ruling.fate:
            case Fate.DUPLICATE:
                self.duplicates += 1
            case Fate.REJECTED:
                self._complain(ruling.error, ruling.reason, order)
            case Fate.NEW:
                self._begin(order)
            case Fate.UPDATE:
                self._append(order)
        return ruling

    def _cannot(self, order: Order) -> str:
        wanted = {action.action_type for node in order.nodes for action in node.actions}
        return ", ".join(sorted(wanted - self.character.actions))

    def _complain(self, kind: str, text: str, order: Order) -> None:
        self._faults = [one for one in self._faults if one.kind != kind]
        self._faults.append(
            Fault(
                kind=kind,
                level="WARNING",
                text=text,
                references={"orderId": order.order_id, "orderUpdateId": str(order.update_id)},
            )
        )

    def _begin(self, order: Order) -> None:
        self._order = order
        self._actions = {}
        self._faults = []
        self._last = (order.nodes[0].node_id, order.nodes[0].sequence_id)
        self._lay(order)
        self._arrive(order.nodes[0])

    def _append(self, order: Order) -> None:
        assert self._base_end is not None
        first = order.nodes[0]
        self._nodes = [one for one in self._nodes if one.sequence_id <= first.sequence_id]
        self._edges = [one for one in self._edges if one.sequence_id < first.sequence_id]
        self._order = order
        self._lay(order)

    def _lay(self, order: Order) -> None:
        self.begun.append((order.order_id, order.update_id))
        self._nodes += list(order.nodes[1:])
        self._edges += list(order.edges)
        self._base_end = order.base[-1]
        for node in order.nodes:
            for action in node.actions if node.released else ():
                self._actions.setdefault(action.action_id, _waiting(action))

    def take_actions(self, actions: Sequence[Action]) -> None:
        """Take instant actions; one whose id is known has no effect."""
        for action in actions:
            if action.action_id in self._instant:
                self.duplicates += 1
                continue
            self.news = True
            self.executed[action.action_id] = self.executed.get(action.action_id, 0) + 1
            self._instant[action.action_id] = _waiting(action, self._do_now(action))
            while len(self._instant) > _INSTANT_KEPT:
                del self._instant[next(iter(self._instant))]

    def _do_now(self, action: Action) -> ActionStatus:
        match action.action_type:
            case "cancelOrder" if self._order is not None:
                self._cancelling = action.action_id
                return ActionStatus.RUNNING
            case "startPause" | "stopPause":
                self._paused = action.action_type == "startPause"
            case "startCharging" | "stopCharging":
                self._charging = action.action_type == "startCharging"
            case "cancelOrder" | "stateRequest" | "factsheetRequest":
                pass
            case _:
                return ActionStatus.FAILED
        return ActionStatus.FINISHED

    # --- time ---

    def step(self, seconds: float) -> None:
        """Let time pass."""
        moved = self._drive(seconds)
        self._work(seconds)
        if self._cancelling and self._speed == 0:
            self._drop_order()
        self._wear(moved, seconds)

    def _drive(self, seconds: float) -> float:
        """Move along the next edges; return the metres gone."""
        before = self._speed
        target = self._target_speed()
        limit = self.character.acceleration * seconds
        self._speed = min(target, before + limit) if target > before else target
        if self._speed <= 0 or not self._edges:
            self._speed = 0.0
            if before > 0:
                self.news = True
            return 0.0
        if before == 0:
            self.news = True
        left = moved = (before + self._speed) / 2 * seconds
        while left > _ARRIVED_M and self._edges and self._may_enter():
            edge = self._edges[0]
            rest = _length(edge) - self._gone
            if left < rest:
                self._gone += left
                left = 0.0
                break
            left -= rest
            self._pass_edge()
            if self._busy():
                self._speed = 0.0
                break
        self.travelled += moved - left
        return moved - left

    def _target_speed(self) -> float:
        """Return the greatest speed from which it can still stop in time."""
        if self._paused or self._cancelling or self._busy() or self.charge <= 0:
            return 0.0
        if not self._may_enter():
            return 0.0
        distance = -self._gone
        speed = self.character.speed
        for edge, node in zip(self._edges, self._nodes, strict=True):
            if not (edge.released and node.released):
                break
            distance += _length(edge)
            if edge is self._edges[0] and edge.max_speed is not None:
                speed = min(speed, edge.max_speed)
            if node.actions or distance > 50:
                break
        braking = math.sqrt(max(0.0, 2 * self.character.acceleration * distance))
        # In one step it must not crawl for ever just before the node.
        return min(speed, max(braking, 0.1)) if distance > _ARRIVED_M else 0.0

    def _may_enter(self) -> bool:
        """Take the next node, if it is released and free."""
        if not self._edges or not (self._edges[0].released and self._nodes[0].released):
            return False
        node = self._nodes[0].node_id
        if self.world.enter(node, self.serial):
            self._waiting_for = ""
            return True
        if self._waiting_for != node:
            self._waiting_for = node
            self.news = True
            if node not in self.world.blocked:
                self.world.conflicts += 1
        return False

    def _pass_edge(self) -> None:
        node = self._nodes.pop(0)
        edge = self._edges.pop(0)
        self._gone = 0.0
        if edge.start != node.node_id:
            self.world.leave(self._last[0], self.serial)
        self._last = (node.node_id, node.sequence_id)
        if node.x is not None and node.y is not None:
            self.place = (node.x, node.y)
        self.at = node.node_id
        self._charging = False
        self.news = True
        self._arrive(node)

    def _arrive(self, node: Node) -> None:
        for action in node.actions:
            state = self._actions.get(action.action_id)
            if state is not None and state.status is ActionStatus.WAITING:
                handled = action.action_type in ("pick", "drop", "wait")
                self._jobs.append(Job(action, self.character.handling_s if handled else 0.0))

    def _busy(self) -> bool:
        return any(job.action.blocking in (Blocking.HARD, Blocking.SOFT) for job in self._jobs)

    def _work(self, seconds: float) -> None:
        if self._paused or not self._jobs:
            return
        job = self._jobs[0]
        state = self._actions[job.action.action_id]
        if state.status is ActionStatus.WAITING:
            self._note(job.action, ActionStatus.RUNNING)
        job.left_s -= seconds
        if job.left_s <= 0:
            self._jobs.pop(0)
            self._finish(job.action)

    def _finish(self, action: Action) -> None:
        self.executed[action.action_id] = self.executed.get(action.action_id, 0) + 1
        load = str(action.parameters.get("loadId", ""))
        match action.action_type:
            case "pick":
                self._loads.append(load)
            case "drop":
                if load in self._loads:
                    self._loads.remove(load)
                elif self._loads:
                    self._loads.pop()
            case "startCharging":
                stations = self.character.stations
                if stations and self.at not in stations:
                    self._note(action, ActionStatus.FAILED)
                    return
                self._charging = True
            case "stopCharging":
                self._charging = False
        self._note(action, ActionStatus.FINISHED)

    def _note(self, action: Action, status: ActionStatus) -> None:
        self._actions[action.action_id] = replace(self._actions[action.action_id], status=status)
        self.news = True

    def _drop_order(self) -> None:
        for node in self._nodes:
            self.world.leave(node.node_id, self.serial)
        self.world.enter(self._last[0], self.serial)
        self._nodes, self._edges, self._jobs = [], [], []
        self._gone = 0.0  # it rolls back to the node that it came from
        for key, state in self._actions.items():
            if not state.status.ended:
                self._actions[key] = replace(state, status=ActionStatus.FAILED)
        cancelled = self._instant.get(self._cancelling)
        if cancelled is not None:
            self._instant[self._cancelling] = replace(cancelled, status=ActionStatus.FINISHED)
        self._cancelling = ""
        self.news = True

    def _wear(self, moved: float, seconds: float) -> None:
        before = self.charge
        if self._charging:
            self.charge = min(100.0, self.charge + self.character.charge_per_s * seconds)
        else:
            used = self.character.drain_per_m * moved + self.character.drain_per_s * seconds
            self.charge = max(0.0, self.charge - used)
        if before > 0 >= self.charge:
            self._faults.append(Fault(kind="batteryEmpty", level="FATAL"))
            self.news = True

    # --- what it says ---

    @property
    def moving(self) -> bool:
        """Whether it moves."""
        return self._speed > 0

    @property
    def limits(self) -> Limits:
        """Its factsheet."""
        return Limits(
            actions=self.character.actions,
            speed_max=self.character.speed * self.pace,
            load_max=1000.0,
        )

    def state(self, header_id: int) -> VehicleState:
        """Say how it is."""
        waiting = self._waiting_for and Fault(
            kind="blocked", level="WARNING", text=f"waits for {self._waiting_for}"
        )
        return VehicleState(
            header_id=header_id,
            order_id="" if self._order is None else self._order.order_id,
            update_id=0 if self._order is None else self._order.update_id,
            last_node=self._last[0],
            last_sequence=self._last[1],
            driving=self.moving,
            paused=self._paused,
            base_wanted=bool(self._nodes) and not self._nodes[0].released,
            mode=OperatingMode.AUTOMATIC,
            nodes=tuple(Ahead(n.node_id, n.sequence_id, n.released) for n in self._nodes),
            edges=tuple(Ahead(e.edge_id, e.sequence_id, e.released) for e in self._edges),
            actions=(*self._actions.values(), *self._instant.values()),
            position=self._position(),
            loads=tuple(self._loads),
            charge_percent=round(self.charge, 2),
            charging=self._charging,
            faults=(*self._faults, *((waiting,) if waiting else ())),
        )

    def _position(self) -> Position:
        x, y = self.place
        if self._edges and self._gone > 0:
            node, edge = self._nodes[0], self._edges[0]
            if node.x is not None and node.y is not None:
                part = self._gone / _length(edge)
                heading = math.atan2(node.y - y, node.x - x)
                return Position(
                    x=round(x + (node.x - x) * part, 3),
                    y=round(y + (node.y - y) * part, 3),
                    theta=round(heading, 4),
                    map_id=self.map_id,
                )
        return Position(x=round(x, 3), y=round(y, 3), map_id=self.map_id)


def _length(edge: Edge) -> float:
    return edge.length or 1.0


def _waiting(action: Action, status: ActionStatus = ActionStatus.WAITING) -> ActionState:
    return ActionState(action_id=action.action_id, action_type=action.action_type, status=status)
