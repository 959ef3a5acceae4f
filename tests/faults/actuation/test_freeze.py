"""Engine, PLC or network frozen in the middle of a command: no late effect, nothing repeated."""

from __future__ import annotations

import asyncio
import os
import signal
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio
from cell_process import (
    Books,
    CellEngine,
    answers,
    effects,
    hanging_network,
    plc,
    read_books,
    until,
    write_scenario,
)

from millhand.contracts import Answer, AnswerCode
from millhand.journal.records import Intent, OutcomeStatus
from millhand_simulated.plant import ConveyorCell

pytestmark = [
    pytest.mark.skipif(os.name != "posix", reason="needs SIGSTOP"),
    pytest.mark.asyncio(loop_scope="module"),
]

FROZEN_COMMAND = 3
FROZEN_S = 0.9
"""Longer than deadline, lease, request and the way to the gate."""
REFUSED = {AnswerCode.REFUSED_LEASE, AnswerCode.EXPIRED, AnswerCode.REFUSED_PART}
AT_THE_GATE = {AnswerCode.EXECUTED, AnswerCode.DEFAULTED, AnswerCode.BYPASSED}


@dataclass
class Cell:
    """A cell whose line runs; each test freezes one command in a new engine's life."""

    folder: Path
    plant: ConveyorCell
    engine: CellEngine
    network: int
    """Id of the process that every byte between engine and PLC goes through."""

    async def freeze(self, who: str, before: str) -> Frozen:
        """Freeze somebody in the middle of a command, thaw when it has expired, and stop."""
        pids = {"engine": 0, "network": self.network, "plc": self.plant.pid}
        earlier = len(read_books(self.folder).commands) if self.engine.ended else 0
        plan = {"pid": pids[who], "command": FROZEN_COMMAND, "before": before}
        await self.engine.start(freeze=plan)
        pid = await self.engine.frozen()
        known = len(self.given)
        try:
            await asyncio.sleep(FROZEN_S)
        finally:
            os.kill(pid, signal.SIGCONT)
        await self.resumed(known)
        await self.engine.stop()
        return Frozen(read_books(self.folder), self.given, earlier + FROZEN_COMMAND)

    async def resumed(self, known: int) -> None:
        """Wait until commands are accepted again."""

        async def accepted() -> bool:
            codes = [answer.code for answer in self.given[known:]]
            return codes.count(AnswerCode.ACCEPTED) > 3

        await until(accepted)

    @property
    def given(self) -> list[Answer]:
        return answers(self.folder.parent / "plc")


