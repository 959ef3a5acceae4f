"""The command line as tests run it: in this process, or as a person would."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from millhand.cli.program import program
from millhand.contracts.decision import Verdict
from millhand.journal.entries import new_entry
from millhand.journal.journal import Journal
from millhand.journal.records import Cause, Intent, ModeChange, Question
from millhand.testing.runs import MadeRun

Run = Callable[..., Result]


@pytest.fixture
def run() -> Run:
    """Run a command in this process; every way to end is an exit code."""

    def invoke(*arguments: str | Path, **options) -> Result:
        return CliRunner().invoke(program, [str(one) for one in arguments], **options)

    return invoke


@pytest.fixture
def environment(tmp_path: Path) -> dict[str, str]:
    """An environment in which a process writes nothing outside ``tmp_path``."""
    kept = {
        name: value for name, value in os.environ.items() if not name.startswith(("LC_", "LANG"))
    }
    home = tmp_path / "home"
    home.mkdir()
    return {**kept, "HOME": str(home), "XDG_STATE_HOME": str(home), "LANG": "C.UTF-8"}


@pytest.fixture
def shell(environment: dict[str, str], tmp_path: Path):
    """Run ``millhand`` as a process of its own, with its output in pipes."""

    def call(*arguments: str | Path, **more: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [sys.executable, "-m", "millhand.cli", *map(str, arguments)],
            capture_output=True,
            text=True,
            timeout=100,
            check=False,
            cwd=tmp_path,
            env={**environment, **more},
        )

    return call


def write(journal: Journal, record, **options) -> None:
    journal.append([new_entry(record, **options)]).result(5)


def fill(journal: Journal) -> None:
    """Journal a short run: two parts, the second not decidable, with a question."""
    made = MadeRun()
    made.part(Verdict.OK, score=0.2)
    made.part(Verdict.NOT_DECIDABLE, cause=Cause.UNSURE, reason="It cannot tell.")
    for one in made.entries:
        part = None
        if isinstance(one.record, Intent):
            part = one.record.observation.trigger.part_id
        write(journal, one.record, id=one.id, subject="inspector", part=part)
    asked = Question(
        decision="cell.1.2", agent="inspector", text="What is it?", kind="label", part_id="P000002"
    )
    write(journal, asked, id="cell.1.2.q1", subject="inspector", part="P000002")
    change = ModeChange(agent="inspector", before=None, now="control", by="ann")
    write(journal, change, id="cell.1.m", subject="inspector")


@pytest.fixture
def recorded(tmp_path: Path) -> Path:
    """The folder of a run that is over."""
    folder = tmp_path / "run"
    folder.mkdir()
    with Journal(folder / "journal.sqlite", cell="cell") as journal:
        fill(journal)
    return folder
