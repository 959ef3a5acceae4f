"""A memory that is full when a picture is to be put into it: refused and named, nothing crashes.

The limit is the kernel's: with ``RLIMIT_FSIZE`` it grants the anonymous file of the frames no more
than so many bytes, as it would with nothing left, and says so at ``posix_fallocate``.
"""

from __future__ import annotations

import resource
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import bad_agents
import numpy as np
import pytest
from PIL import Image
from two_agents import TwoAgents, running

from millhand.journal.records import AlarmState, Cause
from millhand.plugins import Plugins, hookimpl
from millhand.plugins.registrations import AdapterType, AgentType, Face
from millhand.scenario.load import load_text

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


def states(line: TwoAgents) -> list[AlarmState]:
    return [alarm.state for alarm in line.alarms("memory_full")]


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
    async with running(scenario, plugins, "looks", "plc", "other_plc") as line:
        assert (await line.part()).decision.scores == {"mean": 50.0}
        with full_memory():
            refused = await line.part()
            assert refused.cause is Cause.BLIND
            assert "memory" in refused.decision.reason
            assert states(line) == [AlarmState.ACTIVE]
            assert (await line.part()).decision.scores == {"mean": 150.0}, "it has room"
            assert states(line) == [AlarmState.ACTIVE, AlarmState.CLEARED]
        assert (await line.part()).decision.scores == {"mean": 200.0}
        await line.check_neighbour(DEADLINE_S)
        assert line.alarms("agent_failed") == [], "the agent is not to blame"
        assert line.engine.snapshot().agents_ready["looks"]
