"""A whole cell: transports asked for as events, dispatched, driven by simulated vehicles, once."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from millhand.contracts import CustomEvent, Mode
from millhand.engine import Engine
from millhand.journal.records import OutcomeStatus, Published
from millhand.plugins import Plugins, hookimpl
from millhand.plugins.registrations import AgentType
from millhand.scenario.load import load_text
from millhand_logistics.fleet.agent import COLUMNS
from millhand_mqtt import testing
from millhand_mqtt.broker import BrokerConfig
from millhand_vda5050.simulated.fleet import SimulatedFleet, grid
from millhand_vda5050.simulated.world import Character

STARTS = {"agv1": "n0-0", "agv2": "n5-3", "agv3": "n0-3"}
TRANSPORTS = [
    ["t1", "n1-0", "n4-3"],
    ["t2", "n4-0", "n1-3"],
    ["t3", "n2-2", "n5-0"],
    ["t4", "n0-2", "n3-1"],
    ["t5", "n5-2", "n0-0"],
]
SCENARIO = """
millhand: 1
name: hall
devices:
  agvs:
    adapter: vda5050
    url: {url}
    retry_limit_s: 0.1
    confirm_s: 0.5
    vehicles: {{agv1: agv1, agv2: agv2, agv3: agv3}}
    layout: layout.json
    tags: {{{tags}}}
agents:
  planner:
    use: test.planner
    max_mode: control
    when: every 100 ms
    light: true
    deadline: 1 s
    config: {{transports: {transports}}}
  fleet:
    use: logistics.fleet
    max_mode: control
    when: [every 200 ms, event custom/1]
    see: {{{see}}}
    may: {{orders: agvs}}
    deadline: 1 s
    config: {{layout: layout.json, chargers: [n3-3], tries: 50}}
"""


class Plugin:
    @hookimpl
    def millhand_agents(self) -> list[AgentType]:
        return [AgentType("test.planner", "transport_planner:TransportPlanner", "asks")]


@pytest.fixture
def scenario_text(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> str:
    monkeypatch.syspath_prepend(str(Path(__file__).parent / "support"))
    (tmp_path / "layout.json").write_text(grid(6, 4).model_dump_json(by_alias=True))
    return SCENARIO.format(
        url="{url}",
        tags=", ".join(f"{column}: fleet.{column}" for column in COLUMNS),
        see=", ".join(f"{column}: agvs.{column}" for column in COLUMNS),
        transports=TRANSPORTS,
    )


@pytest.mark.timeout(180)
async def test_each_transport_is_driven_once_through_broker_kills(
    scenario_text: str, tmp_path: Path
) -> None:
    if testing.BINARY is None:
        pytest.skip(testing.MISSING)
    broker = testing.Mosquitto(tmp_path)
    await broker.start()
    fleet = SimulatedFleet(
        STARTS,
        grid(6, 4),
        BrokerConfig.model_validate({"url": broker.url, "retry_limit_s": 0.1}),
        character=Character(speed=20.0, acceleration=80.0, handling_s=0.2),
        state_every_s=0.2,
    )
    plugins = Plugins.discover([Plugin()])
    scenario = load_text(scenario_text.replace("{url}", broker.url), tmp_path / "scenario.yaml")
    try:
        async with fleet, Engine(scenario, plugins=plugins) as engine:
            await fleet.wait_connected(20)
            for agent in ("planner", "fleet"):
                engine.set_mode(agent, Mode.CONTROL, by="test")
            killing = asyncio.create_task(kill_now_and_then(broker))
            try:
                done = await transports_done(engine, len(TRANSPORTS))
            finally:
                killing.cancel()
                await asyncio.gather(killing, return_exceptions=True)
            outcomes = [
                entry.record.status
                for entry in engine.journal.read(kinds=("outcome",), subject="fleet")
            ]
    finally:
        broker.kill()
    assert sorted(done) == [name for name, _, _ in TRANSPORTS]
    assert OutcomeStatus.CONFIRMED in outcomes
    picked = [
        action for truth in fleet.vehicles.values() for action in truth.executed if "pick" in action
    ]
    assert len(picked) == len(TRANSPORTS)
    for truth in fleet.vehicles.values():
        assert set(truth.executed.values()) <= {1}, "an action was carried out twice"
        assert len(truth.begun) == len(set(truth.begun)), "an order was taken twice"
        assert not truth.state(0).loads
    assert fleet.world.conflicts == 0


async def kill_now_and_then(broker: testing.Mosquitto) -> None:
    """Kill the broker three times while orders are under way."""
    for _ in range(3):
        await asyncio.sleep(0.9)
        broker.kill()
        await broker.start()


async def transports_done(engine: Engine, count: int) -> list[str]:
    found: list[str] = []
    async with asyncio.timeout(120):
        async for entry in engine.journal.cursor(kinds=("event",)):
            body = entry.record.event.body if isinstance(entry.record, Published) else None
            if isinstance(body, CustomEvent) and body.name == "logistics.transport_done":
                found.append(str(body.data["id"]))
                if len(found) == count:
                    return found
    raise AssertionError("the journal was closed")
