"""The topic ``state`` of VDA 5050 2.1.0, as its JSON schema has it."""

from __future__ import annotations

from typing import Annotated, Literal

from msgspec import UNSET, Meta, UnsetType

from millhand_vda5050.wire.base import Timestamp, Wire


class Map(Wire, frozen=True, kw_only=True):
    """``state.maps[]``."""

    map_id: str
    map_version: str
    map_description: str | UnsetType = UNSET
    map_status: Literal["ENABLED", "DISABLED"]


class NodePosition(Wire, frozen=True, kw_only=True):
    """``state.nodeStates[].nodePosition``."""

    x: float
    y: float
    theta: float | UnsetType = UNSET
    map_id: str


class NodeState(Wire, frozen=True, kw_only=True):
    """``state.nodeStates[]``."""

    node_id: str
    sequence_id: int
    node_description: str | UnsetType = UNSET
    released: bool
    node_position: NodePosition | UnsetType = UNSET


class ControlPoint(Wire, frozen=True, kw_only=True):
    """``state.edgeStates[].trajectory.controlPoints[]``."""

    x: float
    y: float
    weight: float | UnsetType = UNSET


class Trajectory(Wire, frozen=True, kw_only=True):
    """``state.edgeStates[].trajectory``."""

    degree: int
    knot_vector: list[Annotated[float, Meta(ge=0.0, le=1.0)]]
    control_points: list[ControlPoint]


class EdgeState(Wire, frozen=True, kw_only=True):
    """``state.edgeStates[]``."""

    edge_id: str
    sequence_id: int
    edge_description: str | UnsetType = UNSET
    released: bool
    trajectory: Trajectory | UnsetType = UNSET


class AgvPosition(Wire, frozen=True, kw_only=True):
    """``state.agvPosition``."""

    x: float
    y: float
    theta: float
    map_id: str
    map_description: str | UnsetType = UNSET
    position_initialized: bool
    localization_score: Annotated[float, Meta(ge=0.0, le=1.0)] | UnsetType = UNSET
    deviation_range: float | UnsetType = UNSET


class Velocity(Wire, frozen=True, kw_only=True):
    """``state.velocity``."""

    vx: float | UnsetType = UNSET
    vy: float | UnsetType = UNSET
    omega: float | UnsetType = UNSET


class BoundingBoxReference(Wire, frozen=True, kw_only=True):
    """``state.loads[].boundingBoxReference``."""

    x: float
    y: float
    z: float
    theta: float | UnsetType = UNSET


class LoadDimensions(Wire, frozen=True, kw_only=True):
    """``state.loads[].loadDimensions``."""

    length: float
    width: float
    height: float | UnsetType = UNSET


class Load(Wire, frozen=True, kw_only=True):
    """``state.loads[]``."""

    load_id: str | UnsetType = UNSET
    load_type: str | UnsetType = UNSET
    load_position: str | UnsetType = UNSET
    bounding_box_reference: BoundingBoxReference | UnsetType = UNSET
    load_dimensions: LoadDimensions | UnsetType = UNSET
    weight: Annotated[float, Meta(ge=0.0)] | UnsetType = UNSET


class ActionState(Wire, frozen=True, kw_only=True):
    """``state.actionStates[]``."""

    action_id: str
    action_type: str | UnsetType = UNSET
    action_description: str | UnsetType = UNSET
    action_status: Literal["WAITING", "INITIALIZING", "RUNNING", "FINISHED", "FAILED"]
    result_description: str | UnsetType = UNSET


class BatteryState(Wire, frozen=True, kw_only=True):
    """``state.batteryState``."""

    battery_charge: float
    battery_voltage: float | UnsetType = UNSET
    battery_health: Annotated[float, Meta(ge=0, le=100)] | UnsetType = UNSET
    charging: bool
    reach: Annotated[float, Meta(ge=0)] | UnsetType = UNSET


class Reference(Wire, frozen=True, kw_only=True):
    """``state.errors[].errorReferences[]``."""

    reference_key: str
    reference_value: str


class Error(Wire, frozen=True, kw_only=True):
    """``state.errors[]``."""

    error_type: str
    error_references: list[Reference] | UnsetType = UNSET
    error_description: str | UnsetType = UNSET
    error_hint: str | UnsetType = UNSET
    error_level: Literal["WARNING", "FATAL"]


class InformationReference(Wire, frozen=True, kw_only=True):
    """``state.information[].infoReferences[]``."""

    reference_key: str
    reference_value: str


class Information(Wire, frozen=True, kw_only=True):
    """``state.information[]``."""

    info_type: str
    info_references: list[InformationReference] | UnsetType = UNSET
    info_description: str | UnsetType = UNSET
    info_level: Literal["INFO", "DEBUG"]


class SafetyState(Wire, frozen=True, kw_only=True):
    """``state.safetyState``."""

    e_stop: Literal["AUTOACK", "MANUAL", "REMOTE", "NONE"]
    field_violation: bool


class State(Wire, frozen=True, kw_only=True):
    """``state``."""

    header_id: int
    timestamp: Timestamp
    version: str
    manufacturer: str
    serial_number: str
    maps: list[Map] | UnsetType = UNSET
    order_id: str
    order_update_id: int
    zone_set_id: str | UnsetType = UNSET
    last_node_id: str
    last_node_sequence_id: int
    driving: bool
    paused: bool | UnsetType = UNSET
    new_base_request: bool | UnsetType = UNSET
    distance_since_last_node: float | UnsetType = UNSET
    operating_mode: Literal["AUTOMATIC", "SEMIAUTOMATIC", "MANUAL", "SERVICE", "TEACHIN"]
    node_states: list[NodeState]
    edge_states: list[EdgeState]
    agv_position: AgvPosition | UnsetType = UNSET
    velocity: Velocity | UnsetType = UNSET
    loads: list[Load] | UnsetType = UNSET
    action_states: list[ActionState]
    battery_state: BatteryState
    errors: list[Error]
    information: list[Information] | UnsetType = UNSET
    safety_state: SafetyState
