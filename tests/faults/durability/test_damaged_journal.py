"""A journal that the disk has spoilt: moved aside with an alarm, and no command id used twice."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from cell_process import CellEngine, answers, effects, plc, read_books, until, write_scenario

from millhand.contracts import AnswerCode
from millhand.journal.journal import Journal

pytestmark = pytest.mark.skipif(os.name != "posix", reason="needs fork and SIGKILL")


def spoil(file: Path) -> None:
    """Overwrite what is in the middle, in the file and in its write-ahead log."""
    for path in (file, file.with_name(file.name + "-wal")):
        if path.exists() and (size := path.stat().st_size) > 8192:
            with path.open("r+b") as raw:
                raw.seek(4096)
                raw.write(os.urandom(size - 4096))


async def test_a_damaged_journal_is_moved_aside_and_the_cell_goes_on(tmp_path: Path) -> None:
    cell = tmp_path / "cell"
    file = cell / "journal" / "journal.sqlite"

    async def accepted(more_than: int) -> bool:
        codes = [answer.code for answer in answers(tmp_path / "plc")]
        return codes.count(AnswerCode.ACCEPTED) > more_than

    async with plc(tmp_path / "plc") as plant:
        write_scenario(cell, plant.endpoints["plc"])
        async with CellEngine(cell) as engine:
            await engine.start()
            await plant.start_line()
            await until(lambda: accepted(12))
            await engine.stop()
            with Journal.open_readonly(file) as journal:
                first = journal.last("started")
                assert first is not None
            spoil(file)
            before = len(answers(tmp_path / "plc"))
            known = [a.code for a in answers(tmp_path / "plc")].count(AnswerCode.ACCEPTED)
            await engine.start()
            await until(lambda: accepted(known + 6))
            await engine.stop()
    check(file, answers(tmp_path / "plc"), before, first.boot)


def check(file, given, before, boot) -> None:
    (aside,) = [
        path for path in file.parent.glob("journal.sqlite.corrupt-*") if path.suffix == ".sqlite"
    ] or list(file.parent.glob("journal.sqlite.corrupt-*Z"))
    assert aside.stat().st_size > 8192, "the old file is kept for whoever can read it"
    books = read_books(file.parent.parent)
    assert books.whole
    with Journal.open_readonly(file) as journal:
        alarms = [entry.record for entry in journal.read(kinds=("alarm",))]
        assert journal.read(limit=1)[0].boot > boot, "so that no decision's id comes twice"
    assert str(aside) in next(a.text for a in alarms if a.name == "journal_recovered")
    for command_id, codes in effects(given).items():
        taken = [code for code in codes if code is not AnswerCode.EXECUTED]
        assert len(taken) == 1, f"command {command_id} came twice"
    later = {a.command_id for a in given[before:] if a.code is AnswerCode.ACCEPTED}
    assert later <= books.commands.keys()
