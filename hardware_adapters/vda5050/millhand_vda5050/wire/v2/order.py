"""The topic ``order`` of VDA 5050 2.1.0, as its JSON schema has it."""

from __future__ import annotations

from typing import Annotated, Literal

from msgspec import UNSET, Meta, UnsetType, field

from millhand_vda5050.wire.base import Anything, Timestamp, Wire


class NodePosition(Wire, frozen=True, kw_only=True):
    """``order.nodes[].nodePosition``."""

    x: float
    y: float
    theta: Annotated[float, Meta(ge=-3.14159265359, le=3.14159265359)] | UnsetType = UNSET
    allowed_deviation_xy: Annotated[float, Meta(ge=0)] | UnsetType = field(
        name="allowedDeviationXY", default=UNSET
    )
    allowed_deviation_theta: Annotated[float, Meta(ge=-3.141592654, le=3.141592654)] | UnsetType = (
        UNSET
    )
    map_id: str
    map_description: str | UnsetType = UNSET


class ActionParameter(Wire, frozen=True, kw_only=True):
    """``action.actionParameters[]``."""

    key: str
    value: Anything


class Action(Wire, frozen=True, kw_only=True):
    """``action``."""

    action_type: str
    action_id: str
    action_description: str | UnsetType = UNSET
    blocking_type: Literal["NONE", "SOFT", "HARD"]
    action_parameters: list[ActionParameter] | UnsetType = UNSET


class Node(Wire, frozen=True, kw_only=True):
    """``order.nodes[]``."""

    node_id: str
    sequence_id: Annotated[int, Meta(ge=0)]
    node_description: str | UnsetType = UNSET
    released: bool
    node_position: NodePosition | UnsetType = UNSET
    actions: list[Action]


class ControlPoint(Wire, frozen=True, kw_only=True):
    """``order.edges[].trajectory.controlPoints[]``."""

    x: float
    y: float
    weight: Annotated[float, Meta(ge=0)] | UnsetType = UNSET


class Trajectory(Wire, frozen=True, kw_only=True):
    """``order.edges[].trajectory``."""

    degree: Annotated[int, Meta(ge=1)]
    knot_vector: list[Annotated[float, Meta(ge=0, le=1)]]
    control_points: list[ControlPoint]


class Corridor(Wire, frozen=True, kw_only=True):
    """``order.edges[].corridor``."""

    left_width: Annotated[float, Meta(ge=0.0)]
    right_width: Annotated[float, Meta(ge=0.0)]
    corridor_ref_point: Literal["KINEMATICCENTER", "CONTOUR"] | UnsetType = UNSET


class Edge(Wire, frozen=True, kw_only=True):
    """``order.edges[]``."""

    edge_id: str
    sequence_id: Annotated[int, Meta(ge=0)]
    edge_description: str | UnsetType = UNSET
    released: bool
    start_node_id: str
    end_node_id: str
    max_speed: float | UnsetType = UNSET
    max_height: float | UnsetType = UNSET
    min_height: float | UnsetType = UNSET
    orientation: Annotated[float, Meta(ge=-3.14159265359, le=3.14159265359)] | UnsetType = UNSET
    orientation_type: str | UnsetType = UNSET
    direction: str | UnsetType = UNSET
    rotation_allowed: bool | UnsetType = UNSET
    max_rotation_speed: float | UnsetType = UNSET
    length: float | UnsetType = UNSET
    trajectory: Trajectory | UnsetType = UNSET
    corridor: Corridor | UnsetType = UNSET
    actions: list[Action]


class Order(Wire, frozen=True, kw_only=True):
    """``order``."""

    header_id: int
    timestamp: Timestamp
    version: str
    manufacturer: str
    serial_number: str
    order_id: str
    order_update_id: Annotated[int, Meta(ge=0)]
    zone_set_id: str | UnsetType = UNSET
    nodes: list[Node]
    edges: list[Edge]
