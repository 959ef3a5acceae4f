"""A backup brings a cell back on an empty machine, tells no secret, and trusts no archive."""

from __future__ import annotations

import json
import threading
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from millhand.engine import Engine
from millhand.errors import MillhandError, NotAllowed, PackageError, Unavailable
from millhand.journal.entries import new_entry
from millhand.journal.journal import Journal
from millhand.journal.proof import SignedProof
from millhand.journal.signing import SignedHead, SigningKey, make_key, read_heads
from millhand.plugins import Plugins
from millhand.scenario.load import Scenario, load
from millhand.testing.runs import MadeRun
from millhand.upkeep.backup import back_up
from millhand.upkeep.restore import examine, restore

from .conftest import CANARY


@pytest.fixture
def backup(cell: Scenario, tmp_path: Path) -> Path:
    target = tmp_path / "cell.millhand"
    back_up(cell, target)
    return target


def tree(folder: Path) -> dict[str, bytes]:
    found = (path for path in folder.rglob("*") if path.is_file())
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in found}


async def test_a_cell_comes_back_elsewhere_and_goes_on(cell, backup, tmp_path: Path) -> None:
    empty = tmp_path / "another machine" / "cell"
    done = restore(backup, empty)
    assert done.entries == 61
    (empty / "console-token").write_text("a new one")  # as the list of what to put back asks
    (empty / "console-token").chmod(0o600)
    before, after = tree(cell.folder), tree(empty)
    assert after["models/weights.bin"] == before["models/weights.bin"]
    pictures = {name for name in before if name.endswith(".png")}
    assert len(pictures) == 3
    assert {name: after.get(name) for name in pictures} == {n: before[n] for n in pictures}
    assert any(name.startswith("journal/inbox/") for name in after)
    async with Engine(empty, plugins=Plugins()) as engine:
        assert engine.journal.boot == 2, "it goes on where the backup was made"
        assert engine.journal.verify().ok


def test_exported_checkpoints_come_along_and_still_prove_the_journal(cell, tmp_path: Path) -> None:
    make_key(tmp_path / "journal.key")
    key = SigningKey((tmp_path / "journal.key").read_text())
    folder = cell.folder / "journal"
    with Journal(folder / "journal.sqlite", cell="quiet", key=key,
                 witness=folder / "checkpoints.jsonl") as journal:  # fmt: skip
        journal.append([new_entry(MadeRun().entries[0].record, id="one")]).result(10)
    back_up(cell, tmp_path / "cell.millhand")
    restore(tmp_path / "cell.millhand", tmp_path / "empty")
    there = tmp_path / "empty" / "journal"
    heads = [h for h in read_heads(there / "checkpoints.jsonl") if isinstance(h, SignedHead)]
    with Journal.open_readonly(there / "journal.sqlite") as journal:
        report = journal.verify(proof=SignedProof([key.public], heads))
    assert report.ok
    assert report.witnessed is not None
    assert report.witnessed.last_seq == report.head.seq


def test_no_secret_is_in_it_and_all_are_named(cell, backup) -> None:
    with zipfile.ZipFile(backup) as archive:
        held = b"".join(archive.read(name) for name in archive.namelist())
        manifest = json.loads(archive.read("manifest.json"))
    assert CANARY.encode() not in held
    assert b"PRIVATE KEY" not in held
    named = {one["name"]: one["why"] for one in manifest["left_out"]}
    assert named == {
        "file:console-token": "secret",
        "console-token": "secret",
        "notes.txt": "secret",
        "secrets": "secret",
        "server.pem": "key",
        "link": "link",
    }
    assert not [name for name in manifest["files"] if name.endswith((".lock", "-wal", ".db"))]


def test_made_while_the_engine_writes_it_is_one_moment_of_the_journal(cell, tmp_path) -> None:
    stop, wrote = threading.Event(), threading.Event()
    with Journal(cell.folder / "journal" / "journal.sqlite", cell="quiet") as journal:

        def write() -> None:
            made = MadeRun()
            while not stop.is_set():
                made.part()
                one = made.entries[-1]
                journal.append([new_entry(one.record, id=one.id, subject="x")]).result(10)
                wrote.set()

        writer = threading.Thread(target=write)
        writer.start()
        try:
            assert wrote.wait(10)
            heads = []
            for number in range(3):
                target = tmp_path / f"{number}.millhand"
                heads.append(back_up(cell, target).head)
                assert examine(target).entries == heads[-1].seq
        finally:
            stop.set()
            writer.join()
        seqs = [head.seq for head in heads]
        assert seqs == sorted(seqs)
        assert seqs[0] < seqs[-1], "it really was written meanwhile"
        assert journal.verify(heads[0]).compared == heads[0], "the same chain goes on"


