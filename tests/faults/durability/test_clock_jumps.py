"""The wall clock jumps while the cell runs: order is by number, deadlines and lease do not care."""

from __future__ import annotations

import shutil
import struct
import subprocess
import sys
from itertools import pairwise
from pathlib import Path

import pytest
from cell_process import SUPPORT, CellEngine, answers, plc, read_books, until, write_scenario

from millhand.contracts import AnswerCode, PartTrigger
from millhand.journal.journal import Journal
from millhand.journal.records import Cause, OutcomeStatus

HOUR_NS = 3600 * 1_000_000_000
JUMPS_H = [-2, +30 * 24, -40 * 365 * 24, 0]
"""Back, a month on, to before the cell was built (an empty clock battery), and right again."""


class Clock:
    """The wall clock of the engine's process."""

    def __init__(self, folder: Path) -> None:
        self.library = folder / "clock_jump.so"
        self.file = folder / "clock"
        self.file.write_bytes(bytes(8))
        source = str(SUPPORT / "clock_jump.c")
        command = ["cc", "-O1", "-shared", "-fPIC", "-o", str(self.library), source, "-ldl"]
        subprocess.run(command, check=True)

    def set(self, hours: float) -> None:
        with self.file.open("r+b") as file:
            file.write(struct.pack("q", int(hours * HOUR_NS)))


@pytest.fixture
def clock(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Clock:
    if shutil.which("cc") is None or not sys.platform.startswith("linux"):
        pytest.skip("needs Linux and a C compiler")
    moved = Clock(tmp_path)
    monkeypatch.setenv("CLOCK", str(moved.file))
    return moved


async def test_order_and_deadlines_do_not_follow_the_wall_clock(
    tmp_path: Path, clock: Clock
) -> None:
    def accepted() -> int:
        return [a.code for a in answers(tmp_path / "plc")].count(AnswerCode.ACCEPTED)

    async def accepts(more: int) -> None:
        wanted = accepted() + more

        async def enough() -> bool:
            return accepted() >= wanted

        await until(enough)

    cell = tmp_path / "cell"
    async with plc(tmp_path / "plc") as plant:
        write_scenario(cell, plant.endpoints["plc"])
        async with CellEngine(cell, preload=clock.library) as engine:
            await engine.start()
            await plant.start_line()
            await accepts(5)
            for hours in JUMPS_H:
                clock.set(hours)
                await accepts(5)
            await engine.stop()
            clock.set(-24)
            await engine.start()  # a day before what its journal holds
            await accepts(5)
            await engine.stop()
    check(cell)


def check(cell: Path) -> None:
    books = read_books(cell)
    assert books.whole
    with Journal.open_readonly(cell / "journal" / "journal.sqlite") as journal:
        entries = journal.read(kinds=("intent",), limit=None)
    times = [entry.at_utc_ns for entry in entries]
    steps = [later - earlier for earlier, later in pairwise(times)]
    assert sum(abs(step) > HOUR_NS for step in steps) >= len(JUMPS_H), "the clock did jump"
    triggers = [entry.record.observation.trigger for entry in entries]  # type: ignore[union-attr]
    seqs = [trigger.trigger_seq for trigger in triggers if isinstance(trigger, PartTrigger)]
    assert seqs == sorted(seqs), "the order is that of the parts"
    assert len(seqs) == len(set(seqs))
    decided = [i for i in books.intents.values() if i.cause is Cause.DECIDED]
    confirmed = [
        decision
        for decision, (outcome,) in books.outcomes.items()
        if outcome.status is OutcomeStatus.CONFIRMED
    ]
    assert len(confirmed) >= 5 * len(JUMPS_H), "no deadline was taken for missed"
    for intent in decided:
        assert all(0 <= ns < 60_000_000_000 for ns in intent.stages_ns.values())
