"""The agent in the engine: a tag of a controller changes, and the journal holds the new plan."""

from __future__ import annotations

from pathlib import Path

import millhand_logistics
from millhand.engine import Engine
from millhand.plugins import Plugins
from millhand.scenario.check import check
from millhand.scenario.load import load_text
from millhand.testing import MemoryTags

SCENARIO = """
millhand: 1
name: pumps
devices:
  plc:
    adapter: opcua
    url: opc.tcp://127.0.0.1:4840
    namespace: urn:acme:plc
    tags: {state: {node: s=Mill.State, type: int32}}
agents:
  planner:
    use: logistics.schedule
    when: [every 1 h, plc.state changes]
    deadline: 60 s
    config:
      tags: {plc.state: mill}
      repair: 2 h
      shop:
        millhand_shop: 1
        time_zone: UTC
        machines: {lathe: {}, mill: {}}
        orders:
          - id: A
            operations:
              - {id: turn, machine: lathe, time: 1 h}
              - {id: mill, machine: mill, time: 1 h}
"""


def test_a_scenario_is_checked_with_its_shop(tmp_path: Path) -> None:
    plugins = Plugins.discover()
    assert check(load_text(SCENARIO, tmp_path / "scenario.yaml"), plugins) == []
    wrong = SCENARIO.replace("machine: mill, time: 1 h", "machine: mil, time: 1 h")
    (problem,) = check(load_text(wrong, tmp_path / "scenario.yaml"), plugins)
    assert problem.place.line == 19
    assert "There is no machine “mil”" in problem.message


async def test_a_stopped_machine_leads_to_a_new_plan_in_the_journal(tmp_path: Path) -> None:
    plc = MemoryTags("plc", values={"state": 6})
    plugins = Plugins.discover([millhand_logistics], entry_points=False)
    scenario = load_text(SCENARIO, tmp_path / "scenario.yaml")
    async with Engine(scenario, plugins=plugins, devices={"plc": plc}) as engine:
        for state, words in ((9, "mill is down"), (6, "mill runs again")):
            await plc.set(state=state)
            async for entry in engine.journal.cursor(kinds=("intent",)):
                decision = entry.record.decision
                if decision.reason.startswith(words):
                    break
            assert "right-shift" in decision.reason
        assert decision.scores["cost"] <= decision.scores["right_shift_cost"]
        told = [entry.record.event.body for entry in engine.journal.read(kinds=("event",))]
    assert {body.name for body in told} == {"logistics.schedule", "logistics.dispatch"}