@dataclass
class Frozen:
    """What came of one command that was frozen."""

    books: Books
    given: list[Answer]
    number: int
    """Counts the cell's commands."""

    @property
    def intent(self) -> Intent:
        return self.books.commands[sorted(self.books.commands)[self.number - 1]]

    @property
    def codes(self) -> list[AnswerCode]:
        """What the PLC has answered to it."""
        assert self.intent.command is not None
        return effects(self.given).get(self.intent.command.id, [])

    @property
    def outcome(self) -> OutcomeStatus:
        (outcome,) = self.books.outcomes[self.intent.observation.id]
        return outcome.status

    @property
    def gate(self) -> AnswerCode:
        """What became of its part."""
        assert self.intent.command is not None
        part = self.intent.command.part_id
        (code,) = [a.code for a in self.given if a.part_id == part and a.code in AT_THE_GATE]
        return code

    def check_nothing_repeated(self) -> None:
        for command_id, codes in effects(self.given).items():
            assert command_id in self.books.commands
            taken = [code for code in codes if code is not AnswerCode.EXECUTED]
            assert len(taken) == 1
        assert len(self.books.triggers) == len(set(self.books.triggers))
        assert self.books.whole


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def cell(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[Cell]:
    root = tmp_path_factory.mktemp("frozen")
    folder = root / "cell"
    async with (
        plc(root / "plc", lease_timeout_ms=request.param) as plant,
        hanging_network(plant.endpoints["plc"]) as (url, network),
    ):
        write_scenario(folder, url, request_timeout_s=0.6)
        async with CellEngine(folder) as engine:
            await plant.start_line()
            yield Cell(folder, plant, engine, network)


SHORT = pytest.param(300, id="lease lapses")
LONG = pytest.param(60_000, id="lease stays")


def slow(case: Any) -> Any:
    return pytest.param(*case.values, id=case.id, marks=pytest.mark.slow)


@pytest.mark.parametrize("cell", [slow(SHORT), LONG], indirect=True)
async def test_a_frozen_engine_that_wakes_up_does_nothing_late(cell: Cell) -> None:
    frozen = await cell.freeze("engine", before="id")
    assert set(frozen.codes) <= REFUSED, "the command came too late and the PLC said so"
    assert frozen.gate is AnswerCode.DEFAULTED, "the part took its default"
    assert frozen.outcome in (OutcomeStatus.EXPIRED, OutcomeStatus.REFUSED, OutcomeStatus.UNKNOWN)
    frozen.check_nothing_repeated()


@pytest.mark.parametrize("cell", [SHORT, slow(LONG)], indirect=True)
async def test_a_frozen_engine_that_wakes_up_with_a_spent_permit_does_nothing_late(
    cell: Cell,
) -> None:
    frozen = await cell.freeze("engine", before="record")
    assert set(frozen.codes) <= REFUSED
    assert frozen.gate is AnswerCode.DEFAULTED
    frozen.check_nothing_repeated()


@pytest.mark.parametrize("cell", [slow(SHORT), LONG], indirect=True)
async def test_bytes_that_a_network_held_back_have_no_effect_when_they_arrive(cell: Cell) -> None:
    frozen = await cell.freeze("network", before="id")
    assert set(frozen.codes) <= REFUSED
    assert frozen.codes, "the bytes did arrive"
    assert frozen.gate is AnswerCode.DEFAULTED
    assert frozen.outcome is OutcomeStatus.UNKNOWN
    frozen.check_nothing_repeated()


@pytest.mark.parametrize("before", [slow(pytest.param("record", id="record")), "id"])
@pytest.mark.parametrize("cell", [SHORT, slow(LONG)], indirect=True)
async def test_a_frozen_plc_gets_nothing_twice(cell: Cell, before) -> None:
    """Its time stands still with it, so that the command may be valid when it goes on."""
    frozen = await cell.freeze("plc", before=before)
    assert frozen.outcome is OutcomeStatus.UNKNOWN
    assert frozen.codes.count(AnswerCode.ACCEPTED) <= 1
    frozen.check_nothing_repeated()


@pytest.mark.parametrize("cell", [SHORT], indirect=True)
async def test_a_dead_engine_lets_the_lease_lapse_and_the_plc_falls_back(cell: Cell) -> None:
    await cell.engine.start()
    await cell.resumed(len(cell.given))
    await cell.engine.kill()
    control = cell.plant.control

    async def lapsed() -> bool:
        return not await control.read("Cell.Lease.Live")

    await until(lapsed)
    dead = len(cell.given)
    await until(lambda: _more_than(cell, dead + 12))
    codes = {answer.code for answer in cell.given[dead + 9 :]}
    assert codes == {AnswerCode.DEFAULTED}, "nothing passes that nobody has inspected"


@pytest.mark.parametrize(
    "mode",
    ["shadow", slow(pytest.param("advise", id="advise")), slow(pytest.param("off", id="off"))],
)
@pytest.mark.parametrize("cell", [SHORT], indirect=True)
async def test_below_control_the_plc_gets_no_command_and_bypasses_by_itself(
    cell: Cell, mode: str
) -> None:
    before = len(cell.given)
    await cell.engine.start(mode=mode)
    await until(lambda: _bypassed(cell, before))
    await cell.engine.stop()
    commands = [answer for answer in cell.given[before:] if answer.code is AnswerCode.ACCEPTED]
    assert commands == []
    last = [i for i in read_books(cell.folder).intents.values() if i.mode == mode]
    assert len(last) > 3
    assert all(intent.command is None for intent in last)


async def _more_than(cell: Cell, count: int) -> bool:
    return len(cell.given) > count


async def _bypassed(cell: Cell, before: int) -> bool:
    codes = [answer.code for answer in cell.given[before:]]
    return codes.count(AnswerCode.BYPASSED) > 15  # more than were on the way when it began
