"""VDA 5050 3.0.0."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from msgspec import UNSET
from msgspec.structs import replace

from millhand_vda5050.dialects.base import (
    Dialect,
    Header,
    action_pairs,
    given,
    header_of,
    maybe,
    parameters,
    references,
    seconds_of,
    supported,
)
from millhand_vda5050.model import (
    Action,
    ActionState,
    ActionStatus,
    Ahead,
    Blocking,
    Edge,
    Fault,
    Limits,
    Node,
    OperatingMode,
    Order,
    Position,
    Presence,
    VehicleState,
)
from millhand_vda5050.wire import v3
from millhand_vda5050.wire.codec import Topic, Version
from millhand_vda5050.wire.v3 import factsheet, instant_actions, order, state, visualization


class V3(Dialect):
    """Speaks VDA 5050 3.0.0."""

    version = Version.V3

    # --- orders ---

    def order(self, header: Header, asked: Order) -> bytes:
        """Write an order."""
        return self._encode(
            v3.Order(
                **self._common(header),
                order_id=asked.order_id,
                order_update_id=asked.update_id,
                nodes=[_node(node) for node in asked.nodes],
                edges=[_edge(edge) for edge in asked.edges],
            )
        )

    def read_order(self, payload: bytes) -> tuple[Header, Order]:
        """Read an order."""
        message: v3.Order = self._decode(Topic.ORDER, payload)
        nodes = {node.sequence_id: node.node_id for node in message.nodes}
        return header_of(message), Order(
            order_id=message.order_id,
            update_id=message.order_update_id,
            nodes=tuple(_read_node(node) for node in message.nodes),
            edges=tuple(_read_edge(edge, nodes) for edge in message.edges),
        )

    def instant_actions(self, header: Header, actions: Sequence[Action]) -> bytes:
        """Write instant actions."""
        kind = instant_actions.Action
        pair = instant_actions.ActionParameter
        # An instant action blocks nothing in 3.0.
        listed = [_action(kind, pair, replace(one, blocking=Blocking.NONE)) for one in actions]
        return self._encode(v3.InstantActions(**self._common(header), actions=listed))

    def read_instant_actions(self, payload: bytes) -> tuple[Header, tuple[Action, ...]]:
        """Read instant actions."""
        message: v3.InstantActions = self._decode(Topic.INSTANT_ACTIONS, payload)
        return header_of(message), tuple(_read_action(one) for one in message.actions)

    # --- state ---

    def state(self, header: Header, told: VehicleState) -> bytes:
        """Write a state."""
        return self._encode(
            v3.State(
                **self._common(header),
                order_id=told.order_id,
                order_update_id=told.update_id,
                last_node_id=told.last_node,
                last_node_sequence_id=told.last_sequence,
                driving=told.driving,
                paused=told.paused,
                new_base_request=told.base_wanted,
                operating_mode=_MODES_OUT[told.mode],
                node_states=[
                    state.NodeState(
                        node_id=one.id, sequence_id=one.sequence_id, released=one.released
                    )
                    for one in told.nodes
                ],
                edge_states=[
                    state.EdgeState(
                        edge_id=one.id, sequence_id=one.sequence_id, released=one.released
                    )
                    for one in told.edges
                ],
                action_states=[_action_state(one) for one in told.actions],
                instant_action_states=[],
                mobile_robot_position=UNSET
                if told.position is None
                else state.MobileRobotPosition(
                    x=told.position.x,
                    y=told.position.y,
                    theta=told.position.theta,
                    map_id=told.position.map_id,
                    localized=told.position.known,
                ),
                loads=[state.Load(load_id=one) for one in told.loads],
                power_supply=state.PowerSupply(
                    state_of_charge=told.charge_percent, charging=told.charging
                ),
                errors=[
                    state.Error(
                        error_type=one.kind,
                        error_level=_LEVELS_OUT.get(one.level, "FATAL"),
                        error_description=one.text or UNSET,
                        error_references=[
                            state.Reference(reference_key=key, reference_value=value)
                            for key, value in one.references.items()
                        ],
                    )
                    for one in told.faults
                ],
                safety_state=state.SafetyState(
                    active_emergency_stop="MANUAL" if told.emergency_stop else "NONE",
                    field_violation=told.field_violation,
                ),
            )
        )

    def read_state(self, payload: bytes) -> VehicleState:
        """Read a state."""
        message: v3.State = self._decode(Topic.STATE, payload)
        position = message.mobile_robot_position
        return VehicleState(
            header_id=message.header_id,
            sent_utc_ns=seconds_of(message.timestamp),
            order_id=message.order_id,
            update_id=message.order_update_id,
            last_node=message.last_node_id,
            last_sequence=message.last_node_sequence_id,
            driving=message.driving,
            paused=given(message.paused, default=False),
            base_wanted=given(message.new_base_request, default=False),
            mode=OperatingMode(message.operating_mode.replace("_", "")),
            nodes=tuple(
                Ahead(one.node_id, one.sequence_id, one.released) for one in message.node_states
            ),
            edges=tuple(
                Ahead(one.edge_id, one.sequence_id, one.released) for one in message.edge_states
            ),
            actions=tuple(
                ActionState(
                    action_id=one.action_id,
                    action_type=given(one.action_type, ""),
                    status=ActionStatus(one.action_status),
                    result=given(one.action_result, ""),
                )
                for one in (*message.action_states, *message.instant_action_states)
            ),
            position=None
            if position is UNSET
            else Position(
                x=position.x,
                y=position.y,
                theta=position.theta,
                map_id=position.map_id,
                known=position.localized,
            ),
            loads=tuple(given(one.load_id, "") for one in given(message.loads, [])),
            charge_percent=message.power_supply.state_of_charge,
            charging=message.power_supply.charging,
            faults=tuple(
                Fault(
                    kind=one.error_type,
                    level=one.error_level,
                    text=given(one.error_description, ""),
                    references=references(one.error_references),
                )
                for one in message.errors
            ),
            emergency_stop=message.safety_state.active_emergency_stop != "NONE",
            field_violation=message.safety_state.field_violation,
        )

    # --- the rest ---

    def connection(self, header: Header, presence: Presence) -> bytes:
        """Write what stands on the connection topic."""
        told: Any = _BROKEN if presence is Presence.BROKEN else presence.value
        return self._encode(v3.Connection(**self._common(header), connection_state=told))

    def read_connection(self, payload: bytes) -> tuple[Header, Presence]:
        """Read what stands on the connection topic."""
        message: v3.Connection = self._decode(Topic.CONNECTION, payload)
        return header_of(message), Presence(message.connection_state.replace("_", ""))

    def visualization(self, header: Header, told: VehicleState) -> bytes:
        """Write where the vehicle is."""
        place = told.position or Position(x=0.0, y=0.0, known=False)
        return self._encode(
            v3.Visualization(
                **self._common(header),
                reference_state_header_id=told.header_id,
                mobile_robot_position=visualization.MobileRobotPosition(
                    x=place.x,
                    y=place.y,
                    theta=place.theta,
                    map_id=place.map_id,
                    localized=place.known,
                ),
            )
        )

    def factsheet(self, header: Header, limits: Limits) -> bytes:
        """Write a factsheet."""
        return self._encode(
            v3.Factsheet(
                **self._common(header),
                type_specification=factsheet.TypeSpecification(
                    series_name="simulated",
                    mobile_robot_kinematics="DIFFERENTIAL",
                    mobile_robot_class="FORKLIFT",
                    maximum_load_mass=limits.load_max or 0.0,
                    localization_types=["NATURAL"],
                    navigation_types=["AUTONOMOUS"],
                ),
                physical_parameters=factsheet.PhysicalParameters(
                    minimum_speed=0.0,
                    maximum_speed=limits.speed_max or 0.0,
                    maximum_acceleration=1.0,
                    maximum_deceleration=1.0,
                    minimum_height=0.5,
                    maximum_height=2.0,
                    width=0.9,
                    length=1.4,
                ),
                protocol_limits=factsheet.ProtocolLimits(
                    maximum_string_lengths=factsheet.MaximumStringLengths(
                        maximum_id_length=maybe(limits.max_id_length)
                    ),
                    maximum_array_lengths=factsheet.MaximumArrayLengths(
                        order_nodes=maybe(limits.max_nodes),
                        order_edges=maybe(limits.max_edges),
                        node_actions=maybe(limits.max_actions_per_node),
                    ),
                    timing=factsheet.Timing(minimum_order_interval=0.0, minimum_state_interval=0.0),
                ),
                protocol_features=factsheet.ProtocolFeatures(
                    optional_parameters=[],
                    mobile_robot_actions=[
                        factsheet.SupportedAction(
                            action_type=one,
                            action_scopes=["NODE"],
                            pause_allowed=True,
                            cancel_allowed=True,
                        )
                        for one in sorted(limits.actions or ())
                    ],
                ),
                mobile_robot_geometry=factsheet.MobileRobotGeometry(),
                load_specification=factsheet.LoadSpecification(),
            )
        )

    def read_factsheet(self, payload: bytes) -> Limits:
        """Read what bounds an order."""
        message: v3.Factsheet = self._decode(Topic.FACTSHEET, payload)
        arrays = message.protocol_limits.maximum_array_lengths
        return Limits(
            actions=supported(message.protocol_features.mobile_robot_actions),
            max_nodes=given(arrays.order_nodes, 0) or None,
            max_edges=given(arrays.order_edges, 0) or None,
            max_actions_per_node=given(arrays.node_actions, 0) or None,
            max_id_length=given(message.protocol_limits.maximum_string_lengths.maximum_id_length, 0)
            or None,
            speed_max=message.physical_parameters.maximum_speed,
            load_max=message.type_specification.maximum_load_mass,
        )


_BROKEN = "CONNECTION_BROKEN"
_MODES_OUT: dict[str, Any] = {mode.value: mode.value for mode in OperatingMode} | {
    "TEACHIN": "TEACH_IN"
}
_LEVELS_OUT: dict[str, Any] = {level: level for level in ("WARNING", "URGENT", "CRITICAL", "FATAL")}


def _action(kind: Any, pair: Any, action: Action) -> Any:
    return kind(
        action_type=action.action_type,
        action_id=action.action_id,
        blocking_type=action.blocking.value,
        action_parameters=action_pairs(pair, action.parameters),
    )


def _action_state(told: ActionState) -> state.ActionState:
    return state.ActionState(
        action_id=told.action_id,
        action_type=told.action_type or UNSET,
        action_status=told.status.value,
        action_result=told.result or UNSET,
    )


def _read_action(action: Any) -> Action:
    return Action(
        action_type=action.action_type,
        action_id=action.action_id,
        blocking=Blocking(action.blocking_type),
        parameters=parameters(action.action_parameters),
    )


def _node(node: Node) -> order.Node:
    position: Any = UNSET
    if node.x is not None and node.y is not None:
        position = order.NodePosition(
            x=node.x, y=node.y, theta=maybe(node.theta), map_id=node.map_id
        )
    return order.Node(
        node_id=node.node_id,
        sequence_id=node.sequence_id,
        released=node.released,
        node_position=position,
        actions=[_action(order.Action, order.ActionParameter, one) for one in node.actions],
    )


def _read_node(node: order.Node) -> Node:
    position = node.node_position
    placed = {} if position is UNSET else {"x": position.x, "y": position.y}
    return Node(
        node_id=node.node_id,
        sequence_id=node.sequence_id,
        released=node.released,
        theta=None if position is UNSET else given(position.theta, None),
        map_id="" if position is UNSET else position.map_id,
        actions=tuple(_read_action(one) for one in node.actions),
        **placed,
    )


def _edge(edge: Edge) -> order.Edge:
    return order.Edge(
        edge_id=edge.edge_id,
        sequence_id=edge.sequence_id,
        released=edge.released,
        length=maybe(edge.length),
        maximum_speed=maybe(edge.max_speed),
        actions=[_action(order.Action, order.ActionParameter, one) for one in edge.actions],
    )


def _read_edge(edge: order.Edge, nodes: Mapping[int, str]) -> Edge:
    """Read an edge; its ends are the nodes whose sequence ids are next to its own."""
    ends = nodes.get(edge.sequence_id - 1, ""), nodes.get(edge.sequence_id + 1, "")
    return Edge(
        edge_id=edge.edge_id,
        sequence_id=edge.sequence_id,
        released=edge.released,
        start=ends[0],
        end=ends[1],
        length=given(edge.length, None),
        max_speed=given(edge.maximum_speed, None),
        actions=tuple(_read_action(one) for one in edge.actions),
    )
