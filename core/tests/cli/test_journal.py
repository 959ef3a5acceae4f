"""``journal`` and ``status`` on a real journal, without an engine and beside one."""

import json
import shutil
import signal
import sqlite3
import subprocess
import sys
from contextlib import closing

import pytest

from millhand.journal.entries import new_entry
from millhand.journal.journal import Journal
from millhand.journal.records import Alarm, AlarmState, Started, Stopped
from millhand.journal.signing import SigningKey


def alarm(state: AlarmState) -> Alarm:
    return Alarm(name="device_down", source="plc", state=state, text="plc is away")


def lines(text: str) -> list[str]:
    return [line for line in text.splitlines() if line.strip()]


def test_tail_prints_the_newest_last(run, recorded):
    found = lines(run("journal", "tail", "--at", recorded, "-n", 3).stdout)
    assert len(found) == 3
    assert "What is it?" in found[-2]
    assert "inspector: – → control, by ann" in found[-1]


def test_tail_can_be_narrowed(run, recorded):
    found = lines(run("journal", "tail", "--at", recorded, "--kind", "intent").stdout)
    assert len(found) == 2
    assert "OK, passed" in found[0]
    assert "not decidable, diverted, It cannot tell." in found[1]
    part = run("journal", "tail", "--at", recorded, "--part", "P000002", "--json").stdout
    kinds = [json.loads(line)["kind"] for line in lines(part)]
    assert kinds == ["intent", "question"]


def test_tail_in_a_pipe_is_plain_and_never_folded(shell, recorded):
    found = shell("journal", "tail", "--at", recorded)
    assert "\x1b" not in found.stdout
    assert all(line.split()[0].isdecimal() for line in lines(found.stdout))


def test_tail_follows_and_ends_on_ctrl_c(environment, recorded):
    command = [sys.executable, "-u", "-m", "millhand.cli", "journal", "tail"]
    with (
        Journal(recorded / "journal.sqlite", cell="cell") as journal,
        subprocess.Popen(
            [*command, "-f", "-n", "1", "--at", str(recorded), "--kind", "alarm"],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            env=environment,
        ) as tail,
    ):
        written = alarm(AlarmState.ACTIVE)
        journal.append([new_entry(written, id="a", subject="plc")]).result(5)
        assert "plc is away" in tail.stdout.readline()
        journal.append([new_entry(alarm(AlarmState.CLEARED), id="a", subject="plc")]).result(5)
        assert "cleared" in tail.stdout.readline()
        tail.send_signal(signal.SIGINT)
        _, told = tail.communicate(timeout=30)
    assert tail.returncode == 130
    assert told.strip() == "Stopped."


@pytest.mark.parametrize("what", ["cell.1.2", "P000002"])
def test_show_gathers_all_of_a_decision_or_part(run, recorded, what):
    found = run("journal", "show", what, "--at", recorded)
    for kind in ("intent", "outcome", "question"):
        assert f"  {kind} " in found.stdout
    assert '"reason": "It cannot tell."' in found.stdout


def test_show_an_entry_by_its_number(run, recorded):
    (line,) = lines(run("journal", "show", 2, "--at", recorded, "--json").stdout)
    assert json.loads(line)["seq"] == 2


def test_show_what_is_not_there(run, recorded):
    result = run("journal", "show", "nope", "--at", recorded)
    assert result.exit_code == 3
    assert "nope" in result.stderr


def test_verify_says_whole_and_writes_the_head(run, recorded, tmp_path):
    head = tmp_path / "head.json"
    result = run("journal", "verify", "--at", recorded, "--head", head)
    assert result.exit_code == 0
    assert "the chain is whole" in result.stdout
    again = run("journal", "verify", "--at", recorded, "--against", head)
    assert (again.exit_code, "may have been cut off" in again.stdout) == (0, False)


def test_verify_finds_an_edit(run, recorded):
    with closing(sqlite3.connect(recorded / "journal.sqlite")) as database, database:
        changed = database.execute(
            "UPDATE entry SET body = replace(body, 'cannot', 'can') WHERE body LIKE '%cannot%' "
            "RETURNING seq"
        )
        (seq,) = changed.fetchone()
    result = run("journal", "verify", "--at", recorded, "--json")
    assert result.exit_code == 1
    (fault,) = json.loads(result.stdout)["faults"]
    assert (fault["kind"], fault["first_seq"]) == ("edited", seq)
    assert run("journal", "verify", "--at", recorded).exit_code == 1


def test_verify_finds_a_cut_off_tail_by_the_head_kept_elsewhere(run, recorded, tmp_path):
    head = tmp_path / "head.json"
    run("journal", "verify", "--at", recorded, "--head", head)
    with closing(sqlite3.connect(recorded / "journal.sqlite")) as database, database:
        database.execute("DELETE FROM entry WHERE seq = (SELECT max(seq) FROM entry)")
    assert run("journal", "verify", "--at", recorded).exit_code == 0
    result = run("journal", "verify", "--at", recorded, "--against", head)
    assert result.exit_code == 1
    assert "cut_off" in result.stdout


