"""The doctor finds what is wrong, and its bundle tells nothing private."""

from __future__ import annotations

import json
import sqlite3
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest
from click.testing import CliRunner

from millhand.cli.program import program
from millhand.journal.entries import new_entry
from millhand.journal.journal import Journal
from millhand.journal.places import journal_folder
from millhand.journal.records import Alarm, AlarmState, ModeChange
from millhand.plugins import Plugins
from millhand.scenario.load import Scenario, load
from millhand.upkeep.doctor import Finding, Level, Patient, examine

from .conftest import CANARY


def look(cell: Scenario, plugins: Plugins | None = None) -> list[Finding]:
    return examine(Patient(cell, plugins or Plugins(), journal_folder(cell)))


def wrong(found: list[Finding]) -> dict[str, str]:
    return {one.about: one.text for one in found if one.level is Level.WRONG}


def test_a_healthy_cell_has_nothing_wrong(cell: Scenario) -> None:
    found = look(cell)
    assert wrong(found) == {}
    assert {"python", "disk", "scenario", "journal", "alarms"} <= {one.about for one in found}


def open_inbox(cell: Scenario) -> None:
    (journal_folder(cell) / "inbox").chmod(0o755)


def open_folder(cell: Scenario) -> None:
    cell.folder.chmod(0o777)


def edited_entry(cell: Scenario) -> None:
    with sqlite3.connect(journal_folder(cell) / "journal.sqlite") as database:
        database.execute("DROP TRIGGER IF EXISTS entry_is_append_only")
        database.execute("UPDATE entry SET subject = 'nobody' WHERE seq = 5")


def lost_secret(cell: Scenario) -> None:
    (cell.folder / "console-token").unlink()


def standing_alarm(cell: Scenario) -> None:
    with Journal(journal_folder(cell) / "journal.sqlite", cell="quiet") as journal:
        alarm = Alarm(
            name="device_down", source="plc", state=AlarmState.ACTIVE, text="The plc is away."
        )
        journal.append([new_entry(alarm, id="a", subject="plc")]).result(10)


@pytest.mark.parametrize(
    ("harm", "about"),
    [
        (open_inbox, "rights"),
        (open_folder, "rights"),
        (edited_entry, "journal"),
        (lost_secret, "scenario"),
        (standing_alarm, "alarms"),
    ],
)
def test_what_is_wrong_is_named_with_its_mend(
    cell: Scenario, harm: Callable[[Scenario], None], about: str
) -> None:
    harm(cell)
    found = [one for one in look(cell) if one.level is Level.WRONG]
    assert about in {one.about for one in found}
    assert [one for one in found if not one.mend] == []


def test_a_broken_plugin_is_named(cell: Scenario) -> None:
    class Broken:
        def millhand_agents(self) -> list[object]:
            raise ZeroDivisionError

    found = look(cell, Plugins.discover([Broken()], entry_points=False))
    assert "Broken" in wrong(found)["plugins"]


def test_the_command_says_it_and_ends_with_one(cell: Scenario) -> None:
    done = CliRunner().invoke(program, ["doctor", str(cell.folder)])
    assert done.exit_code == 0, done.output
    assert "Nothing is wrong." in done.output
    open_inbox(cell)
    done = CliRunner().invoke(program, ["doctor", str(cell.folder), "--json"])
    assert done.exit_code == 1
    assert [one["about"] for one in json.loads(done.output) if one["level"] == "wrong"] == [
        "rights"
    ]


def test_the_bundle_holds_no_secret_and_no_name(cell: Scenario, tmp_path: Path) -> None:
    text = (cell.folder / "scenario.yaml").read_text()
    text += f"# the token is {CANARY}, the plc is opc.tcp://plc7.works.example:4840 at 10.1.2.3\n"
    (cell.folder / "scenario.yaml").write_text(text)
    with Journal(journal_folder(cell) / "journal.sqlite", cell="quiet") as journal:
        said = ModeChange(agent="x", before=None, now="shadow", by="Maria Gruber", reason=CANARY)
        journal.append([new_entry(said, id="m", subject="x", part="P-4711")]).result(10)
    bundle = tmp_path / "help.zip"
    done = CliRunner().invoke(program, ["doctor", str(cell.folder), "--bundle", str(bundle)])
    assert done.exit_code == 0, done.output
    with zipfile.ZipFile(bundle) as archive:
        held = {name: archive.read(name).decode() for name in archive.namelist()}
    everything = "\n".join(held.values())
    for private in (CANARY, "Maria Gruber", "P-4711", "plc7.works", "10.1.2.3"):
        assert private not in everything
    assert "person-" in held["journal.jsonl"]
    assert "[secret]" in held["scenario.yaml"]
    assert "opc.tcp://host-" in held["scenario.yaml"]
    assert {"findings.json", "system.json", "plugins.json", "README.txt"} <= held.keys()
    assert load(cell.folder).name == "quiet", "the cell itself was not touched"
