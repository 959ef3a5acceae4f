"""An accelerator is lost while the cell runs: the next answers, an alarm, it comes back."""

from __future__ import annotations

import shutil
from pathlib import Path

import breakable
import pytest

from millhand.engine import Engine
from millhand.journal.records import Alarm, AlarmState, Cause, Intent
from millhand.models.package import open_package
from millhand.plugins import Plugins, hookimpl
from millhand.plugins.registrations import AdapterType, AgentType, Face
from millhand.scenario.load import load_text

PACKAGE = Path(__file__).parents[3] / "scenarios" / "casting_cell" / "models" / "impeller"
CELL = """
millhand: 1
name: cell
devices:
  npu: {{adapter: breakable, broken: {folder}/npu-lost}}
  cpu: {{adapter: breakable, broken: {folder}/cpu-lost}}
agents:
  asks:
    use: test.asks
    config: {{name: {name}, shape: {shape}, dtype: {dtype}}}
    when: every 100 ms
    model: {{m: model}}
    accelerator: [npu, cpu]
    deadline: 5 s
workers:
  asks: {{spare: false}}
"""


class Plugin:
    @hookimpl
    def millhand_agents(self) -> list[AgentType]:
        return [AgentType("test.asks", "breakable:Asks", "asks")]

    @hookimpl
    def millhand_adapters(self) -> list[AdapterType]:
        faces = frozenset({Face.ACCELERATOR})
        return [AdapterType("breakable", "breakable:Breakable", "breaks", faces=faces)]


async def wait_for(engine: Engine, state: AlarmState, after: int) -> Alarm:
    async for entry in engine.journal.cursor(after=after, kinds=("alarm",)):
        alarm = entry.record
        if isinstance(alarm, Alarm) and alarm.name == "accelerator_failed":
            assert alarm.state is state
            return alarm
    raise AssertionError("the journal was closed")


async def next_cause(engine: Engine) -> Cause:
    async for entry in engine.journal.cursor(after=engine.journal.head, kinds=("intent",)):
        assert isinstance(entry.record, Intent)
        return entry.record.cause
    raise AssertionError("the journal was closed")


async def test_the_next_rung_answers_and_the_lost_one_comes_back_by_itself(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PYTHONPATH", str(Path(breakable.__file__).parent))
    shutil.copytree(PACKAGE, tmp_path / "model")
    (spec,) = open_package(tmp_path / "model").manifest.inputs
    shape = [size if isinstance(size, int) else 1 for size in spec.shape]
    text = CELL.format(folder=tmp_path, name=spec.name, shape=shape, dtype=spec.dtype)
    scenario = load_text(text, tmp_path / "scenario.yaml")
    plugins = Plugins.discover([Plugin()], entry_points=False)
    async with Engine(scenario, plugins=plugins) as engine:
        assert await next_cause(engine) is Cause.DECIDED
        start = engine.journal.head
        (tmp_path / "npu-lost").touch()
        alarm = await wait_for(engine, AlarmState.ACTIVE, start)
        assert (alarm.source, "lost" in alarm.text) == ("asks.npu", True)
        assert await next_cause(engine) is Cause.DECIDED
        lost = engine.journal.head
        (tmp_path / "npu-lost").unlink()
        await wait_for(engine, AlarmState.CLEARED, lost)
        assert await next_cause(engine) is Cause.DECIDED
        causes = {e.record.cause for e in engine.journal.read(after=start, kinds=("intent",))}  # type: ignore[union-attr]
    assert causes == {Cause.DECIDED}, "every tick was answered in time"