def test_state_and_scenario_may_lie_apart(cell, tmp_path: Path) -> None:
    state = tmp_path / "state"
    (cell.folder / "journal").rename(state)
    target = tmp_path / "cell.millhand"
    assert back_up(cell, target, state=state).head is not None
    restore(target, tmp_path / "new", state=tmp_path / "new-state")
    assert (tmp_path / "new-state" / "journal.sqlite").is_file()
    assert not (tmp_path / "new" / "journal").exists()
    assert load(tmp_path / "new").name == "quiet"


def test_without_pictures_it_is_smaller_and_whole(cell, backup, tmp_path: Path) -> None:
    target = tmp_path / "small.millhand"
    made = back_up(cell, target, pictures=False)
    assert not [name for name in made.files if "blobs" in name]
    assert examine(target).entries == 61


def test_nothing_is_ever_overwritten(cell, backup, tmp_path: Path) -> None:
    with pytest.raises(NotAllowed, match="already"):
        restore(backup, cell.folder)
    taken = tmp_path / "taken"
    taken.mkdir()
    (taken / "mine").write_text("mine")
    with pytest.raises(NotAllowed, match="already"):
        restore(backup, tmp_path / "new", state=taken)
    assert not (tmp_path / "new").exists()


def test_what_is_no_backup_says_so(tmp_path: Path) -> None:
    with pytest.raises(Unavailable):
        examine(tmp_path / "nothing")
    (tmp_path / "text").write_text("hello")
    with pytest.raises(PackageError):
        examine(tmp_path / "text")


# --- archives of a stranger ---

Change = Callable[[dict[str, bytes], dict], None]


def changed(backup: Path, change: Change) -> Path:
    """Write the backup anew after ``change`` had its way with files and manifest."""
    with zipfile.ZipFile(backup) as archive:
        files = {name: archive.read(name) for name in archive.namelist()}
    manifest = json.loads(files.pop("manifest.json"))
    change(files, manifest)
    target = backup.with_suffix(".changed")
    with zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in files.items():
            archive.writestr(name, data)
        archive.writestr("manifest.json", json.dumps(manifest))
    return target


def renamed(to: str) -> Change:
    def change(files, manifest) -> None:
        name = "scenario/models/weights.bin"
        files[to], manifest["files"][to] = files.pop(name), manifest["files"].pop(name)

    return change


def edited(files, manifest) -> None:
    files["scenario/scenario.yaml"] += b"# harmless\n"


def bomb(files, manifest) -> None:
    files["scenario/models/weights.bin"] = bytes(50_000_000)


def unlisted(files, manifest) -> None:
    files["scenario/evil.py"] = b"import os"


def missing(files, manifest) -> None:
    del files["scenario/scenario.yaml"]


def without_journal(files, manifest) -> None:
    del files["state/journal.sqlite"], manifest["files"]["state/journal.sqlite"]


def newer(files, manifest) -> None:
    manifest["format"] = "millhand-backup/9"


def another_head(files, manifest) -> None:
    manifest["head"]["hash"] = "0" * 64


def outer_journal(files, manifest) -> None:
    manifest["journal_folder"] = "../../elsewhere"


def outer_scenario(files, manifest) -> None:
    manifest["scenario_file"] = "../scenario.yaml"


def another_cell(files, manifest) -> None:
    import hashlib

    data = files["scenario/scenario.yaml"].replace(b"quiet", b"other")
    files["scenario/scenario.yaml"] = data
    packed = manifest["files"]["scenario/scenario.yaml"]
    packed |= {"size": len(data), "sha256": hashlib.sha256(data).hexdigest()}


@pytest.mark.parametrize(
    "change",
    [
        *map(renamed, ["../evil", "scenario/../../evil", "/etc/evil", "scenario/a\\..\\b", "evil"]),
        *(edited, bomb, unlisted, missing, without_journal, newer, another_head, outer_journal),
        *(outer_scenario, another_cell),
    ],
)
def test_a_changed_backup_is_refused_and_nothing_is_left(backup, tmp_path, change: Change) -> None:
    bad = changed(backup, change)
    before = sorted(path.name for path in tmp_path.iterdir())
    with pytest.raises(PackageError):
        restore(bad, tmp_path / "new")
    assert sorted(path.name for path in tmp_path.iterdir()) == before


@settings(
    max_examples=60,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(data=st.data())
def test_any_damaged_byte_is_found_or_harmless(backup, tmp_path, data) -> None:
    whole = backup.read_bytes()
    position = data.draw(st.integers(0, len(whole) - 1))
    cut = data.draw(st.booleans())
    wrong = bytes([whole[position] ^ data.draw(st.integers(1, 255))])
    bad = tmp_path / "bad.millhand"
    bad.write_bytes(whole[:position] if cut else whole[:position] + wrong + whole[position + 1 :])
    try:
        found = examine(bad)
    except MillhandError:
        return
    assert found == examine(backup), "only dates and attributes may differ unseen"
