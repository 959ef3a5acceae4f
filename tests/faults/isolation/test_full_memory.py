"""A memory that is full when a picture is to be put into it: refused and named, nothing crashes.

The limit is the kernel's: with ``RLIMIT_FSIZE`` it grants the anonymous file of the frames no more
than so many bytes, as it would with nothing left, and says so at ``posix_fallocate``.
"""

from __future__ import annotations

import asyncio
import resource
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import bad_agents
import numpy as np
import pytest
from PIL import Image

from millhand.contracts import Mode
from millhand.engine import Engine
from millhand.journal.records import Alarm, AlarmState, Cause, Intent, Outcome, OutcomeStatus
from millhand.plugins import Plugins, hookimpl
from millhand.plugins.registrations import AdapterType, AgentType, Face
from millhand.scenario.load import load_text
from millhand.testing import PlayedPlc

pytestmark = pytest.mark.skipif(
    not sys.platform.startswith("linux"), reason="frames are in a memfd on Linux alone"
)

SMALL, LARGE = 64, 1600
"""Pixels of a side: 12 KB and 7.7 MB."""
GRANTED = 4 * 2**20
DEADLINE_S = 5.0
CELL = """
millhand: 1
name: cell
devices:
  plc: &plc
    adapter: memory
    triggers: {{trigger: {{record: Trigger}}}}
    channels: {{result: {{record: Command, answers: Answers, confirm: echo}}}}
    lease: {{record: Lease, every: 500 ms}}
  other_plc:
    adapter: memory
    triggers: {{trigger: {{record: Trigger}}}}
    channels: {{result: {{record: Command, answers: Answers, confirm: echo}}}}
    lease: {{record: Lease, every: 500 ms}}
  camera: {{adapter: folder, path: {pictures}}}
agents:
  looks:
    use: test.looks
    max_mode: control
    when: plc.trigger
    see: {{frame: camera}}
    may: {{disposition: plc.result}}
    deadline: 5 s
  neighbour:
    use: test.good
    max_mode: control
    when: other_plc.trigger
    may: {{disposition: other_plc.result}}
    deadline: 5 s
workers:
  looks: {{spare: false}}
  neighbour: {{spare: false}}
""".replace("&plc", "")


class Plugin:
    @hookimpl
    def millhand_agents(self) -> list[AgentType]:
        return [
            AgentType("test.looks", "looking:Looks", "looks"),
            AgentType("test.good", "bad_agents:Good", "good"),
        ]

    @hookimpl
    def millhand_adapters(self) -> list[AdapterType]:
        tags, camera = frozenset({Face.TAGS}), frozenset({Face.CAMERA})
        return [
            AdapterType("memory", "millhand.testing.memory:MemoryTags", "memory", faces=tags),
            AdapterType("folder", "millhand_cameras.folder:FolderCamera", "files", faces=camera),
        ]


@contextmanager
def full_memory() -> Iterator[None]:
    """Have the kernel grant this process no larger file, for a while."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (GRANTED, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


class Line:
    """A running cell: one agent that looks, and a neighbour that is given parts all the time."""

    def __init__(self, engine: Engine, plc: PlayedPlc, other: PlayedPlc) -> None:
        self.engine = engine
        self._plc, self._other = plc, other

    async def part(self, seq: int) -> Intent:
        after = self.engine.journal.head
        await self._plc.part(seq)
        async for entry in self.engine.journal.cursor(after=after, kinds=("intent",)):
            if entry.subject == "looks":
                assert isinstance(entry.record, Intent)
                return entry.record
        raise AssertionError("the journal was closed")

    async def feed_neighbour(self) -> None:
        seq = 0
        while True:
            seq += 1
            await self._other.part(seq)
            await asyncio.sleep(0.04)

    def alarms(self, name: str) -> list[AlarmState]:
        records = [entry.record for entry in self.engine.journal.read(kinds=("alarm",))]
        return [one.state for one in records if isinstance(one, Alarm) and one.name == name]

    async def check_neighbour(self) -> None:
        """Every part of the neighbour was decided, confirmed, and in time."""
        seen = 0
        async for entry in self.engine.journal.cursor(kinds=("outcome",)):
            seen += entry.subject == "neighbour"
            if seen > 20:
                break
        for entry in self.engine.journal.read(kinds=("intent",), subject="neighbour", limit=None):
            assert isinstance(entry.record, Intent)
            assert entry.record.cause is Cause.DECIDED
        for entry in self.engine.journal.read(kinds=("outcome",), subject="neighbour", limit=None):
            assert isinstance(entry.record, Outcome)
            assert entry.record.status is OutcomeStatus.CONFIRMED
            assert entry.record.stages_ns["answered"] < DEADLINE_S * 1e9


async def test_a_picture_that_finds_no_memory_is_refused_and_the_next_one_is_seen(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PYTHONPATH", str(Path(bad_agents.__file__).parent))
    pictures = tmp_path / "pictures"
    pictures.mkdir()
    for number, side in enumerate((SMALL, LARGE, SMALL, LARGE), 1):
        pixels = np.full((side, side, 3), 50 * number, np.uint8)
        Image.fromarray(pixels).save(pictures / f"{number}.png")
    scenario = load_text(CELL.format(pictures=pictures), tmp_path / "scenario.yaml")
    plugins = Plugins.discover([Plugin()], entry_points=False)
    plc, other = PlayedPlc(name="plc"), PlayedPlc(name="other_plc")
    devices = {"plc": plc, "other_plc": other}
    async with Engine(scenario, plugins=plugins, devices=devices) as engine:
        for agent in ("looks", "neighbour"):
            engine.set_mode(agent, Mode.CONTROL, by="test")
        line = Line(engine, plc, other)
        feeding = asyncio.create_task(line.feed_neighbour())
        try:
            assert (await line.part(1)).decision.scores == {"mean": 50.0}
            with full_memory():
                refused = await line.part(2)
                assert refused.cause is Cause.BLIND
                assert "memory" in refused.decision.reason
                assert line.alarms("memory_full") == [AlarmState.ACTIVE]
                assert (await line.part(3)).decision.scores == {"mean": 150.0}, "it has room"
                assert line.alarms("memory_full") == [AlarmState.ACTIVE, AlarmState.CLEARED]
            assert (await line.part(4)).decision.scores == {"mean": 200.0}
            await line.check_neighbour()
            assert line.alarms("agent_failed") == [], "the agent is not to blame"
            assert engine.snapshot().agents_ready["looks"]
        finally:
            feeding.cancel()
