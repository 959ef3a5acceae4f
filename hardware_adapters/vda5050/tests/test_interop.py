"""With an implementation that is not ours: vda5050-sdk (MIT), as vehicle and as fleet control."""

from __future__ import annotations

import asyncio
from typing import Any, Self

import pytest

from millhand.contracts import SkillStatus
from millhand_mqtt.broker import BrokerConfig
from millhand_vda5050.adapter import Vda5050
from millhand_vda5050.simulated.fleet import SimulatedFleet
from millhand_vda5050.simulated.world import Character

sdk = pytest.importorskip("vda5050", reason="vda5050-sdk is not installed")
pytest.importorskip(
    "aiomqtt", reason="vda5050-sdk speaks MQTT over aiomqtt, which is not installed"
)

ROW = [f"n{column}-0" for column in range(6)]


class TheirVehicle:
    """A vehicle on their client and executor."""

    def __init__(self, broker: Any) -> None:
        config = sdk.VehicleConfig(
            manufacturer="other", serial_number="T1", broker_url=broker.url, validate_messages=True
        )
        self.client = sdk.VehicleClient(config)
        self.taken: list[tuple[str, int]] = []
        self._tasks: list[asyncio.Task[Any]] = []

    async def __aenter__(self) -> Self:
        await self.client.connect()
        self.client.publisher.init_position(
            x=0.0, y=0.0, theta=0.0, map_id="map", last_node_id=ROW[0]
        )
        self.client.on_order(self._drive)
        await self.client.publish_state()
        return self

    async def __aexit__(self, *_: object) -> None:
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        await self.client.disconnect()

    async def _drive(self, order: Any) -> None:
        self.taken.append((order.order_id, order.order_update_id))
        await self.client.publish_state()
        self._tasks.append(asyncio.create_task(self._follow(order)))

    async def _follow(self, order: Any) -> None:
        edges = {edge.sequence_id: edge for edge in order.edges}
        for node in order.nodes:
            if not node.released:
                break
            edge = edges.get(node.sequence_id - 1)
            if edge is not None:
                await asyncio.sleep(0.25)  # 4 m sooner would be a jump, and doubted
                self.client.mark_edge_traversed(edge.edge_id, edge.sequence_id)
            self.client.update_position(
                x=node.node_position.x, y=node.node_position.y, theta=0.0, map_id="map"
            )
            self.client.mark_node_traversed(node.node_id, node.sequence_id)
            for action in node.actions:
                self.client.report_action(
                    action.action_id, sdk.ActionStatus.FINISHED, action_type=action.action_type
                )
            await self.client.publish_state()


@pytest.fixture
def control(layout: Any, tmp_path: Any) -> Any:
    def build(broker: Any) -> Vda5050:
        file = tmp_path / "layout.json"
        file.write_text(layout.model_dump_json(by_alias=True))
        config = Vda5050.Config.model_validate(
            {
                "url": broker.url,
                "vehicles": {"theirs": {"serial": "T1", "manufacturer": "other"}},
                "layout": str(file),
                "silent_after_s": 60,
            }
        )
        tags = {"node": "theirs.node", "online": "theirs.online", "malformed": "theirs.malformed"}
        return Vda5050(
            "agvs", config, {name: Vda5050.Tag.model_validate(tag) for name, tag in tags.items()}
        )

    return build


async def test_their_vehicle_under_our_control(broker, control, cell_of, eventually) -> None:
    async with control(broker) as ours, TheirVehicle(broker) as theirs:
        await ours.wait_connected(20)
        one = cell_of(ours)
        async with asyncio.timeout(20):
            while not await one.value("online"):
                await asyncio.sleep(0.02)
        goal: dict[str, Any] = {"vehicle": "theirs", "order_id": "o1"}
        base = {"path": ROW[:4], "released": 2}
        assert await one.ends("order", **base, **goal) is SkillStatus.SUCCEEDED
        assert await one.ends("order", **base, **goal) is SkillStatus.SUCCEEDED
        async with asyncio.timeout(20):
            while await one.value("node") != ROW[1]:
                await asyncio.sleep(0.02)
        update = {"path": ROW[1:4], "first_sequence": 2, "update_id": 1, "action": "pick"}
        assert await one.ends("order", **update, **goal) is SkillStatus.SUCCEEDED
        async with asyncio.timeout(20):
            while await one.value("node") != ROW[3]:
                await asyncio.sleep(0.02)
        assert theirs.taken == [("o1", 0), ("o1", 1)]
        ask = {"vehicle": "theirs", "action": "stateRequest", "action_id": "a1"}
        assert await one.ends("instant", **ask) is SkillStatus.SUCCEEDED
        assert await one.value("malformed") == 0
    del eventually


async def test_our_vehicle_under_their_control(broker, layout, eventually) -> None:
    fleet = SimulatedFleet(
        {"agv1": ROW[0]},
        layout,
        BrokerConfig.model_validate({"url": broker.url}),
        character=Character(speed=30.0, acceleration=120.0, handling_s=0.1),
        state_every_s=0.2,
    )
    async with fleet:
        await fleet.wait_connected(20)
        config = sdk.MasterConfig(broker_url=broker.url, validate_messages=True)
        heard: list[Any] = []
        async with sdk.MasterClient(config) as master:
            master.on_state(lambda state, _key: heard.append(state))
            await eventually(lambda: heard)
            builder = sdk.OrderBuilder(
                order_id="theirs-1", manufacturer="millhand", serial_number="agv1"
            )
            for column, name in enumerate(ROW):
                if column:
                    builder.add_edge(ROW[column - 1], name)
                builder.add_node(name, x=4.0 * column, y=0.0, theta=0.0, map_id="map")
            await master.dispatch(builder.build(), target="millhand/agv1")
            await eventually(lambda: heard[-1].last_node_id == ROW[-1])
        vehicle = fleet.at_broker["agv1"]
        assert vehicle.vehicle.begun == [("theirs-1", 0)]
        assert vehicle.malformed == 0
        assert heard[-1].order_id == "theirs-1"
