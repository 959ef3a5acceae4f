"""Durable rows a second: the journal beside a bare SQLite writer, interleaved in one process.

    python tests/benchmarks/journal.py [--seconds 1] [--rounds 5] [--folder DIR]

Both write the same rows (body of 2.5 kB, all columns and indexes of the journal) with
``synchronous=FULL`` to the same disk, taking turns, so that a busy disk troubles both alike.
*Waiting* is how many callers wait for their row at any time; the bare writer commits as many rows
at once as would be waiting, which is the most that group commit can reach. The journal does more:
it serialises, chains by hash, hands over between threads, and answers each caller.
"""

from __future__ import annotations

import argparse
import sqlite3
import statistics
import sys
import tempfile
import time
from collections import deque
from collections.abc import Callable
from concurrent.futures import Future
from pathlib import Path

from millhand.journal.entries import Entry, NewEntry, new_entry
from millhand.journal.journal import Journal
from millhand.journal.records import Stopped

WAITING = (1, 8, 64)
REASON = "x" * 2450


def fresh() -> NewEntry:
    """Return a row as an intent would be: serialised by its caller."""
    record = Stopped(reason=REASON, decisions=0)
    return new_entry(record, id="cell.1.123456", subject="inspector", part="P000123456")


class Bare:
    """The least that could be done: executemany and commit."""

    def __init__(self, journal_file: Path, synchronous: str) -> None:
        file = journal_file.with_name("bare.sqlite")
        template = sqlite3.connect(journal_file)
        schema = template.execute("SELECT sql FROM sqlite_master WHERE sql LIKE 'CREATE%'")
        self._connection = sqlite3.connect(file, isolation_level=None)
        self._connection.execute("PRAGMA journal_mode=WAL")
        self._connection.execute(f"PRAGMA synchronous={synchronous}")
        for (statement,) in schema.fetchall():
            self._connection.execute(statement)
        template.close()
        self._seq = 0

    def run(self, waiting: int, seconds: float) -> float:
        """Return rows a second."""
        body = fresh().body.decode()
        names = ("cell.1.123456", "intent", "inspector", "P000123456")
        hashes = ("0" * 64, "1" * 64)
        begin = time.perf_counter()
        count = 0
        while time.perf_counter() - begin < seconds:
            rows = []
            for _ in range(waiting):
                self._seq += 1
                rows.append(("cell", 1, self._seq, *names, time.time_ns(), body, *hashes))
            self._connection.execute("BEGIN IMMEDIATE")
            self._connection.executemany(f"INSERT INTO entry VALUES ({','.join('?' * 11)})", rows)
            self._connection.execute("COMMIT")
            count += waiting
        return count / (time.perf_counter() - begin)

    def close(self) -> None:
        """Let go of the file."""
        self._connection.close()


def run_journal(journal: Journal, waiting: int, seconds: float) -> float:
    """Return rows a second while ``waiting`` callers always have one row on its way."""
    pending: deque[Future[list[Entry]]] = deque()
    begin = time.perf_counter()
    count = 0
    while time.perf_counter() - begin < seconds:
        while len(pending) < waiting:
            pending.append(journal.append([fresh()]))
        pending.popleft().result()
        count += 1
        while pending and pending[0].done():
            pending.popleft().result()
            count += 1
    for future in pending:
        future.result()
    return count / (time.perf_counter() - begin)


def cpu_per_entry(journal: Journal, waiting: int, calls: int) -> float:
    """Return microseconds of CPU, of all threads, for an entry from serialising to answer."""
    begin = time.process_time()
    for _ in range(calls):
        for future in [journal.append([fresh()]) for _ in range(waiting)]:
            future.result()
    return (time.process_time() - begin) / (calls * waiting) * 1e6


def main() -> None:
    """Measure and print the table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--seconds", type=float, default=1.0, help="length of one turn")
    parser.add_argument("--rounds", type=int, default=5, help="turns of each; the median counts")
    parser.add_argument("--folder", type=Path, help="on the disk to measure")
    parser.add_argument("--synchronous", default="FULL")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory(dir=arguments.folder) as folder:
        file = Path(folder) / "journal.sqlite"
        with Journal(file, cell="cell", synchronous=arguments.synchronous) as journal:
            bare = Bare(file, arguments.synchronous)
            _print_table(journal, bare, arguments.seconds, arguments.rounds)
            bare.close()
            assert journal.verify().ok
        with Journal(Path(folder) / "cpu.sqlite", cell="cell", synchronous="OFF") as journal:
            for waiting in WAITING:
                cost = cpu_per_entry(journal, waiting, 1024 // waiting)
                print(f"CPU an entry, {waiting:2} waiting, without fsync: {cost:6.1f} µs")


def _print_table(journal: Journal, bare: Bare, seconds: float, rounds: int) -> None:
    print(f"Python {sys.version.split()[0]}, SQLite {sqlite3.sqlite_version}")
    print(f"{'waiting':>8} {'journal rows/s':>15} {'bare rows/s':>12} {'ratio':>6}")
    for waiting in WAITING:
        turns: list[tuple[Callable[[int, float], float], list[float]]] = [
            (lambda w, s: run_journal(journal, w, s), []),
            (bare.run, []),
        ]
        for _ in range(rounds):
            for run, results in turns:
                results.append(run(waiting, seconds))
        ours, theirs = (statistics.median(results) for _, results in turns)
        print(f"{waiting:8} {ours:15.0f} {theirs:12.0f} {ours / theirs:6.2f}")


if __name__ == "__main__":
    main()
