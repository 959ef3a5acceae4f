"""Full disks, damage, a second engine, a newer schema: what the journal does then."""

from __future__ import annotations

import contextlib
import json
import os
import resource
import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from millhand.errors import ConfigError, NotAllowed, Unavailable
from millhand.journal.journal import Journal

from .conftest import make_entry

posix = pytest.mark.skipif(os.name != "posix", reason="needs POSIX limits")


@contextmanager
def files_no_larger_than(size: int) -> Iterator[None]:
    """Let no file of this process grow: writes beyond fail as on a full disk (EFBIG)."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


@posix
def test_failed_commit_fails_all_of_its_batch_and_the_chain_goes_on(file: Path) -> None:
    with Journal(file, cell="c") as journal:
        journal.append([make_entry(1)]).result(10)
        assert journal.fault == ""
        with files_no_larger_than(64 * 1024):
            futures = [journal.append([make_entry(n, text="x" * 50_000)]) for n in range(6)]
            for future in futures:
                with pytest.raises(Unavailable):
                    future.result(10)
            assert journal.fault
            assert journal.head == 1
            assert [entry.seq for entry in journal.read()] == [1]
        (entry,) = journal.append([make_entry(7)]).result(10)
        assert entry.seq == 2
        assert journal.fault == ""
        assert journal.verify().ok


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    folder = tmp_path / "small"
    folder.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", "size=2m", "tmpfs", str(folder)]
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


def append_until_refused(journal: Journal) -> tuple[list[int], Unavailable]:
    """Return the numbers acknowledged before the disk was full, and the refusal."""
    acknowledged: list[int] = []
    for number in range(1, 1000):
        try:
            journal.append([make_entry(number, text="x" * 2000)]).result(10)
        except Unavailable as error:
            return acknowledged, error
        acknowledged.append(number)
    raise AssertionError("the disk never became full")


def test_disk_full_then_room_again(small_disk: Path) -> None:
    ballast = small_disk / "ballast"
    with Journal(small_disk / "journal.sqlite", cell="c") as journal:
        journal.append([make_entry(0)]).result(10)
        fill(ballast)
        acknowledged, error = append_until_refused(journal)
        assert "is full" in error.message
        assert "goes on by itself" in error.mend
        with pytest.raises(Unavailable, match="full"):
            journal.append([make_entry(text="x" * 9000)]).result(10)
        stored = [json.loads(entry.body)["decisions"] for entry in journal.read()]
        assert stored == [0, *acknowledged]
        assert journal.fault
        ballast.unlink()
        (entry,) = journal.append([make_entry(5000)]).result(10)
        assert entry.seq == len(stored) + 1
        assert journal.fault == ""
        assert journal.verify().ok


def test_starting_on_a_full_disk_says_so_and_what_is_there_can_be_read(small_disk: Path) -> None:
    file = small_disk / "journal.sqlite"
    with Journal(file, cell="c") as journal:
        journal.append([make_entry(number) for number in range(20)]).result(10)
    fill(small_disk / "ballast")
    with pytest.raises(Unavailable, match="is full"):
        Journal(file, cell="c").open()
    with Journal.open_readonly(file) as journal:
        assert journal.head == 20
        assert journal.verify().ok
    (small_disk / "ballast").unlink()
    with Journal(file, cell="c") as journal:
        assert journal.append([make_entry(1)]).result(10)[0].boot == 2


def test_read_only_disk(small_disk: Path) -> None:
    file = small_disk / "journal.sqlite"
    with Journal(file, cell="c") as journal:
        journal.append([make_entry(0)]).result(10)
    subprocess.run(["mount", "-o", "remount,ro", str(small_disk)], check=True)
    with pytest.raises(Unavailable, match="cannot be written to"):
        Journal(file, cell="c").open()
    with Journal.open_readonly(file) as journal:
        assert journal.head == 1
        assert journal.verify().ok


def test_somebody_elses_lock_fails_the_commit_and_no_more(
    file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("millhand.journal.sqlite._BUSY_TIMEOUT_S", 0.2)
    with Journal(file, cell="c") as journal:
        journal.append([make_entry(0)]).result(10)
        foreign = sqlite3.connect(file)
        foreign.execute("BEGIN IMMEDIATE")
        with pytest.raises(Unavailable, match="locked"):
            journal.append([make_entry(1)]).result(20)
        foreign.rollback()
        foreign.close()
        assert journal.append([make_entry(2)]).result(10)[0].seq == 2


def test_a_file_that_is_no_database_is_moved_aside(file: Path) -> None:
    file.write_bytes(b"this was a journal once" * 1000)
    with Journal(file, cell="c", synchronous="OFF") as journal:
        aside = journal.recovered_from
        assert aside is not None
        assert aside.name.startswith("journal.sqlite.corrupt-")
        assert aside.read_bytes().startswith(b"this was a journal once")
        assert journal.boot > 1_600_000_000  # nothing known of earlier boots: never used before
        journal.append([make_entry(1)]).result(10)
        assert journal.verify().ok
    with Journal(file, cell="c", synchronous="OFF") as journal:
        assert journal.recovered_from is None
        assert journal.head == 1


def test_damaged_pages_are_found_at_open(file: Path) -> None:
    with Journal(file, cell="c", synchronous="OFF") as journal:
        journal.append([make_entry(n, text="x" * 500) for n in range(200)]).result(10)
    with Journal(file, cell="c", synchronous="OFF") as journal:
        journal.append([make_entry(n) for n in range(20)]).result(10)
    intact = file.read_bytes()
    connection = sqlite3.connect(file)
    (root,) = connection.execute(
        "SELECT rootpage FROM sqlite_master WHERE name = 'entry_by_id'"
    ).fetchone()
    connection.close()
    spot = (root - 1) * 4096
    file.write_bytes(intact[:spot] + os.urandom(4096) + intact[spot + 4096 :])
    with Journal(file, cell="c", synchronous="OFF") as journal:
        assert journal.recovered_from is not None
        assert journal.boot == 3  # the boots could still be read from the damaged file
        assert journal.head == 0


def test_truncated_file_is_moved_aside(file: Path) -> None:
    with Journal(file, cell="c", synchronous="OFF") as journal:
        journal.append([make_entry(n, text="x" * 500) for n in range(200)]).result(10)
    os.truncate(file, file.stat().st_size // 2)
    with Journal(file, cell="c", synchronous="OFF") as journal:
        assert journal.recovered_from is not None
        journal.append([make_entry(1)]).result(10)


def test_damage_met_while_writing_is_mended_at_the_next_start(file: Path) -> None:
    with Journal(file, cell="c", synchronous="OFF") as journal:
        journal.append([make_entry(n, text="x" * 500) for n in range(200)]).result(10)
        journal._store.drop_writer()  # type: ignore[union-attr]  # so that its cache is gone
        journal._writer._tail = None  # type: ignore[union-attr]
        for suffix in ("-wal",):
            os.truncate(file.with_name(file.name + suffix), 0)
        with file.open("r+b") as raw:
            raw.write(os.urandom(8192))
        with pytest.raises(Unavailable):
            journal.append([make_entry(1)]).result(10)
    with Journal(file, cell="c", synchronous="OFF") as journal:
        assert journal.recovered_from is not None
        journal.append([make_entry(1)]).result(10)
        assert journal.verify().ok


def test_somebody_elses_database_is_left_alone(file: Path) -> None:
    connection = sqlite3.connect(file)
    connection.execute("CREATE TABLE parts (id)")
    connection.commit()
    connection.close()
    before = file.read_bytes()
    with pytest.raises(ConfigError, match="not a journal"):
        Journal(file, cell="c").open()
    assert file.read_bytes() == before


def test_newer_schema_is_refused_with_a_message(file: Path) -> None:
    Journal(file, cell="c").open().close()
    connection = sqlite3.connect(file)
    connection.execute("UPDATE journal_version SET version_num = '9999'")
    connection.commit()
    connection.close()
    for opening in (Journal(file, cell="c").open, lambda: Journal.open_readonly(file, cell="c")):
        with pytest.raises(ConfigError, match="newer Millhand \\(schema 9999") as caught:
            opening()
        assert "Install" in caught.value.mend


def test_reading_a_journal_that_is_not_there(file: Path) -> None:
    with pytest.raises(Unavailable, match="no journal"):
        Journal.open_readonly(file)
    assert not file.exists()


def test_reading_an_empty_file_does_not_change_it(file: Path) -> None:
    file.touch()
    with pytest.raises(ConfigError, match="schema"):
        Journal.open_readonly(file, cell="c")
    assert file.read_bytes() == b""


def test_a_second_writer_is_refused_and_a_reader_welcome(file: Path) -> None:
    with Journal(file, cell="c") as journal:
        journal.append([make_entry(1)]).result(10)
        with pytest.raises(NotAllowed, match="Another process writes"):
            Journal(file, cell="c").open()
        script = (
            "import sys\n"
            "from millhand.errors import NotAllowed\n"
            "from millhand.journal.journal import Journal\n"
            "with Journal.open_readonly(sys.argv[1]) as journal: print(journal.head)\n"
            "try: Journal(sys.argv[1], cell='c').open()\n"
            "except NotAllowed as error: print(error)\n"
        )
        other = subprocess.run(
            [sys.executable, "-c", script, str(file)], capture_output=True, text=True, check=True
        )
        head, refusal = other.stdout.splitlines()
        assert head == "1"
        assert refusal.startswith("Another process writes to the journal")
        journal.append([make_entry(2)]).result(10)
    Journal(file, cell="c").open().close()


def test_a_folder_that_cannot_be_written(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(Unavailable):
        Journal(tmp_path / "file" / "journal.sqlite", cell="c").open()


def test_a_journal_without_an_entry_yet_says_try_again(tmp_path: Path) -> None:
    file = tmp_path / "j.db"
    with (
        Journal(file, cell="c"),
        pytest.raises(Unavailable, match="holds nothing yet") as caught,
    ):
        Journal.open_readonly(file)
    assert "try again" in caught.value.mend
