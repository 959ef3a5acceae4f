"""``kill -9`` at any instant loses nothing that was acknowledged."""

from __future__ import annotations

import random
import signal
import subprocess
import sys
from pathlib import Path
from threading import Timer

import pytest

from millhand.journal.journal import Journal

KILLS = 20

APPENDING = """
import os, sys
from millhand.journal.entries import new_entry
from millhand.journal.journal import Journal
from millhand.journal.records import Stopped

journal = Journal(sys.argv[1], cell="c", segment_entries=50).open()

def acknowledge(future):
    entries = future.result()
    os.write(1, b"".join(b"%d %s\\n" % (e.seq, e.hash.encode()) for e in entries))

number = 0
while True:
    futures = []
    for _ in range(8):
        number += 1
        record = Stopped(reason="x" * (number % 700), decisions=number)
        future = journal.append([new_entry(record, id=str(number))] * (1 + number % 3))
        future.add_done_callback(acknowledge)
        futures.append(future)
    for future in futures:
        future.result()
"""


@pytest.mark.skipif(sys.platform == "win32", reason="no SIGKILL")
def test_kill_9_loses_nothing_acknowledged(file: Path) -> None:
    chance = random.Random(7)
    acknowledged: dict[int, str] = {}
    for round_ in range(KILLS):
        command = [sys.executable, "-c", APPENDING, str(file)]
        with subprocess.Popen(command, stdout=subprocess.PIPE) as child:
            assert child.stdout is not None
            first = child.stdout.readline()  # it is up
            timer = Timer(chance.uniform(0, 0.05), child.kill)
            timer.start()
            rest = child.stdout.read()
        timer.join()
        assert child.returncode == -signal.SIGKILL
        lines = (first + rest).decode().splitlines(keepends=True)
        for line in lines:
            if line.endswith("\n"):  # the last may be torn
                seq, digest = line.split()
                acknowledged[int(seq)] = digest
        assert len(acknowledged) > round_
    with Journal(file, cell="c") as journal:
        assert journal.recovered_from is None
        stored = {entry.seq: entry.hash for entry in journal.read(limit=None)}
        assert {seq: stored.get(seq) for seq in acknowledged} == acknowledged
        report = journal.verify()
        assert report.ok
        assert report.checkpoints >= KILLS - 1
        calls = [entry.id for entry in journal.read(kinds=["stopped"], limit=None)]
    _every_call_is_whole(calls)


def _every_call_is_whole(ids: list[str]) -> None:
    """Entry ``n`` came in a call of ``1 + n % 3``: half a call must never be there."""
    at = 0
    while at < len(ids):
        size = 1 + int(ids[at]) % 3
        assert ids[at : at + size] == [ids[at]] * size
        at += size
