"""What vehicles can be asked for, and the order that a goal comes to. Pure.

A goal is flat, so that an agent can write it and the guard can read it. Its ids are the agent's:
the same ``order_id`` and ``update_id`` have one effect at the vehicle, however often they are sent.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any

import msgspec
from msgspec import Meta, Struct

from millhand.contracts import SkillInfo, Value
from millhand.messages import tr
from millhand_vda5050.layout import Layout
from millhand_vda5050.model import Action, Blocking, Edge, Limits, Node, Order
from millhand_vda5050.orders import defect

_Id = Annotated[str, Meta(min_length=1, max_length=200)]


class Misfit(ValueError):
    """A goal that cannot be begun."""


class _Goal(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    vehicle: str = ""


class OrderGoal(_Goal, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Where to drive, and what to do at the end of it.

    ``released`` counts the nodes of the base (0: all). ``first_sequence`` is 0 for a new order; an
    update begins at the last node of the base before, with that node's sequence id.
    """

    order_id: _Id
    update_id: Annotated[int, Meta(ge=0, le=2**31 - 1)] = 0
    path: Annotated[list[_Id], Meta(min_length=1, max_length=10_000)]
    released: Annotated[int, Meta(ge=0)] = 0
    first_sequence: Annotated[int, Meta(ge=0, le=2**31 - 1)] = 0
    action: Annotated[str, Meta(max_length=200)] = ""
    action_id: Annotated[str, Meta(max_length=200)] = ""
    load: Annotated[str, Meta(max_length=200)] = ""
    station: Annotated[str, Meta(max_length=200)] = ""


