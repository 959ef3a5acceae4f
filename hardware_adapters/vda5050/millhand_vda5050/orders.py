"""The rules of orders: which are well formed, and what a vehicle makes of each. Pure.

VDA 5050 2.1.0, sections 6.6.1 (concept), 6.6.2 (updates) and 6.6.4 (rejection); 3.0.0 keeps them.
"""

from __future__ import annotations

from enum import StrEnum
from typing import NamedTuple

from millhand.messages import tr
from millhand_vda5050.model import Node, Order, VehicleState


class Fate(StrEnum):
    """What becomes of an order that arrives."""

    NEW = "new"
    """Taken as a new order."""
    UPDATE = "update"
    """Appended to the order under way."""
    DUPLICATE = "duplicate"
    """Known already: nothing happens, and nothing is wrong."""
    REJECTED = "rejected"


class Ruling(NamedTuple):
    """The fate with, for a rejection, the error type to be reported and the reason."""

    fate: Fate
    error: str = ""
    reason: str = ""


def defect(order: Order) -> str:
    """Say what is wrong with the order in itself; empty where nothing is."""
    if not order.nodes:
        return tr("it has no node")
    if len(order.edges) != len(order.nodes) - 1:
        return tr(
            "{nodes} nodes need {wanted} edges, not {edges}",
            nodes=len(order.nodes),
            wanted=len(order.nodes) - 1,
            edges=len(order.edges),
        )
    first = order.nodes[0].sequence_id
    if first % 2:
        return tr("the first node has the odd sequence id {id}", id=first)
    ids = [action.action_id for node in order.nodes for action in node.actions]
    ids += [action.action_id for edge in order.edges for action in edge.actions]
    if len(ids) != len(set(ids)):
        return tr("two actions have one id")
    return _chain_defect(order, first) or _release_defect(order)


def _chain_defect(order: Order, first: int) -> str:
    for position, node in enumerate(order.nodes):
        if node.sequence_id != first + 2 * position:
            return tr(
                "node {node} has the sequence id {met} instead of {wanted}",
                node=node.node_id,
                met=node.sequence_id,
                wanted=first + 2 * position,
            )
    for position, edge in enumerate(order.edges):
        if edge.sequence_id != first + 2 * position + 1:
            return tr(
                "edge {edge} has the sequence id {met} instead of {wanted}",
                edge=edge.edge_id,
                met=edge.sequence_id,
                wanted=first + 2 * position + 1,
            )
        ends = order.nodes[position].node_id, order.nodes[position + 1].node_id
        if (edge.start, edge.end) != ends:
            return tr(
                "edge {edge} leads from {start} to {end}, not between its neighbours",
                edge=edge.edge_id,
                start=edge.start,
                end=edge.end,
            )
    return ""


def _release_defect(order: Order) -> str:
    if not order.nodes[0].released:
        return tr("its first node is not released")
    run: list[tuple[int, bool]] = [(node.sequence_id, node.released) for node in order.nodes]
    run += [(edge.sequence_id, edge.released) for edge in order.edges]
    released = [flag for _, flag in sorted(run)]
    if released != sorted(released, reverse=True):
        return tr("something is released behind what is not")
    if released.count(True) % 2 == 0:
        return tr("the base ends on an edge")
    return ""


def receive(order: Order, state: VehicleState, base_end: Node | None) -> Ruling:
    """Say what a vehicle makes of an order.

    Args:
        order: what arrived.
        state: the vehicle.
        base_end: last node of the base that the vehicle has, passed or not; None without order.
    """
    wrong = defect(order)
    if wrong:
        return Ruling(Fate.REJECTED, "validationError", wrong)
    if order.order_id != state.order_id:
        if not state.idle:
            return Ruling(
                Fate.REJECTED,
                "orderUpdateError",
                tr("order {id} is not done yet", id=state.order_id),
            )
        if order.nodes[0].node_id != state.last_node:
            return Ruling(
                Fate.REJECTED,
                "noRouteError",
                tr(
                    "it begins at {start}, and the vehicle stands at {node}",
                    start=order.nodes[0].node_id,
                    node=state.last_node or "?",
                ),
            )
        return Ruling(Fate.NEW)
    if order.update_id == state.update_id:
        return Ruling(Fate.DUPLICATE)
    if order.update_id < state.update_id:
        return Ruling(
            Fate.REJECTED,
            "orderUpdateError",
            tr("update {met} is older than {known}", met=order.update_id, known=state.update_id),
        )
    start = order.nodes[0]
    if base_end is None or (start.node_id, start.sequence_id) != (
        base_end.node_id,
        base_end.sequence_id,
    ):
        return Ruling(
            Fate.REJECTED,
            "orderUpdateError",
            tr("the update does not begin where the base ends"),
        )
    return Ruling(Fate.UPDATE)