def test_a_head_that_is_none(run, recorded, tmp_path):
    (tmp_path / "head.json").write_text("{}")
    result = run("journal", "verify", "--at", recorded, "--against", tmp_path / "head.json")
    assert result.exit_code == 3


def test_export_to_file_and_pipe(run, shell, recorded, tmp_path):
    file = tmp_path / "out.jsonl"
    assert run("journal", "export", "--at", recorded, "-o", file).exit_code == 0
    exported = [json.loads(line) for line in file.read_text().splitlines()]
    assert [line["seq"] for line in exported] == list(range(1, len(exported) + 1))
    piped = shell("journal", "export", "--at", recorded, "--after", 2)
    assert [json.loads(line) for line in piped.stdout.splitlines()] == exported[2:]


@pytest.mark.parametrize("words", [["tail"], ["verify"], ["show", "x"], ["export"]])
def test_no_journal_needs_a_person(run, tmp_path, words):
    result = run("journal", *words, "--at", tmp_path / "nowhere")
    assert result.exit_code == 3
    assert "nowhere" in result.stderr


def test_a_file_that_is_no_journal(run, tmp_path):
    (tmp_path / "journal.sqlite").write_bytes(b"not a database at all" * 100)
    result = run("journal", "tail", "--at", tmp_path)
    assert result.exit_code in (3, 4)
    assert "Traceback" not in result.output


def test_a_scenario_leads_to_its_journal_even_when_it_is_broken(run, recorded, tmp_path):
    cell = tmp_path / "cell"
    cell.mkdir()
    (cell / "scenario.yaml").write_text("millhand: 1\nname: cell\n")
    shutil.move(recorded, cell / "journal")
    assert lines(run("journal", "tail", "--at", cell).stdout)
    assert lines(run("journal", "tail", "--at", cell / "scenario.yaml").stdout)
    (cell / "scenario.yaml").write_text("millhand: [\n")
    assert lines(run("journal", "tail", "--at", cell).stdout)


def test_status_of_a_cell(run, recorded):
    with Journal(recorded / "journal.sqlite", cell="cell") as journal:
        for state in (AlarmState.ACTIVE, AlarmState.ACKNOWLEDGED):
            journal.append([new_entry(alarm(state), id="a", subject="plc")]).result(5)
    result = run("status", "--at", recorded)
    for said in ("cell: running", "inspector: control", "alarm: plc is away", "1 open question:"):
        assert said in result.stdout
    found = json.loads(run("status", "--at", recorded, "--json").stdout)
    assert (found["running"], found["modes"]) == (True, {"inspector": "control"})


def test_status_after_a_stop_and_a_new_start(run, recorded):
    def append(*records):
        with Journal(recorded / "journal.sqlite", cell="cell") as journal:
            for record in records:
                journal.append([new_entry(record, id="s", subject="cell")]).result(5)
        return json.loads(run("status", "--at", recorded, "--json").stdout)

    stopped = append(alarm(AlarmState.ACTIVE), Stopped(reason="stop", decisions=2))
    assert (stopped["running"], stopped["alarms"]) == (False, ["plc is away"])
    started = append(Started(scenario="cell", scenario_sha256="0" * 64, millhand="0.1.0"))
    assert (started["running"], started["alarms"]) == (True, []), "alarms are those of this run"


def test_a_key_is_made_and_what_it_signed_is_verified(shell, tmp_path):
    made = shell("journal", "keygen", tmp_path / "secrets" / "journal.key")
    assert made.returncode == 0
    assert 'sign: "file:secrets/journal.key"' in made.stdout
    assert shell("journal", "keygen", tmp_path / "secrets" / "journal.key").returncode == 3
    key = SigningKey((tmp_path / "secrets" / "journal.key").read_text())
    file = tmp_path / "journal.sqlite"
    witness = tmp_path / "checkpoints.jsonl"
    with Journal(file, cell="cell", key=key, witness=witness) as journal:
        journal.append([new_entry(Stopped(reason="stop", decisions=n), id=str(n)) for n in (1, 2)])
    verify = ("journal", "verify", "--at", tmp_path, "--key", tmp_path / "secrets" / "journal.pub")
    found = shell(*verify)
    assert found.returncode == 0
    assert "vouch for all up to entry 2" in found.stdout
    with closing(sqlite3.connect(file)) as database, database:
        database.execute("DELETE FROM entry WHERE seq = 2")
    for extra in ((), ("--against", witness)):
        cut_off = shell(*verify, *extra)
        assert cut_off.returncode == 1
        assert "entry 2 was signed" in cut_off.stdout
    plain = shell("journal", "verify", "--at", tmp_path, "--against", witness)
    assert plain.returncode == 3
    assert "--key" in plain.stderr
