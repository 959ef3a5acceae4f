"""What fleet control knows of one vehicle, and whether to believe it. Pure but for the clock given.

Messages may be lost, repeated, late, or false. The header ids of a topic count up by one: a gap
is counted, a repetition and a late message are dropped. A count that falls back together with a
*newer* timestamp is a vehicle that began anew.
"""

from __future__ import annotations

import math
from collections import deque
from dataclasses import dataclass, field

from millhand.messages import tr
from millhand_vda5050.model import Limits, Order, Position, Presence, VehicleState

_WRAP = 2**32
_HALF = 2**31
_JUMP_M = 3.0
"""A position may be wrong by this much before it counts as a jump."""
_BUNCHED_S = 0.5
_SPEED_UNKNOWN = 5.0
"""In m/s, for vehicles whose factsheet is not known."""
_CHARGE_JUMP = 20.0
"""Percent points that a battery cannot gain between two states."""


@dataclass(slots=True)
class Counter:
    """Follows the header ids of one topic."""

    lost: int = 0
    repeated: int = 0
    late: int = 0
    restarts: int = 0
    last: int | None = None
    last_utc_ns: int | None = None

    def take(self, header_id: int, sent_utc_ns: int | None) -> bool:
        """Say whether a message is news."""
        if self.last is not None:
            ahead = (header_id - self.last) % _WRAP
            newer = (
                sent_utc_ns is not None
                and self.last_utc_ns is not None
                and sent_utc_ns > self.last_utc_ns
            )
            if ahead == 0:
                self.repeated += 1
                return False
            if ahead < _HALF:
                self.lost += ahead - 1
            elif newer:
                self.restarts += 1
            else:
                self.late += 1
                return False
        self.last, self.last_utc_ns = header_id, sent_utc_ns
        return True


_LEFT = 64


@dataclass(slots=True)
class Track:
    """One vehicle."""

    name: str
    counter: Counter = field(default_factory=Counter)
    malformed: int = 0
    presence: Presence | None = None
    state: VehicleState | None = None
    heard_ns: int = 0
    """Monotonic time of the last state taken."""
    limits: Limits = field(default_factory=Limits)
    issued: dict[str, Order] = field(default_factory=dict)
    """What was sent to it: the newest update of each order, with all its nodes so far."""
    left: deque[str] = field(default_factory=lambda: deque(maxlen=_LEFT))
    """Orders that it had and has no more: it would take them for new ones."""
    doubts: dict[str, str] = field(default_factory=dict)
    """Why it is not believed, by kind; stays until a person forgives."""

    # --- what came ---

    def connected(self, presence: Presence) -> None:
        """Take a word on the connection topic."""
        self.presence = presence

    def told(self, state: VehicleState, now_ns: int) -> bool:
        """Take a state; return whether it is news."""
        if not self.counter.take(state.header_id, state.sent_utc_ns):
            return False
        self._examine(state, now_ns)
        before = self.state
        if before is not None and before.order_id not in {"", state.order_id}:
            self.left.append(before.order_id)
        self.state, self.heard_ns = state, now_ns
        return True

    def online(self, now_ns: int, silent_after_ns: int) -> bool:
        """Whether it is there: announced, and heard of not long ago."""
        return (
            self.state is not None
            and self.presence in (None, Presence.ONLINE, Presence.HIBERNATING)
            and (self.presence is Presence.HIBERNATING or now_ns - self.heard_ns < silent_after_ns)
        )

    def forgive(self) -> None:
        """Believe it again: a person has looked."""
        self.doubts.clear()

    # --- what was sent ---

    def sent(self, order: Order) -> None:
        """Remember an order that is about to go out."""
        known = self.issued.get(order.order_id)
        if known is not None and order.update_id > known.update_id:
            first = order.nodes[0].sequence_id
            nodes = tuple(node for node in known.nodes if node.sequence_id < first)
            edges = tuple(edge for edge in known.edges if edge.sequence_id < first)
            order = Order(
                order_id=order.order_id,
                update_id=order.update_id,
                nodes=nodes + order.nodes,
                edges=edges + order.edges,
            )
        if known is None or order.update_id >= known.update_id:
            self.issued[order.order_id] = order
        while len(self.issued) > 16:
            del self.issued[next(iter(self.issued))]

    # --- whether to believe it ---

    def _examine(self, state: VehicleState, now_ns: int) -> None:
        before = self.state
        if before is not None:
            self._compare(before, state, now_ns)
        order = self.issued.get(state.order_id)
        if order is None:
            known = before is None or before.order_id == state.order_id
            if state.order_id and not known:
                self._doubt(
                    "order", tr("drives order {id}, which nobody gave it", id=state.order_id)
                )
            return
        self._hold_against(order, state)

    def _compare(self, before: VehicleState, state: VehicleState, now_ns: int) -> None:
        same = (before.order_id, before.update_id) == (state.order_id, state.update_id)
        if same and self._was_there(before) and state.last_sequence < before.last_sequence:
            self._doubt(
                "sequence",
                tr(
                    "went back from {before} to {now} in its order",
                    before=before.last_sequence,
                    now=state.last_sequence,
                ),
            )
        if not state.charging and not before.charging:
            gain = state.charge_percent - before.charge_percent
            if gain > _CHARGE_JUMP:
                self._doubt("battery", tr("gained {gain:.0f} % without charging", gain=gain))
        if before.position is not None and state.position is not None:
            self._compare_places(before.position, state.position, now_ns)

    def _compare_places(self, before: Position, now: Position, now_ns: int) -> None:
        if before.map_id != now.map_id or not (before.known and now.known):
            return
        # Messages bunch on their way, so the time between two is known to half a second only.
        gone_s = (now_ns - self.heard_ns) / 1e9 + _BUNCHED_S
        reach = (self.limits.speed_max or _SPEED_UNKNOWN) * 1.5 * gone_s + _JUMP_M
        distance = math.dist((before.x, before.y), (now.x, now.y))
        if distance > reach:
            self._doubt("position", tr("jumped by {distance:.0f} m", distance=distance))

    def _hold_against(self, order: Order, state: VehicleState) -> None:
        if state.update_id > order.update_id:
            self._doubt(
                "update",
                tr(
                    "has update {met} of {id}; {known} is the newest",
                    met=state.update_id,
                    id=order.order_id,
                    known=order.update_id,
                ),
            )
            return
        base = order.base
        passed = [node for node in order.nodes if node.sequence_id == state.last_sequence]
        if passed and passed[0].node_id != state.last_node:
            self._doubt(
                "node",
                tr(
                    "says that node {sequence} of its order is {met}; it is {known}",
                    sequence=state.last_sequence,
                    met=state.last_node,
                    known=passed[0].node_id,
                ),
            )
        beyond = {node.sequence_id for node in order.nodes if not node.released}
        if base and state.last_sequence in beyond and passed[0].node_id == state.last_node:
            self._doubt("base", tr("went on where nothing was released"))

    def _was_there(self, state: VehicleState) -> bool:
        """Whether the last node told belongs to the order told, and not still to the one before."""
        order = self.issued.get(state.order_id)
        return order is not None and any(
            node.sequence_id == state.last_sequence and node.node_id == state.last_node
            for node in order.nodes
        )

    def _doubt(self, kind: str, text: str) -> None:
        self.doubts.setdefault(kind, text)
