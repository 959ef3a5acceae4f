"""A power cut at any instant loses nothing that was acknowledged; and less than FULL does.

What SQLite writes and flushes is recorded under it (``power_cut.c``). For any instant that record
says which bytes were surely on the disk, and which may or may not have been: each cut makes one
such disk, opens the journal on it and looks for every entry that had been acknowledged.
"""

from __future__ import annotations

import os
import random
import shutil
import subprocess
import sys
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from millhand.errors import MillhandError
from millhand.journal.journal import Journal

CUTS = 600
"""States of the disk after a cut that are tried with FULL; for less than FULL a tenth shows it."""
_SECTOR = 512

APPENDING = """
import os, sys
from millhand.journal import sqlite
from millhand.journal.entries import new_entry
from millhand.journal.journal import Journal
from millhand.journal.records import Stopped

folder, synchronous, prune_at = sys.argv[1], sys.argv[2], int(sys.argv[3])
sqlite._PAGES_WHEN_IDLE = sqlite._PAGES_AT_MOST = 150  # copy the log back often, idle or not
acks = os.open(folder + "/acks", os.O_WRONLY | os.O_CREAT)

def acknowledge(future):
    for entry in future.result():
        os.write(acks, b"%d %s\\n" % (entry.seq, entry.hash.encode()))

journal = Journal(folder + "/journal.sqlite", cell="c", synchronous=synchronous,
                  segment_entries=40 if prune_at else 100_000).open()
for number in range(200):
    if number and number == prune_at:
        assert journal.prune(2**62) is not None
    record = Stopped(reason="x" * (37 * number % 6000), decisions=number)
    future = journal.append([new_entry(record, id=str(number))] * (1 + number % 2))
    future.add_done_callback(acknowledge)
    if number % 3 == 0:
        future.result()
journal.append([new_entry(record, id="last")]).result()
os._exit(0)
"""


@dataclass
class Operation:
    name: str
    file: str
    offset: int
    data: bytes


@dataclass
class Disk:
    """The files as they surely are, and what was written since the last flush of each."""

    files: dict[str, bytearray] = field(default_factory=dict)
    pending: dict[str, list[Operation]] = field(default_factory=dict)

    def take(self, operation: Operation) -> None:
        if operation.name == "sync":
            for earlier in self.pending.pop(operation.file, []):
                apply(self.files, earlier)
        else:
            self.pending.setdefault(operation.file, []).append(operation)

    def after_power_cut(self, chance: random.Random) -> dict[str, bytearray]:
        """Return one of the many states that the disk may be found in."""
        files = {name: bytearray(content) for name, content in self.files.items()}
        luck = chance.choice([0.0, 0.5, 0.9, 1.0])
        for operations in self.pending.values():
            for operation in operations:
                for sector in _sectors(operation):
                    if chance.random() < luck:
                        apply(files, sector)
        return files


def _sectors(operation: Operation) -> list[Operation]:
    """Split a write where a disk may tear it."""
    if operation.name == "truncate":
        return [operation]
    parts, at = [], 0
    while at < len(operation.data):
        offset = operation.offset + at
        size = _SECTOR - offset % _SECTOR
        parts.append(Operation("write", operation.file, offset, operation.data[at : at + size]))
        at += size
    return parts


def apply(files: dict[str, bytearray], operation: Operation) -> None:
    content = files.setdefault(operation.file, bytearray())
    if operation.name == "truncate":
        del content[operation.offset :]
        content.extend(bytes(operation.offset - len(content)))
        return
    content.extend(bytes(max(0, operation.offset - len(content))))
    content[operation.offset : operation.offset + len(operation.data)] = operation.data


def parse(log: bytes) -> list[Operation]:
    operations, at = [], 0
    while at < len(log):
        end = log.index(b"\n", at)
        name, file, offset, length = log[at:end].decode().split()
        data = log[end + 1 : end + 1 + int(length)]
        operations.append(Operation(name, file, int(offset), data))
        at = end + 1 + len(data)
    return operations


