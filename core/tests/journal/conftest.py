from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from millhand.journal.entries import NewEntry, new_entry
from millhand.journal.journal import Journal
from millhand.journal.records import Alarm, AlarmState, Stopped

MakeEntry = Callable[..., NewEntry]


def make_entry(
    number: int = 0, *, subject: str = "engine", part: str | None = None, text: str = "halt"
) -> NewEntry:
    return new_entry(
        Stopped(reason=text, decisions=number), id=f"d{number}", subject=subject, part=part
    )


def make_alarm(number: int = 0, *, subject: str = "plc") -> NewEntry:
    record = Alarm(name="device_down", source=subject, state=AlarmState.ACTIVE, text="away")
    return new_entry(record, id=f"a{number}", subject=subject)


@pytest.fixture
def a_stop() -> MakeEntry:
    return make_entry


@pytest.fixture
def an_alarm() -> MakeEntry:
    return make_alarm


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "journal.sqlite"


@pytest.fixture
def journal(file: Path) -> Iterator[Journal]:
    with Journal(file, cell="cell-1", synchronous="OFF") as opened:
        yield opened
