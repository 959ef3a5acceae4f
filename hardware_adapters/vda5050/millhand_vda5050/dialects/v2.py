"""VDA 5050 2.1.0."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from msgspec import UNSET

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
from millhand_vda5050.wire import v2
from millhand_vda5050.wire.codec import Topic, Version
from millhand_vda5050.wire.v2 import factsheet, instant_actions, order, state, visualization


class V2(Dialect):
    """Speaks VDA 5050 2.1.0."""

    version = Version.V2

    # --- orders ---

    def order(self, header: Header, asked: Order) -> bytes:
        """Write an order."""
        return self._encode(
            v2.Order(
                **self._common(header),
                order_id=asked.order_id,
                order_update_id=asked.update_id,
                nodes=[_node(node) for node in asked.nodes],
                edges=[_edge(edge) for edge in asked.edges],
            )
        )

    def read_order(self, payload: bytes) -> tuple[Header, Order]:
        """Read an order."""
        message: v2.Order = self._decode(Topic.ORDER, payload)
        return header_of(message), Order(
            order_id=message.order_id,
            update_id=message.order_update_id,
            nodes=tuple(_read_node(node) for node in message.nodes),
            edges=tuple(_read_edge(edge) for edge in message.edges),
        )

    def instant_actions(self, header: Header, actions: Sequence[Action]) -> bytes:
        """Write instant actions."""
        kind = instant_actions.Action
        listed = [_action(kind, instant_actions.ActionParameter, one) for one in actions]
        return self._encode(v2.InstantActions(**self._common(header), actions=listed))

    def read_instant_actions(self, payload: bytes) -> tuple[Header, tuple[Action, ...]]:
        """Read instant actions."""
        message: v2.InstantActions = self._decode(Topic.INSTANT_ACTIONS, payload)
        return header_of(message), tuple(_read_action(one) for one in message.actions)

    # --- state ---

    def state(self, header: Header, told: VehicleState) -> bytes:
        """Write a state."""
        return self._encode(
            v2.State(
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
                action_states=[
                    state.ActionState(
                        action_id=one.action_id,
                        action_type=one.action_type or UNSET,
                        action_status=_STATUS_OUT[one.status],
                        result_description=one.result or UNSET,
                    )
                    for one in told.actions
                ],
                agv_position=UNSET
                if told.position is None
                else state.AgvPosition(
                    x=told.position.x,
                    y=told.position.y,
                    theta=told.position.theta,
                    map_id=told.position.map_id,
                    position_initialized=told.position.known,
                ),
                loads=[state.Load(load_id=one) for one in told.loads],
                battery_state=state.BatteryState(
                    battery_charge=told.charge_percent, charging=told.charging
                ),
                errors=[
                    state.Error(
                        error_type=one.kind,
                        error_level="FATAL" if one.stops else "WARNING",
                        error_description=one.text or UNSET,
                        error_references=[
                            state.Reference(reference_key=key, reference_value=value)
                            for key, value in one.references.items()
                        ],
                    )
                    for one in told.faults
                ],
                safety_state=state.SafetyState(
                    e_stop="MANUAL" if told.emergency_stop else "NONE",
                    field_violation=told.field_violation,
                ),
            )
        )

    def read_state(self, payload: bytes) -> VehicleState:
        """Read a state."""
        message: v2.State = self._decode(Topic.STATE, payload)
        position = message.agv_position
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
            mode=OperatingMode(message.operating_mode),
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
                    result=given(one.result_description, ""),
                )
                for one in message.action_states
            ),
            position=None
            if position is UNSET
            else Position(
                x=position.x,
                y=position.y,
                theta=position.theta,
                map_id=position.map_id,
                known=position.position_initialized,
            ),
            loads=tuple(given(one.load_id, "") for one in given(message.loads, [])),
            charge_percent=message.battery_state.battery_charge,
            charging=message.battery_state.charging,
            faults=tuple(
                Fault(
                    kind=one.error_type,
                    level=one.error_level,
                    text=given(one.error_description, ""),
                    references=references(one.error_references),
                )
                for one in message.errors
            ),
            emergency_stop=message.safety_state.e_stop != "NONE",
            field_violation=message.safety_state.field_violation,
        )

    # --- the rest ---

    def connection(self, header: Header, presence: Presence) -> bytes:
        """Write what stands on the connection topic."""
        told: Any = Presence.ONLINE if presence is Presence.HIBERNATING else presence
        return self._encode(v2.Connection(**self._common(header), connection_state=told.value))

    def read_connection(self, payload: bytes) -> tuple[Header, Presence]:
        """Read what stands on the connection topic."""
        message: v2.Connection = self._decode(Topic.CONNECTION, payload)
        return header_of(message), Presence(message.connection_state)

    def visualization(self, header: Header, told: VehicleState) -> bytes:
        """Write where the vehicle is."""
        place = told.position or Position(x=0.0, y=0.0, known=False)
        return self._encode(
            v2.Visualization(
                **self._common(header),
                agv_position=visualization.AgvPosition(
                    x=place.x,
                    y=place.y,
                    theta=place.theta,
                    map_id=place.map_id,
                    position_initialized=place.known,
                ),
            )
        )

    def factsheet(self, header: Header, limits: Limits) -> bytes:
        """Write a factsheet."""
        return self._encode(
            v2.Factsheet(
                **self._common(header),
                type_specification=factsheet.TypeSpecification(
                    series_name="simulated",
                    agv_kinematic="DIFF",
                    agv_class="FORKLIFT",
                    max_load_mass=limits.load_max or 0.0,
                    localization_types=["NATURAL"],
                    navigation_types=["AUTONOMOUS"],
                ),
                physical_parameters=factsheet.PhysicalParameters(
                    speed_min=0.0,
                    speed_max=limits.speed_max or 0.0,
                    acceleration_max=1.0,
                    deceleration_max=1.0,
                    height_max=2.0,
                    width=0.9,
                    length=1.4,
                ),
                protocol_limits=factsheet.ProtocolLimits(
                    max_string_lens=factsheet.MaxStringLens(id_len=maybe(limits.max_id_length)),
                    max_array_lens=factsheet.MaxArrayLens(
                        order_nodes=maybe(limits.max_nodes),
                        order_edges=maybe(limits.max_edges),
                        node_actions=maybe(limits.max_actions_per_node),
                    ),
                    timing=factsheet.Timing(min_order_interval=0.0, min_state_interval=0.0),
                ),
                protocol_features=factsheet.ProtocolFeatures(
                    optional_parameters=[],
                    agv_actions=[
                        factsheet.SupportedAction(action_type=one, action_scopes=["NODE"])
                        for one in sorted(limits.actions or ())
                    ],
                ),
                agv_geometry=factsheet.AgvGeometry(),
                load_specification=factsheet.LoadSpecification(),
            )
        )

    def read_factsheet(self, payload: bytes) -> Limits:
        """Read what bounds an order."""
        message: v2.Factsheet = self._decode(Topic.FACTSHEET, payload)
        arrays = message.protocol_limits.max_array_lens
        return Limits(
            actions=supported(message.protocol_features.agv_actions),
            max_nodes=given(arrays.order_nodes, 0) or None,
            max_edges=given(arrays.order_edges, 0) or None,
            max_actions_per_node=given(arrays.node_actions, 0) or None,
            max_id_length=given(message.protocol_limits.max_string_lens.id_len, 0) or None,
            speed_max=message.physical_parameters.speed_max,
            load_max=message.type_specification.max_load_mass,
        )


_STATUS_OUT: dict[str, Any] = {status.value: status.value for status in ActionStatus} | {
    "PAUSED": "RUNNING",
    "RETRIABLE": "WAITING",
}
_MODES_OUT: dict[str, Any] = {mode.value: mode.value for mode in OperatingMode} | {
    "STARTUP": "SERVICE",
    "INTERVENED": "MANUAL",
}


def _action(kind: Any, pair: Any, action: Action) -> Any:
    blocking = Blocking.HARD if action.blocking is Blocking.SINGLE else action.blocking
    return kind(
        action_type=action.action_type,
        action_id=action.action_id,
        blocking_type=blocking.value,
        action_parameters=action_pairs(pair, action.parameters),
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
        start_node_id=edge.start,
        end_node_id=edge.end,
        length=maybe(edge.length),
        max_speed=maybe(edge.max_speed),
        actions=[_action(order.Action, order.ActionParameter, one) for one in edge.actions],
    )


def _read_edge(edge: order.Edge) -> Edge:
    return Edge(
        edge_id=edge.edge_id,
        sequence_id=edge.sequence_id,
        released=edge.released,
        start=edge.start_node_id,
        end=edge.end_node_id,
        length=given(edge.length, None),
        max_speed=given(edge.max_speed, None),
        actions=tuple(_read_action(one) for one in edge.actions),
    )
