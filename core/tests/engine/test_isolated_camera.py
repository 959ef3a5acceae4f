"""``isolate: process``: a camera that crashes costs its part a divert, and nothing else."""

from __future__ import annotations

import os
import signal
from pathlib import Path

import pytest
import sample_cameras

from millhand.contracts import Mode, Verdict
from millhand.engine import Engine
from millhand.errors import ConfigError
from millhand.journal.records import AlarmState, Cause
from millhand.plugins import Plugins, hookimpl
from millhand.plugins.registrations import AdapterType, AgentType, Face
from millhand.scenario.load import load_text
from millhand.testing import PlayedPlc

CELL = """
millhand: 1
name: cell
devices:
  plc:
    adapter: memory
    triggers: {trigger: {record: Trigger}}
    channels: {result: {record: Command, answers: Answers, confirm: echo, default: reject}}
    lease: {record: Lease, every: 50 ms}
  camera: {adapter: test.camera, isolate: process, password: "env:CAMERA_PASSWORD"}
agents:
  inspector:
    use: test.looks
    max_mode: control
    when: plc.trigger
    see: {frame: camera}
    may: {disposition: plc.result}
    deadline: 20 s
    light: true
"""


class Plugin:
    @hookimpl
    def millhand_agents(self) -> list[AgentType]:
        return [AgentType("test.looks", "sample_cameras:Looks", "looks")]

    @hookimpl
    def millhand_adapters(self) -> list[AdapterType]:
        tags, camera = frozenset({Face.TAGS}), frozenset({Face.CAMERA})
        return [
            AdapterType("memory", "millhand.testing.memory:MemoryTags", "memory", faces=tags),
            AdapterType("test.camera", "sample_cameras:Camera", "camera", faces=camera),
        ]


@pytest.fixture
def plugins(monkeypatch: pytest.MonkeyPatch) -> Plugins:
    monkeypatch.setenv("PYTHONPATH", str(Path(sample_cameras.__file__).parent))
    monkeypatch.setenv("CAMERA_PASSWORD", "s3cret")
    return Plugins.discover([Plugin()], entry_points=False)


async def test_the_engine_outlives_its_cameras_process(tmp_path, plugins, wait_for) -> None:
    plc = PlayedPlc()
    scenario = load_text(CELL, tmp_path / "scenario.yaml")
    async with Engine(scenario, plugins=plugins, devices={"plc": plc}) as engine:
        engine.set_mode("inspector", Mode.CONTROL, by="test")
        await plc.part(1)
        await wait_for(engine, "outcome", 1)
        camera = engine._cell.devices["camera"]
        os.kill(camera.pid, signal.SIGSEGV)
        down = await wait_for(engine, "alarm", 1, subject="camera")
        await plc.part(2)
        await wait_for(engine, "outcome", 2)
        both = await wait_for(engine, "alarm", 2, subject="camera")
        await plc.part(3)
        await wait_for(engine, "outcome", 3)
        first, second, third = (
            entry.record for entry in engine.journal.read(kinds=("intent",), limit=10)
        )
    assert down[0].record.name == "device_down"
    assert "SIGSEGV" in down[0].record.text
    assert both[1].record.state is AlarmState.CLEARED
    assert first.decision.verdict is Verdict.OK
    assert second.cause is Cause.BLIND
    assert second.decision.verdict is Verdict.NOT_DECIDABLE
    assert third.decision.verdict is Verdict.OK
    assert len(plc.commands) == 3
    origins = [one.observation.frames["frame"].ref.origin for one in (first, third)]
    assert all(origin.endswith("s3cret") for origin in origins)
    assert len({origin.split()[0] for origin in origins}) == 2


async def test_only_a_camera_may_be_isolated(tmp_path, plugins) -> None:
    text = CELL.replace("adapter: memory\n", "adapter: memory\n    isolate: process\n")
    scenario = load_text(text, tmp_path / "scenario.yaml")
    with pytest.raises(ConfigError, match=r"not only a camera"):
        async with Engine(scenario, plugins=plugins):
            pass
