"""The topic ``order`` of VDA 5050 3.0.0, as its JSON schema has it."""

from __future__ import annotations

from typing import Annotated, Literal

from msgspec import UNSET, Meta, UnsetType, field

from millhand_vda5050.wire.base import Anything, Timestamp, Wire


class AllowedDeviationXY(Wire, frozen=True, kw_only=True):
    """``node.nodePosition.allowedDeviationXY``."""

    a: Annotated[float, Meta(ge=0)]
    b: Annotated[float, Meta(ge=0)]
    theta: Annotated[float, Meta(ge=-1.570796327, le=1.570796327)]


class NodePosition(Wire, frozen=True, kw_only=True):
    """``node.nodePosition``."""

    x: float
    y: float
    theta: Annotated[float, Meta(ge=-3.14159265359, le=3.14159265359)] | UnsetType = UNSET
    allowed_deviation_xy: AllowedDeviationXY | UnsetType = field(
        name="allowedDeviationXY", default=UNSET
    )
    allowed_deviation_theta: Annotated[float, Meta(ge=0, le=3.141592654)] | UnsetType = UNSET
    map_id: str


class ActionParameter(Wire, frozen=True, kw_only=True):
    """``action.actionParameters[]``."""

    key: str
    value: Anything


class Action(Wire, frozen=True, kw_only=True):
    """``action``."""

    action_type: str
    action_id: str
    action_descriptor: str | UnsetType = UNSET
    blocking_type: Literal["NONE", "SOFT", "SINGLE", "HARD"]
    action_parameters: list[ActionParameter] | UnsetType = UNSET
    retriable: bool | UnsetType = UNSET


class Node(Wire, frozen=True, kw_only=True):
    """``node``."""

    node_id: str
    sequence_id: Annotated[int, Meta(ge=0)]
    node_descriptor: str | UnsetType = UNSET
    released: bool
    node_position: NodePosition | UnsetType = UNSET
    actions: list[Action]


class ControlPoint(Wire, frozen=True, kw_only=True):
    """``trajectory.controlPoints[]``."""

    x: float
    y: float
    weight: float | UnsetType = UNSET


class Trajectory(Wire, frozen=True, kw_only=True):
    """``trajectory``."""

    degree: Annotated[int, Meta(ge=1)] | UnsetType = UNSET
    knot_vector: list[Annotated[float, Meta(ge=0.0, le=1.0)]] | UnsetType = UNSET
    control_points: list[ControlPoint]


class Corridor(Wire, frozen=True, kw_only=True):
    """``corridor``."""

    left_width: Annotated[float, Meta(ge=0.0)]
    right_width: Annotated[float, Meta(ge=0.0)]
    corridor_reference_point: Literal["KINEMATIC_CENTER", "CONTOUR"] | UnsetType = UNSET
    release_required: bool | UnsetType = UNSET
    release_loss_behavior: Literal["STOP", "RETURN"] | UnsetType = UNSET


class Edge(Wire, frozen=True, kw_only=True):
    """``edge``."""

    edge_id: str
    sequence_id: Annotated[int, Meta(ge=0)]
    edge_descriptor: str | UnsetType = UNSET
    released: bool
    maximum_speed: float | UnsetType = UNSET
    maximum_mobile_robot_height: float | UnsetType = UNSET
    minimum_load_handling_device_height: float | UnsetType = UNSET
    orientation: Annotated[float, Meta(ge=-3.14159265359, le=3.14159265359)] | UnsetType = UNSET
    orientation_type: Literal["GLOBAL", "TANGENTIAL"] | UnsetType = UNSET
    direction: str | UnsetType = UNSET
    reach_orientation_before_entering: bool | UnsetType = UNSET
    max_rotation_speed: float | UnsetType = UNSET
    trajectory: Trajectory | UnsetType = UNSET
    length: float | UnsetType = UNSET
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
    order_description: str | UnsetType = UNSET
    nodes: list[Node]
    edges: list[Edge]
