"""``kill -9`` at any instant loses nothing that was acknowledged."""

from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
from pathlib import Path
from threading import Timer

import pytest

from millhand.journal.journal import Journal

KILLS = 20

# One process that has loaded everything forks the ones to be killed, and says their process ids.
APPENDING = """
import os, sys
from millhand.journal.entries import new_entry
from millhand.journal.journal import Journal
from millhand.journal.records import Stopped

def acknowledge(future):
    entries = future.result()
    os.write(1, b"".join(b"%d %s\\n" % (e.seq, e.hash.encode()) for e in entries))

def append_for_ever():
    journal = Journal(sys.argv[1], cell="c", segment_entries=50).open()
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

Journal(sys.argv[1], cell="c").open().close()
for _ in range(int(sys.argv[2])):
    child = os.fork()
    if child == 0:
        append_for_ever()
    os.write(1, b"killable %d\\n" % child)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == -9
"""


@pytest.mark.skipif(sys.platform == "win32", reason="no SIGKILL")
def test_kill_9_loses_nothing_acknowledged(file: Path) -> None:
    chance = random.Random(7)
    acknowledged: dict[int, str] = {}
    doomed, waits_for_first = 0, False
    command = [sys.executable, "-c", APPENDING, str(file), str(KILLS)]
    kills = 0
    with subprocess.Popen(command, stdout=subprocess.PIPE) as parent:
        assert parent.stdout is not None
        for line in parent.stdout:
            word, value = line.decode().split()
            if word == "killable":
                doomed, waits_for_first = int(value), True
                continue
            acknowledged[int(word)] = value
            if waits_for_first:  # it is up and writing
                waits_for_first = False
                kills += 1
                Timer(chance.uniform(0, 0.05), os.kill, (doomed, signal.SIGKILL)).start()
    assert parent.returncode == 0
    assert kills == KILLS
    with Journal(file, cell="c") as journal:
        assert journal.recovered_from is None
        assert journal.boot == KILLS + 1
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
