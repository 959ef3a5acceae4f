"""The topic ``factsheet`` of VDA 5050 2.1.0, as its JSON schema has it."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from msgspec import UNSET, Meta, UnsetType, field

from millhand_vda5050.wire.base import Timestamp, Wire


class TypeSpecification(Wire, frozen=True, kw_only=True):
    """``factsheet.typeSpecification``."""

    series_name: str
    series_description: str | UnsetType = UNSET
    agv_kinematic: Literal["DIFF", "OMNI", "THREEWHEEL"]
    agv_class: Literal["FORKLIFT", "CONVEYOR", "TUGGER", "CARRIER"]
    max_load_mass: Annotated[float, Meta(ge=0)]
    localization_types: list[Literal["NATURAL", "REFLECTOR", "RFID", "DMC", "SPOT", "GRID"]]
    navigation_types: list[Literal["PHYSICAL_LINE_GUIDED", "VIRTUAL_LINE_GUIDED", "AUTONOMOUS"]]


class PhysicalParameters(Wire, frozen=True, kw_only=True):
    """``factsheet.physicalParameters``."""

    speed_min: float
    speed_max: float
    acceleration_max: float
    deceleration_max: float
    height_min: float | UnsetType = UNSET
    height_max: float
    width: float
    length: float


class MaxStringLens(Wire, frozen=True, kw_only=True):
    """``factsheet.protocolLimits.maxStringLens``."""

    msg_len: int | UnsetType = UNSET
    topic_serial_len: int | UnsetType = UNSET
    topic_elem_len: int | UnsetType = UNSET
    id_len: int | UnsetType = UNSET
    id_numerical_only: bool | UnsetType = UNSET
    enum_len: int | UnsetType = UNSET
    load_id_len: int | UnsetType = UNSET


class MaxArrayLens(Wire, frozen=True, kw_only=True):
    """``factsheet.protocolLimits.maxArrayLens``."""

    order_nodes: int | UnsetType = field(name="order.nodes", default=UNSET)
    order_edges: int | UnsetType = field(name="order.edges", default=UNSET)
    node_actions: int | UnsetType = field(name="node.actions", default=UNSET)
    edge_actions: int | UnsetType = field(name="edge.actions", default=UNSET)
    actions_actions_parameters: int | UnsetType = field(
        name="actions.actionsParameters", default=UNSET
    )
    instant_actions: int | UnsetType = UNSET
    trajectory_knot_vector: int | UnsetType = field(name="trajectory.knotVector", default=UNSET)
    trajectory_control_points: int | UnsetType = field(
        name="trajectory.controlPoints", default=UNSET
    )
    state_node_states: int | UnsetType = field(name="state.nodeStates", default=UNSET)
    state_edge_states: int | UnsetType = field(name="state.edgeStates", default=UNSET)
    state_loads: int | UnsetType = field(name="state.loads", default=UNSET)
    state_action_states: int | UnsetType = field(name="state.actionStates", default=UNSET)
    state_errors: int | UnsetType = field(name="state.errors", default=UNSET)
    state_information: int | UnsetType = field(name="state.information", default=UNSET)
    error_error_references: int | UnsetType = field(name="error.errorReferences", default=UNSET)
    information_info_references: int | UnsetType = field(
        name="information.infoReferences", default=UNSET
    )


class Timing(Wire, frozen=True, kw_only=True):
    """``factsheet.protocolLimits.timing``."""

    min_order_interval: float
    min_state_interval: float
    default_state_interval: float | UnsetType = UNSET
    visualization_interval: float | UnsetType = UNSET


class ProtocolLimits(Wire, frozen=True, kw_only=True):
    """``factsheet.protocolLimits``."""

    max_string_lens: MaxStringLens
    max_array_lens: MaxArrayLens
    timing: Timing


class OptionalParameter(Wire, frozen=True, kw_only=True):
    """``factsheet.protocolFeatures.optionalParameters[]``."""

    parameter: str
    support: Literal["SUPPORTED", "REQUIRED"]
    description: str | UnsetType = UNSET


class ActionParameter(Wire, frozen=True, kw_only=True):
    """``factsheet.protocolFeatures.agvActions[].actionParameters[]``."""

    key: str
    value_data_type: Literal["BOOL", "NUMBER", "INTEGER", "FLOAT", "STRING", "OBJECT", "ARRAY"]
    description: str | UnsetType = UNSET
    is_optional: bool | UnsetType = UNSET


class SupportedAction(Wire, frozen=True, kw_only=True):
    """``factsheet.protocolFeatures.agvActions[]``."""

    action_type: str
    action_description: str | UnsetType = UNSET
    action_scopes: list[Literal["INSTANT", "NODE", "EDGE"]]
    action_parameters: list[ActionParameter] | UnsetType = UNSET
    result_description: str | UnsetType = UNSET
    blocking_types: list[Literal["NONE", "SOFT", "HARD"]] | UnsetType = UNSET


class ProtocolFeatures(Wire, frozen=True, kw_only=True):
    """``factsheet.protocolFeatures``."""

    optional_parameters: list[OptionalParameter]
    agv_actions: list[SupportedAction]


class Position(Wire, frozen=True, kw_only=True):
    """``factsheet.agvGeometry.wheelDefinitions[].position``."""

    x: float
    y: float
    theta: float | UnsetType = UNSET


class Wheel(Wire, frozen=True, kw_only=True):
    """``factsheet.agvGeometry.wheelDefinitions[]``."""

    type: Literal["DRIVE", "CASTER", "FIXED", "MECANUM"]
    is_active_driven: bool
    is_active_steered: bool
    position: Position
    diameter: float
    width: float
    center_displacement: float | UnsetType = UNSET
    constraints: str | UnsetType = UNSET


class Point(Wire, frozen=True, kw_only=True):
    """``factsheet.agvGeometry.envelopes2d[].polygonPoints[]``."""

    x: float
    y: float


class Envelope2d(Wire, frozen=True, kw_only=True):
    """``factsheet.agvGeometry.envelopes2d[]``."""

    set: str
    polygon_points: list[Point]
    description: str | UnsetType = UNSET


class Envelope3d(Wire, frozen=True, kw_only=True):
    """``factsheet.agvGeometry.envelopes3d[]``."""

    set: str
    format: str
    data: dict[str, Any] | UnsetType = UNSET
    url: str | UnsetType = UNSET
    description: int | UnsetType = UNSET


class AgvGeometry(Wire, frozen=True, kw_only=True):
    """``factsheet.agvGeometry``."""

    wheel_definitions: list[Wheel] | UnsetType = UNSET
    envelopes2d: list[Envelope2d] | UnsetType = UNSET
    envelopes3d: list[Envelope3d] | UnsetType = UNSET


class BoundingBoxReference(Wire, frozen=True, kw_only=True):
    """``factsheet.loadSpecification.loadSets[].boundingBoxReference``."""

    x: float
    y: float
    z: float
    theta: float | UnsetType = UNSET


class LoadDimensions(Wire, frozen=True, kw_only=True):
    """``factsheet.loadSpecification.loadSets[].loadDimensions``."""

    length: float
    width: float
    height: float | UnsetType = UNSET


class LoadSet(Wire, frozen=True, kw_only=True):
    """``factsheet.loadSpecification.loadSets[]``."""

    set_name: str
    load_type: str
    load_positions: list[str] | UnsetType = UNSET
    bounding_box_reference: BoundingBoxReference | UnsetType = UNSET
    load_dimensions: LoadDimensions | UnsetType = UNSET
    max_weight: float | UnsetType = UNSET
    min_loadhandling_height: float | UnsetType = UNSET
    max_loadhandling_height: float | UnsetType = UNSET
    min_loadhandling_depth: float | UnsetType = UNSET
    max_loadhandling_depth: float | UnsetType = UNSET
    min_loadhandling_tilt: float | UnsetType = UNSET
    max_loadhandling_tilt: float | UnsetType = UNSET
    agv_speed_limit: float | UnsetType = UNSET
    agv_acceleration_limit: float | UnsetType = UNSET
    agv_deceleration_limit: float | UnsetType = UNSET
    pick_time: float | UnsetType = UNSET
    drop_time: float | UnsetType = UNSET
    description: str | UnsetType = UNSET


class LoadSpecification(Wire, frozen=True, kw_only=True):
    """``factsheet.loadSpecification``."""

    load_positions: list[str] | UnsetType = UNSET
    load_sets: list[LoadSet] | UnsetType = UNSET


class Setting(Wire, frozen=True, kw_only=True):
    """``factsheet.vehicleConfig.versions[]``."""

    key: str
    value: str


class Network(Wire, frozen=True, kw_only=True):
    """``factsheet.vehicleConfig.network``."""

    dns_servers: list[str] | UnsetType = UNSET
    local_ip_address: str | UnsetType = UNSET
    ntp_servers: list[str] | UnsetType = UNSET
    netmask: str | UnsetType = UNSET
    default_gateway: str | UnsetType = UNSET


class VehicleConfig(Wire, frozen=True, kw_only=True):
    """``factsheet.vehicleConfig``."""

    versions: list[Setting] | UnsetType = UNSET
    network: Network | UnsetType = UNSET


class Factsheet(Wire, frozen=True, kw_only=True):
    """``factsheet``."""

    header_id: Annotated[int, Meta(ge=0)] | UnsetType = UNSET
    timestamp: Timestamp | UnsetType = UNSET
    version: str
    manufacturer: str
    serial_number: str
    type_specification: TypeSpecification
    physical_parameters: PhysicalParameters
    protocol_limits: ProtocolLimits
    protocol_features: ProtocolFeatures
    agv_geometry: AgvGeometry
    load_specification: LoadSpecification
    vehicle_config: VehicleConfig | UnsetType = UNSET