@pytest.fixture(scope="module")
def recorder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    compiler = shutil.which("cc") or shutil.which("gcc")
    if compiler is None or not sys.platform.startswith("linux"):
        pytest.skip("needs Linux and a C compiler")
    library = tmp_path_factory.mktemp("recorder") / "power_cut.so"
    source = Path(__file__).with_name("power_cut.c")
    command = [compiler, "-O1", "-shared", "-fPIC", "-o", str(library), str(source), "-ldl"]
    subprocess.run(command, check=True)
    return library


def recorded(recorder: Path, folder: Path, synchronous: str, prune_at: int = 0) -> list[Operation]:
    disk, log = folder / "disk", folder / "log"
    disk.mkdir()
    environment = os.environ | {"LD_PRELOAD": str(recorder), "DISK": str(disk), "LOG": str(log)}
    command = [sys.executable, "-c", APPENDING, str(disk), synchronous, str(prune_at)]
    subprocess.run(command, env=environment, check=True)
    return parse(log.read_bytes())


def losses(operations: list[Operation], folder: Path, cuts: int) -> list[str]:
    """Cut the power at many instants; say for each loss what it was."""
    chance = random.Random(3)
    first_ack = next(n for n, operation in enumerate(operations) if operation.file == "acks")
    instants = sorted(chance.choices(range(first_ack, len(operations)), k=cuts))
    disk, at, found = Disk(), 0, []
    acknowledged: dict[int, str] = {}
    for number, instant in enumerate(instants):
        for operation in operations[at:instant]:
            if operation.file == "acks":
                seq, digest = operation.data.decode().split()
                acknowledged[int(seq)] = digest
            elif operation.file in {"journal.sqlite", "journal.sqlite-wal"}:
                disk.take(operation)
        at = instant
        found += _lost(disk.after_power_cut(chance), acknowledged, folder / str(number))
    assert len(acknowledged) > 100
    return found


def _lost(files: dict[str, bytearray], acknowledged: dict[int, str], folder: Path) -> list[str]:
    folder.mkdir()
    for name, content in files.items():
        (folder / name).write_bytes(content)
    try:
        with Journal(folder / "journal.sqlite", cell="c", synchronous="OFF") as journal:
            if journal.recovered_from is not None:
                return ["the file is damaged"]
            stored = {entry.seq: entry.hash for entry in journal.read(limit=None)}
            pruned = journal.last("pruned")
            first_kept = pruned.record.last_seq + 1 if pruned else 1  # type: ignore[union-attr]
            missing = [
                seq
                for seq, digest in acknowledged.items()
                if seq >= first_kept and stored.get(seq) != digest
            ]
            whole = journal.verify().ok
    except MillhandError as error:
        return [str(error)]
    finally:
        shutil.rmtree(folder)
    return ([f"{len(missing)} entries lost"] if missing else []) + ([] if whole else ["broken"])


def test_full_loses_nothing(recorder: Path, tmp_path: Path) -> None:
    operations = recorded(recorder, tmp_path, "FULL")
    checkpointed = [o for o in operations if o.file == "journal.sqlite" and o.name == "write"]
    assert len(checkpointed) > 100, "the run must be long enough to copy the log back"
    assert losses(operations, tmp_path, CUTS) == []


def test_pruning_loses_nothing_that_is_kept(recorder: Path, tmp_path: Path) -> None:
    operations = recorded(recorder, tmp_path, "FULL", prune_at=120)
    assert losses(operations, tmp_path, CUTS // 3) == []


@pytest.mark.parametrize("synchronous", ["NORMAL", "OFF"])
def test_less_than_full_loses_entries_so_this_test_can_fail(
    recorder: Path, tmp_path: Path, synchronous: str
) -> None:
    cuts = CUTS // 10
    operations = recorded(recorder, tmp_path, synchronous)
    assert len(losses(operations, tmp_path, cuts)) > cuts // 10