class OrdersGoal(_Goal, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Several orders at once, each the JSON text of an :class:`OrderGoal`, one for a vehicle."""

    orders: Annotated[
        list[Annotated[str, Meta(max_length=100_000)]], Meta(min_length=1, max_length=1000)
    ]


class InstantGoal(_Goal, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Something to do at once."""

    action: _Id
    action_id: _Id


class VehicleGoal(_Goal, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Which vehicle, no more."""


Goal = OrderGoal | OrdersGoal | InstantGoal | VehicleGoal
GOALS: dict[str, type[OrderGoal | OrdersGoal | InstantGoal | VehicleGoal]] = {
    "order": OrderGoal,
    "orders": OrdersGoal,
    "drive": OrderGoal,
    "instant": InstantGoal,
    "resume": VehicleGoal,
    "trust": VehicleGoal,
}


def skills() -> list[SkillInfo]:
    """Describe all skills."""
    words = {
        "order": tr("Hand an order over; done when the vehicle shows it in its state."),
        "orders": tr("Hand over orders to several vehicles at once; done when all show them."),
        "drive": tr("Hand an order over and watch it; done when the vehicle has finished it."),
        "instant": tr("Have an instant action done: startPause, stateRequest, cancelOrder, …"),
        "resume": tr("Let a vehicle that was stopped drive on."),
        "trust": tr("Believe a vehicle again that said what cannot be."),
    }
    return [
        SkillInfo(name=name, description=words[name], goal_schema=_schema(goal))
        for name, goal in GOALS.items()
    ]


def _schema(goal: type[Struct]) -> dict[str, Any]:
    whole = msgspec.json.schema(goal)
    found: dict[str, Any] = whole["$defs"][goal.__name__]
    return found


def read_goal(skill: str, goal: Mapping[str, Value]) -> Goal:
    """Check a goal.

    Raises:
        Misfit: no such skill, or the goal does not fit it.
    """
    kind = GOALS.get(skill)
    if kind is None:
        raise Misfit(
            tr("no skill {skill}; there are: {names}", skill=skill, names=", ".join(GOALS))
        )
    try:
        return msgspec.convert(dict(goal), kind)
    except msgspec.ValidationError as error:
        raise Misfit(tr("{skill}: {reason}", skill=skill, reason=error)) from None


def each_order(goal: OrdersGoal) -> list[OrderGoal]:
    """Read the orders in a goal.

    Raises:
        Misfit: one is no order, or two are for one vehicle.
    """
    try:
        orders = [msgspec.json.decode(text, type=OrderGoal) for text in goal.orders]
    except (msgspec.MsgspecError, RecursionError) as error:
        raise Misfit(tr("orders: {reason}", reason=error)) from None
    names = [order.vehicle for order in orders]
    if len(set(names)) != len(names):
        raise Misfit(tr("orders: two are for one vehicle"))
    return orders


def order_of(goal: OrderGoal, layout: Layout | None, limits: Limits) -> Order:
    """Return the order that a goal asks for.

    Raises:
        Misfit: an unknown node, two nodes without an edge, or more than the vehicle takes.
    """
    released = goal.released or len(goal.path)
    if released > len(goal.path):
        raise Misfit(
            tr("{released} of {nodes} nodes released", released=released, nodes=len(goal.path))
        )
    nodes = []
    for position, name in enumerate(goal.path):
        last = position == len(goal.path) - 1
        nodes.append(
            _node(
                name,
                goal.first_sequence + 2 * position,
                layout,
                released=position < released,
                actions=_actions(goal) if last else (),
            )
        )
    edges = [
        _edge(
            start,
            end,
            goal.first_sequence + 2 * position + 1,
            layout,
            released=position + 1 < released,
        )
        for position, (start, end) in enumerate(zip(goal.path, goal.path[1:], strict=False))
    ]
    order = Order(
        order_id=goal.order_id,
        update_id=goal.update_id,
        nodes=tuple(nodes),
        edges=tuple(edges),
    )
    if wrong := defect(order) or _beyond(order, limits):
        raise Misfit(wrong)
    return order


def _actions(goal: OrderGoal) -> tuple[Action, ...]:
    if not goal.action:
        return ()
    parameters = {"loadId": goal.load, "stationName": goal.station}
    return (
        Action(
            action_type=goal.action,
            action_id=goal.action_id or f"{goal.order_id}/{goal.action}",
            blocking=Blocking.HARD,
            parameters={key: value for key, value in parameters.items() if value},
        ),
    )


def _node(
    name: str, sequence: int, layout: Layout | None, *, released: bool, actions: tuple[Action, ...]
) -> Node:
    if layout is None:
        return Node(node_id=name, sequence_id=sequence, released=released, actions=actions)
    place = layout.nodes.get(name)
    if place is None:
        raise Misfit(tr("the layout has no node {node}", node=name))
    return Node(
        node_id=name,
        sequence_id=sequence,
        released=released,
        x=place.x,
        y=place.y,
        theta=place.theta,
        map_id=place.map or layout.map,
        actions=actions,
    )


def _edge(start: str, end: str, sequence: int, layout: Layout | None, *, released: bool) -> Edge:
    length = speed = None
    if layout is not None:
        way = layout.directed.get((start, end))
        if way is None:
            raise Misfit(tr("no edge leads from {start} to {end}", start=start, end=end))
        length, speed = layout.length(way), way.max_speed
    return Edge(
        edge_id=f"{start}-{end}",
        sequence_id=sequence,
        released=released,
        start=start,
        end=end,
        length=length,
        max_speed=speed,
    )


def _beyond(order: Order, limits: Limits) -> str:
    """Say what of an order the vehicle's factsheet does not allow."""
    most_actions = max(len(node.actions) for node in order.nodes)
    for met, limit, what in (
        (len(order.nodes), limits.max_nodes, tr("nodes")),
        (len(order.edges), limits.max_edges, tr("edges")),
        (most_actions, limits.max_actions_per_node, tr("actions at a node")),
        (len(order.order_id), limits.max_id_length, tr("characters of the order's id")),
    ):
        if limit is not None and met > limit:
            return tr("{met} {what}; the vehicle takes {limit}", met=met, what=what, limit=limit)
    wanted = {action.action_type for node in order.nodes for action in node.actions}
    if limits.actions is not None and (unknown := wanted - limits.actions):
        return tr("the vehicle cannot {actions}", actions=", ".join(sorted(unknown)))
    return ""
