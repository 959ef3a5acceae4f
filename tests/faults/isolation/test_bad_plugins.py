"""Six bad plugins: each is named, started again within its budget, given up; neighbours go on."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import bad_agents
import pytest
from two_agents import TwoAgents, running

from millhand.journal.records import Cause
from millhand.plugins import Plugins, hookimpl
from millhand.plugins.registrations import AdapterType, AgentType, Face
from millhand.scenario.load import load_text

NEIGHBOURS_DEADLINE_S = 2.0
CELL = """
millhand: 1
name: cell
devices:
  bad_plc: &plc
    adapter: memory
    triggers: {{trigger: {{record: Trigger}}}}
    channels: {{result: {{record: Command, answers: Answers, confirm: echo}}}}
    lease: {{record: Lease, every: 500 ms}}
  good_plc:
    adapter: memory
    triggers: {{trigger: {{record: Trigger}}}}
    channels: {{result: {{record: Command, answers: Answers, confirm: echo}}}}
    lease: {{record: Lease, every: 500 ms}}
agents:
  bad:
    use: bad.{use}
    config: {{parts: [{first}, {last}]}}
    max_mode: control
    when: bad_plc.trigger
    may: {{disposition: bad_plc.result}}
    deadline: 300 ms
    light: {light}
    worker: shaky
  neighbour:
    use: bad.good
    max_mode: control
    when: good_plc.trigger
    may: {{disposition: good_plc.result}}
    deadline: 2 s
workers:
  shaky: {{memory: 260 MB, hang: 600 ms, spare: {spare}, restarts: {{at_most: 2, within: 10 min}}}}
  neighbour: {{spare: false}}
""".replace("&plc", "")


class Plugin:
    @hookimpl
    def millhand_agents(self) -> list[AgentType]:
        return [
            AgentType(f"bad.{name}", f"bad_agents:{_class(name)}", name)
            for name in bad_agents.NAMES
        ]

    @hookimpl
    def millhand_adapters(self) -> list[AdapterType]:
        target = "millhand.testing.memory:MemoryTags"
        return [AdapterType("memory", target, "memory", faces=frozenset({Face.TAGS}))]


def _class(name: str) -> str:
    return "".join(word.title() for word in name.split("_"))


@asynccontextmanager
async def cell(
    folder: Path, use: str, *, first: int, last: int, light: bool = False, spare: bool = True
) -> AsyncIterator[TwoAgents]:
    text = CELL.format(
        use=use, first=first, last=last, light=str(light).lower(), spare=str(spare).lower()
    )
    plugins = Plugins.discover([Plugin()], entry_points=False)
    scenario = load_text(text, folder / "scenario.yaml")
    async with running(scenario, plugins, "bad", "bad_plc", "good_plc") as line:
        yield line


@pytest.fixture(autouse=True)
def agents_are_found(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PYTHONPATH", str(Path(bad_agents.__file__).parent))


IN_A_WORKER = ["raises", "hangs", "holds_the_gil", "leaks", "crashes"]
SAYS = {
    "raises": "by design",
    "hangs": "hangs",
    "holds_the_gil": "hangs",
    "leaks": "MB",
    "crashes": "ended",
}


@pytest.mark.parametrize("use", IN_A_WORKER)
async def test_a_bad_agent_is_named_started_again_and_given_up(tmp_path: Path, use: str) -> None:
    async with cell(tmp_path, use, first=2, last=10_000) as line:
        assert (await line.part()).cause is Cause.DECIDED
        causes = set()
        for _ in range(60):
            causes.add((await line.part()).cause)
            if line.alarms("agent_degraded"):
                break
            await asyncio.sleep(0.1)  # a part now and then, as a line has them
        given_up = await line.part()
        failed, degraded = line.alarms("agent_failed"), line.alarms("agent_degraded")
        await line.check_neighbour(NEIGHBOURS_DEADLINE_S)
    assert causes <= {Cause.FAILED, Cause.LATE, Cause.DECIDED}
    assert given_up.cause is Cause.FAILED
    assert [alarm.source for alarm in degraded] == ["bad"]
    assert {alarm.source for alarm in failed} == {"bad"}
    assert any(SAYS[use] in alarm.text for alarm in [*failed, *degraded])
    assert "bad" in degraded[0].text


@pytest.mark.parametrize("use", ["hangs", "crashes"])
@pytest.mark.parametrize("spare", [True, False])
async def test_after_one_fault_the_next_parts_are_decided_again(
    tmp_path: Path, use: str, spare: bool
) -> None:
    async with cell(tmp_path, use, first=2, last=2, spare=spare) as line:
        assert (await line.part()).cause is Cause.DECIDED
        assert (await line.part()).cause in (Cause.FAILED, Cause.LATE)
        for _ in range(100):
            if (await line.part()).cause is Cause.DECIDED:
                break
            await asyncio.sleep(0.1)
        assert (await line.part()).cause is Cause.DECIDED
        await line.check_neighbour(NEIGHBOURS_DEADLINE_S)
        assert line.alarms("agent_degraded") == []


async def test_with_a_spare_the_very_next_part_is_decided(tmp_path: Path) -> None:
    async with cell(tmp_path, "crashes", first=2, last=2) as line:
        causes = [(await line.part()).cause for _ in range(4)]
    assert causes == [Cause.DECIDED, Cause.FAILED, Cause.DECIDED, Cause.DECIDED]


async def test_a_light_agent_that_blocks_the_loop_is_moved_into_a_worker(tmp_path: Path) -> None:
    async with cell(tmp_path, "blocks", first=2, last=10_000, light=True) as line:
        assert (await line.part()).cause is Cause.DECIDED
        await line.part()
        assert [alarm.source for alarm in line.alarms("loop_blocked")] == ["bad"]
        assert [alarm.source for alarm in line.alarms("agent_moved")] == ["bad"]
        for _ in range(60):
            if (await line.part()).cause is Cause.LATE:
                break
            await asyncio.sleep(0.1)
        assert (await line.part()).cause in (Cause.LATE, Cause.FAILED)
        await line.check_neighbour(NEIGHBOURS_DEADLINE_S)
