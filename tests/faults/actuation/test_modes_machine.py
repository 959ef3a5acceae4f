"""Any order of mode changes, parts, edges, approvals, lost links and restarts: who may write, may.

A whole engine runs on a controller in memory; a model beside it knows what may have been written.
"""

from __future__ import annotations

import asyncio
import shutil
import tempfile
from pathlib import Path
from typing import Any

from cell_engine import SampleAgents
from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from millhand.contracts import Link, Mode, Quality, Write
from millhand.engine import Engine, reviews
from millhand.feedback.review import answer
from millhand.journal.records import AnswerKind
from millhand.plugins import Plugins, hookimpl
from millhand.plugins.registrations import AdapterType, Face
from millhand.scenario.load import load_text
from millhand.testing import PlayedPlc

CELL = """
millhand: 1
name: cell
devices:
  plc:
    adapter: memory
    tags: {state: state, speed: speed, guard: guard}
    triggers: {trigger: {record: Trigger}}
    channels: {result: {record: Command, answers: Answers, confirm: echo, default: reject}}
    lease: {record: Lease, every: 50 ms}
    machine: {record: Machine}
agents:
  inspector: {use: test.alternates, max_mode: control, when: plc.trigger, deadline: 2 s,
              may: {disposition: plc.result}, light: true, unsure: {part: divert, machine: hold}}
  watcher: {use: test.steers, max_mode: shadow, when: plc.state changes, deadline: 2 s,
            see: {speed: plc.speed}, may: {speed: plc.speed}, light: true}
  steers: {use: test.steers, max_mode: control, when: plc.state changes, deadline: 2 s,
           see: {speed: plc.speed}, may: {speed: plc.speed}, light: true}
guard:
  plc.result: {only_if: plc.guard == 6, max_age: 1 s}
  plc.speed: {only_if: plc.guard == 6, max_age: 1 s, range: [80, 130],
              budget: {change: 12, within: 1 h}}
"""
BUDGET = 12.0
MODES = st.sampled_from([*Mode, Mode.CONTROL, Mode.CONTROL])
QUALITIES = st.sampled_from([*[Quality.GOOD] * 6, *Quality])
"""More often than not something may be written: else nothing could be written too much."""


class Memory:
    @hookimpl
    def millhand_adapters(self) -> list[AdapterType]:
        target = "millhand.testing.memory:MemoryTags"
        return [AdapterType("memory", target, "memory", faces=frozenset({Face.TAGS}))]


PLUGINS = Plugins.discover([SampleAgents(), Memory()], entry_points=False)


