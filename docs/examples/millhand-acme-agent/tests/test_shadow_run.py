"""The agent in the engine, on a PLC and a scale that the test plays."""

from __future__ import annotations

from pathlib import Path

import millhand_acme_agent

from millhand.contracts import Disposition, Mode
from millhand.engine import Engine
from millhand.journal.entries import Entry
from millhand.plugins import Plugins
from millhand.scenario.load import load_text
from millhand.testing import MemoryTags, PlayedPlc

SCENARIO = """
millhand: 1
name: weighing
devices:
  plc:
    adapter: opcua
    url: opc.tcp://192.168.0.10:4840
    namespace: urn:acme:plc
    triggers: {trigger: {record: s=Cell.Trigger}}
    channels: {result: {record: s=Cell.Command, answers: s=Cell.Answers, confirm: echo}}
    lease: {record: s=Cell.Lease}
  scale:
    adapter: acme.scale
    host: 192.168.0.11
    tags: {weight: GROSS}
agents:
  checkweigher:
    use: acme.checkweigher
    config: {nominal_g: 500, tolerance_g: 5}
    max_mode: control
    when: plc.trigger
    see: {weight: scale.weight}
    may: {disposition: plc.result}
    deadline: 2 s
"""


async def entries(engine: Engine, kind: str, count: int) -> list[Entry]:
    """Return the first entries of a kind as soon as so many are journalled."""
    found: list[Entry] = []
    async for entry in engine.journal.cursor(kinds=(kind,)):
        found.append(entry)
        if len(found) == count:
            break
    return found


async def test_in_shadow_it_decides_and_writes_nothing(tmp_path: Path) -> None:
    plc, scale = PlayedPlc(), MemoryTags("scale", values={"weight": 500.0})
    plugins = Plugins.discover([millhand_acme_agent], entry_points=False)
    scenario = load_text(SCENARIO, tmp_path / "scenario.yaml")
    async with Engine(scenario, plugins=plugins, devices={"plc": plc, "scale": scale}) as engine:
        for number, weight in enumerate((500.0, 520.0, None), start=1):
            await scale.set(weight=weight)
            await plc.part(number)
            await entries(engine, "outcome", number)
        intents = [entry.record for entry in await entries(engine, "intent", 3)]
    assert [intent.disposition for intent in intents] == [
        Disposition.PASS,
        Disposition.REJECT,
        Disposition.DIVERT,
    ]
    assert {intent.mode for intent in intents} == {Mode.SHADOW}
    assert plc.commands == []


async def test_in_control_the_plc_gets_one_command_for_each_part(tmp_path: Path) -> None:
    plc, scale = PlayedPlc(), MemoryTags("scale", values={"weight": 520.0})
    plugins = Plugins.discover([millhand_acme_agent], entry_points=False)
    scenario = load_text(SCENARIO, tmp_path / "scenario.yaml")
    async with Engine(scenario, plugins=plugins, devices={"plc": plc, "scale": scale}) as engine:
        engine.set_mode("checkweigher", Mode.CONTROL, by="test")
        await plc.part(1)
        await entries(engine, "outcome", 1)
    assert [(command["part_id"], command["result"]) for command in plc.commands] == [("P1", 2)]
