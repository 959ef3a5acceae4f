"""The topic ``state`` of VDA 5050 3.0.0, as its JSON schema has it."""

from __future__ import annotations

from typing import Annotated, Literal

from msgspec import UNSET, Meta, UnsetType

from millhand_vda5050.wire.base import Timestamp, Wire


class Map(Wire, frozen=True, kw_only=True):
    """``map``."""

    map_id: str
    map_version: str
    map_descriptor: str | UnsetType = UNSET
    map_status: Literal["ENABLED", "DISABLED"]


class ZoneSet(Wire, frozen=True, kw_only=True):
    """``zoneSet``."""

    zone_set_id: str
    map_id: str
    zone_set_status: Literal["ENABLED", "DISABLED"]


class NodePosition(Wire, frozen=True, kw_only=True):
    """``nodeState.nodePosition``."""

    x: float
    y: float
    theta: Annotated[float, Meta(ge=-3.14159265359, le=3.14159265359)] | UnsetType = UNSET
    map_id: str


class NodeState(Wire, frozen=True, kw_only=True):
    """``nodeState``."""

    node_id: str
    sequence_id: int
    node_descriptor: str | UnsetType = UNSET
    released: bool
    node_position: NodePosition | UnsetType = UNSET


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


class EdgeState(Wire, frozen=True, kw_only=True):
    """``edgeState``."""

    edge_id: str
    sequence_id: int
    edge_descriptor: str | UnsetType = UNSET
    released: bool
    trajectory: Trajectory | UnsetType = UNSET


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
    """``state.velocity``."""

    vx: float | UnsetType = UNSET
    vy: float | UnsetType = UNSET
    omega: float | UnsetType = UNSET


class BoundingBoxReference(Wire, frozen=True, kw_only=True):
    """``load.boundingBoxReference``."""

    x: float
    y: float
    z: float
    theta: float | UnsetType = UNSET


class LoadDimensions(Wire, frozen=True, kw_only=True):
    """``load.loadDimensions``."""

    length: Annotated[float, Meta(ge=0.0)]
    width: Annotated[float, Meta(ge=0.0)]
    height: Annotated[float, Meta(ge=0.0)] | UnsetType = UNSET


class Load(Wire, frozen=True, kw_only=True):
    """``load``."""

    load_id: str | UnsetType = UNSET
    load_type: str | UnsetType = UNSET
    load_position: str | UnsetType = UNSET
    bounding_box_reference: BoundingBoxReference | UnsetType = UNSET
    load_dimensions: LoadDimensions | UnsetType = UNSET
    weight: Annotated[float, Meta(ge=0.0)] | UnsetType = UNSET


class ZoneRequest(Wire, frozen=True, kw_only=True):
    """``zoneRequest``."""

    request_id: str
    request_type: Literal["ACCESS", "REPLANNING"]
    zone_id: str
    zone_set_id: str
    request_status: Literal["REQUESTED", "GRANTED", "REVOKED", "EXPIRED"]
    trajectory: Trajectory | UnsetType = UNSET


class EdgeRequest(Wire, frozen=True, kw_only=True):
    """``edgeRequest``."""

    request_id: str
    request_type: Literal["CORRIDOR"]
    edge_id: str
    sequence_id: int
    request_status: Literal["REQUESTED", "GRANTED", "REVOKED", "EXPIRED"]


class ActionState(Wire, frozen=True, kw_only=True):
    """``actionState``."""

    action_id: str
    action_type: str | UnsetType = UNSET
    action_descriptor: str | UnsetType = UNSET
    action_status: Literal[
        "WAITING", "INITIALIZING", "RUNNING", "PAUSED", "RETRIABLE", "FINISHED", "FAILED"
    ]
    action_result: str | UnsetType = UNSET


class PowerSupply(Wire, frozen=True, kw_only=True):
    """``powerSupply``."""

    state_of_charge: Annotated[float, Meta(ge=0, le=100)]
    battery_voltage: float | UnsetType = UNSET
    battery_current: float | UnsetType = UNSET
    battery_health: Annotated[float, Meta(ge=0, le=100)] | UnsetType = UNSET
    charging: bool
    range: Annotated[float, Meta(ge=0)] | UnsetType = UNSET


class Reference(Wire, frozen=True, kw_only=True):
    """``error.errorReferences[]``."""

    reference_key: str
    reference_value: str


class Translation(Wire, frozen=True, kw_only=True):
    """``translation``."""

    translation_key: str
    translation_value: str


class Error(Wire, frozen=True, kw_only=True):
    """``error``."""

    error_type: str
    error_references: list[Reference] | UnsetType = UNSET
    error_description: str | UnsetType = UNSET
    error_description_translations: list[Translation] | UnsetType = UNSET
    error_hint: str | UnsetType = UNSET
    error_hint_translations: list[Translation] | UnsetType = UNSET
    error_level: Literal["WARNING", "URGENT", "CRITICAL", "FATAL"]


class InformationReference(Wire, frozen=True, kw_only=True):
    """``info.infoReferences[]``."""

    reference_key: str
    reference_value: str


class Information(Wire, frozen=True, kw_only=True):
    """``info``."""

    info_type: str
    info_references: list[InformationReference] | UnsetType = UNSET
    info_descriptor: str | UnsetType = UNSET
    info_level: Literal["INFO", "DEBUG"]


class SafetyState(Wire, frozen=True, kw_only=True):
    """``safetyState``."""

    active_emergency_stop: Literal["MANUAL", "REMOTE", "NONE"]
    field_violation: bool


class State(Wire, frozen=True, kw_only=True):
    """``state``."""

    header_id: int
    timestamp: Timestamp
    version: str
    manufacturer: str
    serial_number: str
    maps: list[Map] | UnsetType = UNSET
    zone_sets: list[ZoneSet] | UnsetType = UNSET
    order_id: str
    order_update_id: int
    last_node_id: str
    last_node_sequence_id: int
    node_states: list[NodeState]
    edge_states: list[EdgeState]
    planned_path: PlannedPath | UnsetType = UNSET
    intermediate_path: IntermediatePath | UnsetType = UNSET
    mobile_robot_position: MobileRobotPosition | UnsetType = UNSET
    velocity: Velocity | UnsetType = UNSET
    loads: list[Load] | UnsetType = UNSET
    driving: bool
    paused: bool | UnsetType = UNSET
    new_base_request: bool | UnsetType = UNSET
    zone_requests: list[ZoneRequest] | UnsetType = UNSET
    edge_requests: list[EdgeRequest] | UnsetType = UNSET
    distance_since_last_node: float | UnsetType = UNSET
    action_states: list[ActionState]
    instant_action_states: list[ActionState]
    zone_action_states: list[ActionState] | UnsetType = UNSET
    power_supply: PowerSupply
    operating_mode: Literal[
        "STARTUP", "AUTOMATIC", "SEMIAUTOMATIC", "INTERVENED", "MANUAL", "SERVICE", "TEACH_IN"
    ]
    errors: list[Error]
    information: list[Information] | UnsetType = UNSET
    safety_state: SafetyState
