"""The topic ``factsheet`` of VDA 5050 3.0.0, as its JSON schema has it."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from msgspec import UNSET, Meta, UnsetType, field

from millhand_vda5050.wire.base import Timestamp, Wire


class TypeSpecification(Wire, frozen=True, kw_only=True):
    """``factsheet.typeSpecification``."""

    series_name: str
    series_description: str | UnsetType = UNSET
    mobile_robot_kinematics: str
    mobile_robot_class: str
    maximum_load_mass: Annotated[float, Meta(ge=0)]
    localization_types: list[str]
    navigation_types: list[str]
    supported_zones: (
        list[
            Literal[
                "BLOCKED",
                "LINE_GUIDED",
                "RELEASE",
                "COORDINATED_REPLANNING",
                "SPEED_LIMIT",
                "ACTION",
                "PRIORITY",
                "PENALTY",
                "DIRECTED",
                "BIDIRECTED",
            ]
        ]
        | UnsetType
    ) = UNSET


class PhysicalParameters(Wire, frozen=True, kw_only=True):
    """``factsheet.physicalParameters``."""

    minimum_speed: Annotated[float, Meta(ge=0.0)]
    maximum_speed: Annotated[float, Meta(ge=0.0)]
    minimum_angular_speed: Annotated[float, Meta(ge=0.0)] | UnsetType = UNSET
    maximum_angular_speed: Annotated[float, Meta(ge=0.0)] | UnsetType = UNSET
    maximum_acceleration: Annotated[float, Meta(ge=0.0)]
    maximum_deceleration: float
    minimum_height: float
    maximum_height: float
    width: float
    length: float


class MaximumStringLengths(Wire, frozen=True, kw_only=True):
    """``factsheet.protocolLimits.maximumStringLengths``."""

    maximum_message_length: Annotated[int, Meta(ge=0)] | UnsetType = UNSET
    maximum_topic_serial_length: Annotated[int, Meta(ge=0)] | UnsetType = UNSET
    maximum_topic_element_length: Annotated[int, Meta(ge=0)] | UnsetType = UNSET
    maximum_id_length: Annotated[int, Meta(ge=0)] | UnsetType = UNSET
    id_numerical_only: bool | UnsetType = UNSET
    maximum_load_id_length: Annotated[int, Meta(ge=0)] | UnsetType = UNSET


class MaximumArrayLengths(Wire, frozen=True, kw_only=True):
    """``factsheet.protocolLimits.maximumArrayLengths``."""

    order_nodes: Annotated[int, Meta(ge=0)] | UnsetType = field(name="order.nodes", default=UNSET)
    order_edges: Annotated[int, Meta(ge=0)] | UnsetType = field(name="order.edges", default=UNSET)
    node_actions: Annotated[int, Meta(ge=0)] | UnsetType = field(name="node.actions", default=UNSET)
    edge_actions: Annotated[int, Meta(ge=0)] | UnsetType = field(name="edge.actions", default=UNSET)
    actions_actions_parameters: Annotated[int, Meta(ge=0)] | UnsetType = field(
        name="actions.actionsParameters", default=UNSET
    )
    instant_actions: Annotated[int, Meta(ge=0)] | UnsetType = UNSET
    trajectory_knot_vector: Annotated[int, Meta(ge=0)] | UnsetType = field(
        name="trajectory.knotVector", default=UNSET
    )
    trajectory_control_points: Annotated[int, Meta(ge=0)] | UnsetType = field(
        name="trajectory.controlPoints", default=UNSET
    )
    zone_set_zones: Annotated[int, Meta(ge=0)] | UnsetType = field(
        name="zoneSet.zones", default=UNSET
    )
    state_node_states: Annotated[int, Meta(ge=0)] | UnsetType = field(
        name="state.nodeStates", default=UNSET
    )
    state_edge_states: Annotated[int, Meta(ge=0)] | UnsetType = field(
        name="state.edgeStates", default=UNSET
    )
    state_loads: Annotated[int, Meta(ge=0)] | UnsetType = field(name="state.loads", default=UNSET)
    state_action_states: Annotated[int, Meta(ge=0)] | UnsetType = field(
        name="state.actionStates", default=UNSET
    )
    state_instant_action_states: Annotated[int, Meta(ge=0)] | UnsetType = field(
        name="state.instantActionStates", default=UNSET
    )
    state_zone_action_states: Annotated[int, Meta(ge=0)] | UnsetType = field(
        name="state.zoneActionStates", default=UNSET
    )
    state_errors: Annotated[int, Meta(ge=0)] | UnsetType = field(name="state.errors", default=UNSET)
    state_information: Annotated[int, Meta(ge=0)] | UnsetType = field(
        name="state.information", default=UNSET
    )
    error_error_references: Annotated[int, Meta(ge=0)] | UnsetType = field(
        name="error.errorReferences", default=UNSET
    )
    information_info_references: Annotated[int, Meta(ge=0)] | UnsetType = field(
        name="information.infoReferences", default=UNSET
    )


class Timing(Wire, frozen=True, kw_only=True):
    """``factsheet.protocolLimits.timing``."""

    minimum_order_interval: Annotated[float, Meta(ge=0.0)]
    minimum_state_interval: Annotated[float, Meta(ge=0.0)]
    default_state_interval: Annotated[float, Meta(ge=0.0)] | UnsetType = UNSET
    visualization_interval: Annotated[float, Meta(ge=0.0)] | UnsetType = UNSET


class ProtocolLimits(Wire, frozen=True, kw_only=True):
    """``factsheet.protocolLimits``."""

    maximum_string_lengths: MaximumStringLengths
    maximum_array_lengths: MaximumArrayLengths
    timing: Timing


class OptionalParameter(Wire, frozen=True, kw_only=True):
    """``factsheet.protocolFeatures.optionalParameters[]``."""

    parameter: str
    support: Literal["SUPPORTED", "REQUIRED"]
    description: str | UnsetType = UNSET


class ActionParameter(Wire, frozen=True, kw_only=True):
    """``factsheet.protocolFeatures.mobileRobotActions[].actionParameters[]``."""

    key: str
    value_data_type: Literal["BOOL", "NUMBER", "INTEGER", "STRING", "OBJECT", "ARRAY"]
    description: str | UnsetType = UNSET
    is_optional: bool | UnsetType = UNSET


class SupportedAction(Wire, frozen=True, kw_only=True):
    """``factsheet.protocolFeatures.mobileRobotActions[]``."""

    action_type: str
    action_description: str | UnsetType = UNSET
    action_scopes: list[Literal["INSTANT", "NODE", "EDGE", "ZONE"]]
    action_parameters: list[ActionParameter] | UnsetType = UNSET
    action_result: str | UnsetType = UNSET
    blocking_types: list[Literal["NONE", "SOFT", "SINGLE", "HARD"]] | UnsetType = UNSET
    pause_allowed: bool
    cancel_allowed: bool


class ProtocolFeatures(Wire, frozen=True, kw_only=True):
    """``factsheet.protocolFeatures``."""

    optional_parameters: list[OptionalParameter]
    mobile_robot_actions: list[SupportedAction]


class Position(Wire, frozen=True, kw_only=True):
    """``factsheet.mobileRobotGeometry.wheelDefinitions[].position``."""

    x: float
    y: float
    theta: float | UnsetType = UNSET


class Wheel(Wire, frozen=True, kw_only=True):
    """``factsheet.mobileRobotGeometry.wheelDefinitions[]``."""

    type: str
    is_active_driven: bool
    is_active_steered: bool
    position: Position
    diameter: float
    width: float
    center_displacement: float | UnsetType = UNSET
    constraints: str | UnsetType = UNSET


class Point(Wire, frozen=True, kw_only=True):
    """``factsheet.mobileRobotGeometry.envelopes2d[].vertices[]``."""

    x: float
    y: float


class Envelope2d(Wire, frozen=True, kw_only=True):
    """``factsheet.mobileRobotGeometry.envelopes2d[]``."""

    envelope2d_id: str
    vertices: list[Point]
    description: str | UnsetType = UNSET


class Envelope3d(Wire, frozen=True, kw_only=True):
    """``factsheet.mobileRobotGeometry.envelopes3d[]``."""

    envelope3d_id: str
    format: str
    data: dict[str, Any] | UnsetType = UNSET
    url: str | UnsetType = UNSET
    description: str | UnsetType = UNSET


class MobileRobotGeometry(Wire, frozen=True, kw_only=True):
    """``factsheet.mobileRobotGeometry``."""

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
    maximum_weight: Annotated[float, Meta(ge=0.0)] | UnsetType = UNSET
    minimum_loadhandling_height: Annotated[float, Meta(ge=0.0)] | UnsetType = UNSET
    maximum_loadhandling_height: Annotated[float, Meta(ge=0.0)] | UnsetType = UNSET
    minimum_loadhandling_depth: float | UnsetType = UNSET
    maximum_loadhandling_depth: float | UnsetType = UNSET
    minimum_loadhandling_tilt: float | UnsetType = UNSET
    maximum_loadhandling_tilt: float | UnsetType = UNSET
    maximum_speed: Annotated[float, Meta(ge=0.0)] | UnsetType = UNSET
    maximum_acceleration: Annotated[float, Meta(ge=0.0)] | UnsetType = UNSET
    maximum_deceleration: float | UnsetType = UNSET
    pick_time: Annotated[float, Meta(ge=0.0)] | UnsetType = UNSET
    drop_time: Annotated[float, Meta(ge=0.0)] | UnsetType = UNSET
    description: str | UnsetType = UNSET


class LoadSpecification(Wire, frozen=True, kw_only=True):
    """``factsheet.loadSpecification``."""

    load_positions: list[str] | UnsetType = UNSET
    load_sets: list[LoadSet] | UnsetType = UNSET


class Setting(Wire, frozen=True, kw_only=True):
    """``factsheet.mobileRobotConfiguration.versions[]``."""

    key: str
    value: str


class Network(Wire, frozen=True, kw_only=True):
    """``factsheet.mobileRobotConfiguration.network``."""

    dns_servers: list[str] | UnsetType = UNSET
    ntp_servers: list[str] | UnsetType = UNSET
    local_ip_address: str | UnsetType = UNSET
    netmask: str | UnsetType = UNSET
    default_gateway: str | UnsetType = UNSET


class BatteryCharging(Wire, frozen=True, kw_only=True):
    """``factsheet.mobileRobotConfiguration.batteryCharging``."""

    critical_low_charging_level: Annotated[float, Meta(ge=0.0, le=100.0)] | UnsetType = UNSET
    minimum_desired_charging_level: Annotated[float, Meta(ge=0.0, le=100.0)] | UnsetType = UNSET
    maximum_desired_charging_level: Annotated[float, Meta(ge=0.0, le=100.0)] | UnsetType = UNSET
    minimum_charging_time: Annotated[float, Meta(ge=0.0)] | UnsetType = UNSET


class MobileRobotConfiguration(Wire, frozen=True, kw_only=True):
    """``factsheet.mobileRobotConfiguration``."""

    versions: list[Setting] | UnsetType = UNSET
    network: Network | UnsetType = UNSET
    battery_charging: BatteryCharging | UnsetType = UNSET


class Factsheet(Wire, frozen=True, kw_only=True):
    """``factsheet``."""

    header_id: Annotated[int, Meta(ge=0)]
    timestamp: Timestamp
    version: str
    manufacturer: str
    serial_number: str
    type_specification: TypeSpecification
    physical_parameters: PhysicalParameters
    protocol_limits: ProtocolLimits
    protocol_features: ProtocolFeatures
    mobile_robot_geometry: MobileRobotGeometry
    load_specification: LoadSpecification
    mobile_robot_configuration: MobileRobotConfiguration | UnsetType = UNSET
