"""A full disk under the whole cell: nothing is moved, what is there is read, and it goes on."""

from __future__ import annotations

import contextlib
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
from cell_engine import SampleAgents
from cell_process import answers, effects, plc, read_books, until, write_scenario

import millhand_opcua
from millhand.contracts import AnswerCode, Mode
from millhand.engine import Engine
from millhand.journal.journal import Journal
from millhand.journal.records import AlarmState, Cause
from millhand.plugins import Plugins
from millhand.scenario.load import load


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    folder = tmp_path / "small"
    folder.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", "size=3m", "tmpfs", str(folder)]
    try:
        subprocess.run(mount, check=True, capture_output=True)
    except (OSError, subprocess.CalledProcessError):
        pytest.skip("may not mount a small file system here")
    yield folder
    subprocess.run(["umount", str(folder)], check=True)


def fill(ballast: Path) -> None:
    """Leave no block free."""
    with contextlib.suppress(OSError), ballast.open("wb", buffering=0) as file:
        while True:
            file.write(b"\0" * 4096)


async def test_no_actuation_on_a_full_disk_and_all_is_written_down_afterwards(
    tmp_path: Path, small_disk: Path
) -> None:
    cell, ballast = small_disk / "cell", small_disk / "ballast"
    plugins = Plugins.discover([millhand_opcua, SampleAgents()], entry_points=False)

    def codes() -> list[AnswerCode]:
        return [answer.code for answer in answers(tmp_path / "plc")]

    async with plc(tmp_path / "plc") as plant:
        write_scenario(cell, plant.endpoints["plc"])
        async with Engine(load(cell), plugins=plugins) as engine:
            engine.set_mode("inspector", Mode.CONTROL, by="test")
            await plant.start_line()
            await until(lambda: _more(codes, AnswerCode.ACCEPTED, 5))

            fill(ballast)
            await until(lambda: _alarmed(engine))
            full, head = len(codes()), engine.journal.head
            await until(lambda: _more(codes, AnswerCode.DEFAULTED, 15))
            late = codes()[full + 1 :]
            assert AnswerCode.ACCEPTED not in late, "nothing is commanded without its intent"
            with Journal.open_readonly(cell / "journal" / "journal.sqlite") as reader:
                assert reader.head == head
                assert reader.verify().ok, "what was written can be read"

            ballast.unlink()
            accepted = codes().count(AnswerCode.ACCEPTED)
            await until(lambda: _more(codes, AnswerCode.ACCEPTED, accepted + 5))
            await until(lambda: _recorded(engine))
            assert engine.snapshot().alarms == ()
            await plant.control.write("Sim.Run", False)
            await until(lambda: _empty(plant))
            await engine.settled()
        triggers = (await plant.summary()).triggers
    check_books(cell, answers(tmp_path / "plc"), triggers)


def check_books(cell, given, triggers) -> None:
    books = read_books(cell)
    assert books.whole
    assert sorted(books.triggers) == list(range(1, triggers + 1)), "each part, once"
    causes = [intent.cause for intent in books.intents.values()]
    assert causes.count(Cause.UNRECORDED) > 10
    assert set(effects(given)) <= books.commands.keys()
    for intent in books.intents.values():
        if intent.cause is Cause.UNRECORDED:
            assert intent.command is None
    with Journal.open_readonly(cell / "journal" / "journal.sqlite") as journal:
        states = [
            entry.record.state
            for entry in journal.read(kinds=("alarm",))
            if entry.record.name == "journal_unavailable"
        ]
    assert states[-2:] == [AlarmState.ACTIVE, AlarmState.CLEARED]


async def _more(codes, code: AnswerCode, count: int) -> bool:
    return codes().count(code) > count


async def _alarmed(engine: Engine) -> bool:
    return any("is full" in text for text in engine.snapshot().alarms)


async def _recorded(engine: Engine) -> bool:
    assert engine._cell is not None
    return not len(engine._cell.unrecorded)


async def _empty(plant) -> bool:
    return not await plant.control.read("Cell.Counters.InFlight")
