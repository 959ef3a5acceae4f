"""Six bad plugins: each is named, started again within its budget, given up; neighbours go on."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import bad_agents
import pytest

from millhand.contracts import Mode
from millhand.engine import Engine
from millhand.journal.records import Alarm, Cause, Intent, Outcome, OutcomeStatus
from millhand.plugins import Plugins, hookimpl
from millhand.plugins.registrations import AdapterType, AgentType, Face
from millhand.scenario.load import load_text
from millhand.testing import PlayedPlc

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


class Line:
    """A running cell: one bad agent, one neighbour that is given parts all the time."""

    def __init__(self, engine: Engine, bad: PlayedPlc, good: PlayedPlc) -> None:
        self.engine = engine
        self._bad = bad
        self._good = good
        self._seq = 0

    async def bad_part(self) -> Intent:
        """Give the bad agent a part and return what became of it."""
        self._seq += 1
        after = self.engine.journal.head
        await self._bad.part(self._seq)
        async for entry in self.engine.journal.cursor(after=after, kinds=("intent",)):
            if entry.subject == "bad" and entry.part == f"P{self._seq}":
                assert isinstance(entry.record, Intent)
                return entry.record
        raise AssertionError("the journal was closed")

    async def feed_neighbour(self) -> None:
        """Give the neighbour a part every 40 ms, for ever."""
        seq = 0
        while True:
            seq += 1
            await self._good.part(seq)
            await asyncio.sleep(0.04)

    def alarms(self, name: str) -> list[Alarm]:
        """Return the alarms of a name that were journalled."""
        entries = self.engine.journal.read(kinds=("alarm",))
        records = [entry.record for entry in entries]
        return [one for one in records if isinstance(one, Alarm) and one.name == name]

    async def check_neighbour(self) -> None:
        """Every part of the neighbour was decided, confirmed, and in time."""
        seen = 0
        async for entry in self.engine.journal.cursor(kinds=("outcome",)):
            seen += entry.subject == "neighbour"
            if seen > 10:
                break
        intents = self.engine.journal.read(kinds=("intent",), subject="neighbour", limit=None)
        causes = {entry.record.cause for entry in intents}  # type: ignore[union-attr]
        assert causes == {Cause.DECIDED}
        outcomes = self.engine.journal.read(kinds=("outcome",), subject="neighbour", limit=None)
        for entry in outcomes:
            outcome = entry.record
            assert isinstance(outcome, Outcome)
            assert outcome.status is OutcomeStatus.CONFIRMED
            assert outcome.stages_ns["answered"] < NEIGHBOURS_DEADLINE_S * 1e9


@asynccontextmanager
async def cell(
    folder: Path, use: str, *, first: int, last: int, light: bool = False, spare: bool = True
) -> AsyncIterator[Line]:
    text = CELL.format(
        use=use, first=first, last=last, light=str(light).lower(), spare=str(spare).lower()
    )
    plugins = Plugins.discover([Plugin()], entry_points=False)
    bad, good = PlayedPlc(name="bad_plc"), PlayedPlc(name="good_plc")
    devices = {"bad_plc": bad, "good_plc": good}
    scenario = load_text(text, folder / "scenario.yaml")
    async with Engine(scenario, plugins=plugins, devices=devices) as engine:
        for agent in ("bad", "neighbour"):
            engine.set_mode(agent, Mode.CONTROL, by="test")
        line = Line(engine, bad, good)
        feeding = asyncio.create_task(line.feed_neighbour())
        try:
            yield line
        finally:
            feeding.cancel()


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
        assert (await line.bad_part()).cause is Cause.DECIDED
        causes = set()
        for _ in range(60):
            causes.add((await line.bad_part()).cause)
            if line.alarms("agent_degraded"):
                break
            await asyncio.sleep(0.1)  # a part now and then, as a line has them
        given_up = await line.bad_part()
        failed, degraded = line.alarms("agent_failed"), line.alarms("agent_degraded")
        await line.check_neighbour()
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
        assert (await line.bad_part()).cause is Cause.DECIDED
        assert (await line.bad_part()).cause in (Cause.FAILED, Cause.LATE)
        for _ in range(100):
            if (await line.bad_part()).cause is Cause.DECIDED:
                break
            await asyncio.sleep(0.1)
        assert (await line.bad_part()).cause is Cause.DECIDED
        await line.check_neighbour()
        assert line.alarms("agent_degraded") == []


async def test_with_a_spare_the_very_next_part_is_decided(tmp_path: Path) -> None:
    async with cell(tmp_path, "crashes", first=2, last=2) as line:
        causes = [(await line.bad_part()).cause for _ in range(4)]
    assert causes == [Cause.DECIDED, Cause.FAILED, Cause.DECIDED, Cause.DECIDED]


async def test_a_light_agent_that_blocks_the_loop_is_moved_into_a_worker(tmp_path: Path) -> None:
    async with cell(tmp_path, "blocks", first=2, last=10_000, light=True) as line:
        assert (await line.bad_part()).cause is Cause.DECIDED
        await line.bad_part()
        assert [alarm.source for alarm in line.alarms("loop_blocked")] == ["bad"]
        assert [alarm.source for alarm in line.alarms("agent_moved")] == ["bad"]
        for _ in range(60):
            if (await line.bad_part()).cause is Cause.LATE:
                break
            await asyncio.sleep(0.1)
        assert (await line.bad_part()).cause in (Cause.LATE, Cause.FAILED)
        await line.check_neighbour()