class Cell(RuleBasedStateMachine):
    def __init__(self) -> None:
        super().__init__()
        reviews._POLL_S = 0.02  # a person's answer is looked for more often, to save time
        self.folder = Path(tempfile.mkdtemp())
        self.runner = asyncio.Runner()
        self.plc = PlayedPlc()
        self.plc.values["guard"] = 6
        self.modes = dict.fromkeys(("inspector", "steers", "watcher"), Mode.SHADOW)
        self.parts = self.edges = self.seen = 0
        self.engine: Engine

    def run(self, work: Any) -> Any:
        return self.runner.run(work)

    @initialize()
    def start(self) -> None:
        self.run(self._start())

    async def _start(self) -> None:
        self.plc.link = Link.UP
        scenario = load_text(CELL, self.folder / "scenario.yaml")
        self.engine = Engine(scenario, plugins=PLUGINS, devices={"plc": self.plc})
        await self.engine.__aenter__()
        await self._lease_is_live()

    async def _lease_is_live(self) -> None:
        assert self.engine._cell is not None
        lease = self.engine._cell.leases["plc"]
        async with asyncio.timeout(10):
            while not lease.live:
                await asyncio.sleep(0.005)

    def teardown(self) -> None:
        if hasattr(self, "engine"):
            self.run(self.engine.__aexit__(None, None, None))
        self.runner.close()
        shutil.rmtree(self.folder)

    # --- what happens ---

    @rule(agent=st.sampled_from(["inspector", "steers"]), mode=MODES)
    def a_person_sets_a_mode(self, agent: str, mode: Mode) -> None:
        async def change() -> None:
            self.engine.set_mode(agent, mode, by="ann")

        self.run(change())
        self.modes[agent] = mode

    @rule()
    def a_part_comes(self) -> None:
        self.parts += 1
        self.run(self._until("outcome", "inspector", self.parts, self.plc.part(self.parts)))
        written = self._new()
        commands = [write for write in written if write.tag.startswith("result.")]
        allowed = self.modes["inspector"] is Mode.CONTROL and self._interlock_holds
        assert bool(commands) == allowed, (self.modes, written)
        assert self.machine_or_lease_only(written) or allowed

    @rule()
    def the_state_changes(self) -> None:
        self.edges += 1
        before = self.plc.values["speed"]
        change = self.plc.set(state=100 + self.edges)
        self.run(self._until("outcome", "steers", self.edges, change))
        speeds = [write.value for write in self._new() if write.tag == "speed"]
        if self.modes["steers"] is not Mode.CONTROL or not self._interlock_holds:
            assert speeds == [], (self.modes, speeds)
        assert len(speeds) <= 1
        assert all(speed == before + 5.0 for speed in speeds)

    @rule(meanwhile=MODES)
    def a_person_is_asked_and_approves_when_the_mode_is_another(self, meanwhile: Mode) -> None:
        self.a_person_sets_a_mode("steers", Mode.ADVISE)
        self.the_state_changes()
        asked = self.engine.journal.last("question", "steers")
        assert asked is not None
        decision = asked.record.decision  # type: ignore[union-attr]
        self.a_person_sets_a_mode("steers", meanwhile)
        self.run(self._approve(decision))
        speeds = [write.value for write in self._new() if write.tag == "speed"]
        if meanwhile in (Mode.OFF, Mode.SHADOW) or not self._interlock_holds:
            assert speeds == [], self.modes
        assert len(speeds) <= 1

    async def _approve(self, decision: str) -> None:
        answer(self.engine.journal, decision, AnswerKind.APPROVE, by="ann")
        async with asyncio.timeout(20):
            while len(self.engine.journal.read(kinds=("outcome",), id=decision)) < 2:
                await asyncio.sleep(0.005)

    @rule(quality=QUALITIES)
    def the_interlocks_tag_has_another_quality(self, quality: Quality) -> None:
        self.plc.quality["guard"] = quality

    @rule(value=st.sampled_from([6, 6, 6, 2]))
    def the_interlock_holds_or_not(self, value: int) -> None:
        self.plc.values["guard"] = value

    @rule()
    def the_engine_restarts(self) -> None:
        self.run(self.engine.__aexit__(None, None, None))
        del self.engine
        self.run(self._start())
        snapshot = self.engine.snapshot()
        assert dict(snapshot.modes) == self.modes, "modes are facts that survive"
        assert self.machine_or_lease_only(self._new()), "nothing is sent again"

    # --- what always holds ---

    @invariant()
    def the_speed_stays_within_range_and_budget(self) -> None:
        speed = self.plc.values["speed"]
        assert isinstance(speed, float)
        assert 80 <= speed <= 130
        assert abs(speed - 100.0) <= BUDGET

    @invariant()
    def nobody_writes_above_what_the_file_allows(self) -> None:
        assert self.modes["watcher"] is Mode.SHADOW
        assert not hasattr(self, "engine") or self.engine.snapshot().modes["watcher"] is Mode.SHADOW

    # --- inside ---

    @property
    def _interlock_holds(self) -> bool:
        good = self.plc.quality.get("guard", Quality.GOOD) is Quality.GOOD
        return good and self.plc.values["guard"] == 6

    @staticmethod
    def machine_or_lease_only(written: list[Write]) -> bool:
        return all(write.tag.partition(".")[0] in ("lease", "machine") for write in written)

    def _new(self) -> list[Write]:
        """Return what was written since the last look, but for the lease."""
        new, self.seen = self.plc.written[self.seen :], len(self.plc.written)
        return [write for write in new if not write.tag.startswith("lease.")]

    async def _until(self, kind: str, subject: str, count: int, cause: Any) -> None:
        """Let something happen, and wait for the entries that it leads to."""
        await cause
        async with asyncio.timeout(20):
            while len(self._decided(kind, subject)) < count:
                await asyncio.sleep(0.002)
            await self.engine.settled()

    def _decided(self, kind: str, subject: str) -> set[str]:
        return {entry.id for entry in self.engine.journal.read(kinds=(kind,), subject=subject)}


TestCell = Cell.TestCase
TestCell.settings = settings(
    max_examples=6,
    stateful_step_count=40,
    deadline=None,
    derandomize=True,
    phases=[Phase.generate],  # an engine a step is too slow to look for the shortest way
    suppress_health_check=list(HealthCheck),
)
