"""A cell of two agents: one that is put to the test, and a neighbour that must not notice."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from millhand.contracts import Mode
from millhand.engine import Engine
from millhand.journal.records import Alarm, Cause, Intent, Outcome, OutcomeStatus
from millhand.plugins import Plugins
from millhand.scenario.load import Scenario
from millhand.testing import PlayedPlc

NEIGHBOUR = "neighbour"


class TwoAgents:
    """A running cell. Each agent has a PLC of its own; the neighbour's gives parts all the time.

    Args:
        engine: runs the cell.
        tested: the name of the agent that is put to the test.
        plc: gives it parts.
        other: gives the neighbour parts.
    """

    def __init__(self, engine: Engine, tested: str, plc: PlayedPlc, other: PlayedPlc) -> None:
        self.engine = engine
        self._tested = tested
        self._plc, self._other = plc, other
        self._seq = 0

    async def part(self) -> Intent:
        """Give the tested agent a part and return what became of it."""
        self._seq += 1
        after = self.engine.journal.head
        await self._plc.part(self._seq)
        async for entry in self.engine.journal.cursor(after=after, kinds=("intent",)):
            if entry.subject == self._tested and entry.part == f"P{self._seq}":
                assert isinstance(entry.record, Intent)
                return entry.record
        raise AssertionError("the journal was closed")

    async def feed_neighbour(self) -> None:
        """Give the neighbour a part every 40 ms, for ever."""
        seq = 0
        while True:
            seq += 1
            await self._other.part(seq)
            await asyncio.sleep(0.04)

    def alarms(self, name: str) -> list[Alarm]:
        """Return the alarms of a name that were journalled."""
        records = [entry.record for entry in self.engine.journal.read(kinds=("alarm",))]
        return [one for one in records if isinstance(one, Alarm) and one.name == name]

    async def check_neighbour(self, deadline_s: float) -> None:
        """Every part of the neighbour was decided, confirmed, and in time."""
        seen = 0
        async for entry in self.engine.journal.cursor(kinds=("outcome",)):
            seen += entry.subject == NEIGHBOUR
            if seen > 10:
                break
        for entry in self.engine.journal.read(kinds=("intent",), subject=NEIGHBOUR, limit=None):
            assert isinstance(entry.record, Intent)
            assert entry.record.cause is Cause.DECIDED
        for entry in self.engine.journal.read(kinds=("outcome",), subject=NEIGHBOUR, limit=None):
            assert isinstance(entry.record, Outcome)
            assert entry.record.status is OutcomeStatus.CONFIRMED
            assert entry.record.stages_ns["answered"] < deadline_s * 1e9


@asynccontextmanager
async def running(
    scenario: Scenario, plugins: Plugins, tested: str, plc: str, other: str
) -> AsyncIterator[TwoAgents]:
    """Run a scenario of two agents in control, whose PLCs have these names."""
    played, others = PlayedPlc(name=plc), PlayedPlc(name=other)
    devices = {plc: played, other: others}
    async with Engine(scenario, plugins=plugins, devices=devices) as engine:
        for agent in (tested, NEIGHBOUR):
            engine.set_mode(agent, Mode.CONTROL, by="test")
        line = TwoAgents(engine, tested, played, others)
        feeding = asyncio.create_task(line.feed_neighbour())
        try:
            yield line
        finally:
            feeding.cancel()
