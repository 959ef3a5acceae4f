"""A cell that crashes at start after start comes up in safe mode, journal and CLI with it."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from millhand.engine.starts import CRASHES, StartBook
from millhand.errors import MillhandError
from millhand.journal.journal import Journal
from millhand.journal.records import Alarm, Started

PLUGIN = """
import os
from millhand.plugins import hookimpl

@hookimpl
def millhand_agents():
    if os.environ.get("CRASH") == "1":
        os.abort()
    return []
"""
SCENARIO = """
millhand: 1
name: cell
devices: {}
agents: {}
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A cell beside a plugin that crashes the interpreter when it is asked what it offers."""
    (tmp_path / "scenario.yaml").write_text(SCENARIO)
    info = tmp_path / "plugins" / "crasher-1.0.dist-info"
    info.mkdir(parents=True)
    (info.parent / "crasher.py").write_text(PLUGIN)
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: crasher\nVersion: 1.0\n")
    (info / "entry_points.txt").write_text("[millhand]\ncrasher = crasher\n")
    return tmp_path


def start(folder: Path, *, crash: bool) -> subprocess.Popen[bytes]:
    environment = {
        **os.environ,
        "PYTHONPATH": str(folder / "plugins"),
        "CRASH": "1" if crash else "0",
    }
    command = [sys.executable, "-m", "millhand.cli", "run", str(folder)]
    return subprocess.Popen(command, env=environment, stdout=subprocess.DEVNULL)


def wait_for_start(folder: Path, boots: int) -> Started:
    end = time.monotonic() + 60
    file = folder / "journal" / "journal.sqlite"
    while time.monotonic() < end:
        started = _started(file) if file.exists() else []
        if len(started) >= boots:
            return started[-1]
        time.sleep(0.1)
    raise AssertionError("it did not start")


def _started(file: Path) -> list[Started]:
    try:
        with Journal.open_readonly(file, cell="cell") as journal:
            records = [entry.record for entry in journal.read(kinds=("started",))]
    except MillhandError:  # it is being made at this moment
        return []
    return [record for record in records if isinstance(record, Started)]


def test_after_crashes_the_journal_and_the_command_line_are_up_and_a_good_end_heals(
    folder: Path,
) -> None:
    for _ in range(CRASHES):
        assert start(folder, crash=True).wait(60) == -signal.SIGABRT
    running = start(folder, crash=True)
    try:
        assert wait_for_start(folder, 1).safe_mode
        tail = [sys.executable, "-m", "millhand.cli", "journal", "tail", "--at", str(folder)]
        told = subprocess.run([*tail, "--json"], capture_output=True, timeout=60, check=True)
        assert b"safe_mode" in told.stdout
    finally:
        running.send_signal(signal.SIGTERM)
        assert running.wait(60) == 0
    with Journal.open_readonly(folder / "journal" / "journal.sqlite", cell="cell") as journal:
        alarms = [entry.record for entry in journal.read(kinds=("alarm",))]
    assert [one.name for one in alarms if isinstance(one, Alarm)] == ["safe_mode"]
    running = start(folder, crash=False)
    try:
        assert not wait_for_start(folder, 2).safe_mode
    finally:
        running.send_signal(signal.SIGTERM)
        running.wait(60)


def test_the_book_counts_only_bad_ends(tmp_path: Path) -> None:
    book = StartBook(tmp_path / "deep" / "folder")
    assert [book.begin(), book.begin()] == [0, 1]
    book.well()
    assert book.begin() == 0
