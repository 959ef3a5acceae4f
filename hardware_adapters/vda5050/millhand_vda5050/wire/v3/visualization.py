"""The topic ``visualization`` of VDA 5050 3.0.0, as its JSON schema has it."""

from __future__ import annotations

from typing import Annotated

from msgspec import UNSET, Meta, UnsetType

from millhand_vda5050.wire.base import Timestamp, Wire


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


class PlannedPath(Wire, frozen=True, kw_only=True):
    """``plannedPath``."""

    trajectory: Trajectory
    traversed_nodes: list[str] | UnsetType = UNSET


class Waypoint(Wire, frozen=True, kw_only=True):
    """``intermediatePath.polyline[]``."""

    x: float
    y: float
    theta: Annotated[float, Meta(ge=-3.14159265359, le=3.14159265359)] | UnsetType = UNSET
    eta: str


class IntermediatePath(Wire, frozen=True, kw_only=True):
    """``intermediatePath``."""

    polyline: list[Waypoint]


class MobileRobotPosition(Wire, frozen=True, kw_only=True):
    """``mobileRobotPosition``."""

    x: float
    y: float
    theta: Annotated[float, Meta(ge=-3.14159265359, le=3.14159265359)]
    map_id: str
    localized: bool
    localization_score: Annotated[float, Meta(ge=0.0, le=1.0)] | UnsetType = UNSET
    deviation_range: Annotated[float, Meta(ge=0.0)] | UnsetType = UNSET


class Velocity(Wire, frozen=True, kw_only=True):
    """``velocity``."""

    vx: float | UnsetType = UNSET
    vy: float | UnsetType = UNSET
    omega: float | UnsetType = UNSET


class Visualization(Wire, frozen=True, kw_only=True):
    """``visualization``."""

    header_id: int
    timestamp: Timestamp
    version: str
    manufacturer: str
    serial_number: str
    reference_state_header_id: int
    planned_path: PlannedPath | UnsetType = UNSET
    intermediate_path: IntermediatePath | UnsetType = UNSET
    mobile_robot_position: MobileRobotPosition | UnsetType = UNSET
    velocity: Velocity | UnsetType = UNSET
