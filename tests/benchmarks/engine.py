"""Measure the engine: CPU for a decision, tag change to durable write, import, memory.

- *CPU for a decision*: part trigger to journalled outcome with a controller in memory, an agent
  that passes at once, and the journal on a memory disk where there is one. From the CPU time of the
  whole process, all threads, two shares are taken that are not the engine: that of SQLite (measured
  around the inserts and the commit), and that of the controller and of this script (measured
  by serving the same controller by hand). All are shown. With and without an echo, 32 parts at
  a time, so that commits are shared, and one at a time, so that every wake-up of a thread is its
  own. Goal: at most 200 µs.
- *Tag change to acknowledged write* through the whole engine with its durable intent, against
  a bare asyncua loop and bare ``synchronous=FULL`` commits in the same run, interleaved. Goal: at
  most 1.15 times the loop plus 1.5 times the commit.
- *Import and memory* of the core over bare Python. Goals: 0.5 s and 80 MB.

Run it alone on the machine: ``python tests/benchmarks/engine.py``.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import platform
import random
import sqlite3
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import NamedTuple, Self

import structlog
from asyncua import Client
from benchmark_agents import BenchmarkPlugin
from opcua_loop import NAMESPACE, bare_changes, server_process

from millhand.contracts import Mode, Sample, Value, Write
from millhand.engine import Engine
from millhand.engine.snapshot import LastDecision
from millhand.engine.statistics import Statistics
from millhand.journal.entries import Entry
from millhand.journal.journal import Journal
from millhand.journal.places import FILE_NAME
from millhand.journal.sqlite import SQLiteStore
from millhand.pauses import freeze_start
from millhand.plugins import Plugins
from millhand.scenario.load import load_text
from millhand.testing import PlayedPlc

PARTS_CELL = """
millhand: 1
name: benchmark
devices:
  plc:
    adapter: memory
    triggers: {{trigger: {{record: T}}}}
    channels: {{result: {{record: C, answers: A, confirm: {confirm}}}}}
    lease: {{record: L, every: 100 ms}}
agents:
  inspector: {{use: benchmark.passes, max_mode: control, when: plc.trigger,
              may: {{disposition: plc.result}}, deadline: 1 s, light: true, queue: 64}}
"""
ECHO_CELL = """
millhand: 1
name: benchmark
devices:
  plc: {{adapter: opcua, url: "{url}", namespace: {namespace},
         tags: {{trigger: s=Trigger, answer: s=Answer}}}}
agents:
  echo: {{use: benchmark.echoes, max_mode: control, when: plc.trigger changes,
          may: {{answer: plc.answer}}, deadline: 1 s, light: true}}
"""


WARM = 256
"""Parts before measuring begins."""
COST_ROUNDS = 3
NOBODYS = LastDecision(id="", agent="", part_id="")


def memory_disk() -> str | None:
    """Folder of a disk in memory, where the system has one."""
    return "/dev/shm" if os.access("/dev/shm", os.W_OK) else None


class Books(Statistics):
    """The cell's counters, which tell when a part is done."""

    def __init__(self) -> None:
        super().__init__()
        self.changed = asyncio.Event()

    def finished(self, decision: LastDecision) -> None:
        """Note a part that has its outcome."""
        super().finished(decision)
        self.changed.set()


class Line(PlayedPlc):
    """The controller in memory, and the parts that come before its camera."""

    def __init__(self, books: Books) -> None:
        super().__init__()
        self.books = books
        self.seen: Value = 0

    def _take(self, write: Write) -> None:
        super()._take(write)
        self.written.clear()

    async def run(self, after: int, count: int, at_a_time: int) -> None:
        """Put parts before the camera; the next ones when the last have their outcomes."""
        for seq in range(after + 1, after + count + 1):
            await self.part(seq)
            while self.seen != seq:
                await asyncio.sleep(0)  # a controller holds its trigger until it was read
            if seq % at_a_time == 0 or seq == after + count:
                while self.books.parts_done < seq:
                    self.books.changed.clear()
                    await self.books.changed.wait()

    async def read(self, tags: Sequence[str]) -> Sequence[Sample]:
        """Read tags; a trigger record that was read may be overwritten."""
        if tags[0] == "trigger.seq":
            self.seen = self.values["trigger.seq"]
        return await super().read(tags)


async def bare_hand(plc: Line, *, echo: bool) -> None:
    """Do by hand what the engine asks of the controller: read the trigger, write, read answers."""
    trigger = [f"trigger.{name}" for name in ("seq", "part_id", "product", "tick", "seq")]
    names = ("count", "command_id", "part_id", "code", "tick")
    answers = [f"result.answers.{name}" for name in names]
    async for seq, *_ in plc.subscribe(["trigger.seq"], 0.005):
        if seq.initial:
            continue
        _, part, _, tick, _ = await plc.read(trigger)
        record = {"part_id": part.value, "result": 1, "valid_until": tick.value, "id": seq.value}
        await plc.write(Leave(record))
        if echo:
            await plc.read(answers)
        plc.books.finished(NOBODYS)


class Leave:
    """A permit for one command record."""

    device = "plc"

    def __init__(self, record: Mapping[str, Value]) -> None:
        self.writes = tuple(Write(tag=f"result.{name}", value=v) for name, v in record.items())

    def redeem(self, device: str) -> tuple[Write, ...]:
        """Return the writes."""
        return self.writes


class CommitClock:
    """Counts the CPU time of SQLite's part of the journal: inserting rows and committing."""

    def __init__(self) -> None:
        self.seconds = 0.0
        self._append = SQLiteStore.append

    def __enter__(self) -> Self:
        append = self._append

        def timed(store: SQLiteStore, entries: Sequence[Entry]) -> None:
            started = time.thread_time()
            append(store, entries)
            self.seconds += time.thread_time() - started

        SQLiteStore.append = timed  # type: ignore[method-assign]
        return self

    def __exit__(self, *error: object) -> None:
        SQLiteStore.append = self._append  # type: ignore[method-assign]


class Cost(NamedTuple):
    """CPU in microseconds for a decision, and decisions a second."""

    whole: float
    commits: float
    played: float
    per_s: float

    @property
    def engine(self) -> float:
        """What is left for the engine."""
        return self.whole - self.commits - self.played


async def cost_of_a_decision(parts: int, *, confirm: str, at_a_time: int) -> Cost:
    """Measure the engine, and the same controller served by hand, in turn."""
    whole, commits, per_s = await _engine_cost(parts, confirm=confirm, at_a_time=at_a_time)
    played = await _played_cost(parts, echo=confirm == "echo", at_a_time=at_a_time)
    return Cost(whole, commits, played, per_s)


async def _engine_cost(parts: int, *, confirm: str, at_a_time: int) -> tuple[float, float, float]:
    plc = Line(Books())
    plugins = Plugins.discover([BenchmarkPlugin()], entry_points=False)
    with tempfile.TemporaryDirectory(dir=memory_disk()) as folder, CommitClock() as clock:
        scenario = load_text(PARTS_CELL.format(confirm=confirm), Path(folder) / "scenario.yaml")
        async with Engine(scenario, plugins=plugins, devices={"plc": plc}) as engine:
            engine.set_mode("inspector", Mode.CONTROL, by="benchmark")
            engine._cell.statistics = plc.books  # type: ignore[union-attr]
            await plc.run(0, WARM, at_a_time)
            cpu, wall, commits = time.process_time(), time.perf_counter(), clock.seconds
            await plc.run(WARM, parts, at_a_time)
            cpu, wall = time.process_time() - cpu, time.perf_counter() - wall
            commits = clock.seconds - commits
        with Journal.open_readonly(Path(folder) / "journal" / FILE_NAME) as journal:
            for kind in ("intent", "outcome"):
                assert journal.count(kind) == WARM + parts, kind
    return cpu / parts * 1e6, commits / parts * 1e6, parts / wall


async def _played_cost(parts: int, *, echo: bool, at_a_time: int) -> float:
    plc = Line(Books())
    hand = asyncio.create_task(bare_hand(plc, echo=echo))
    await asyncio.sleep(0)
    await plc.run(0, WARM, at_a_time)
    cpu = time.process_time()
    await plc.run(WARM, parts, at_a_time)
    cpu = time.process_time() - cpu
    hand.cancel()
    return cpu / parts * 1e6


def commits_ms(database: sqlite3.Connection, body: bytes, count: int) -> list[float]:
    """Return how long single durable commits of one row took, in milliseconds.

    They come as the tag changes do, one every 20 to 40 ms: a disk that has rested answers more
    slowly than one that is kept busy.
    """
    times = []
    for _ in range(count):
        time.sleep(random.uniform(0.02, 0.04))
        started = time.perf_counter()
        database.execute("INSERT INTO row(body) VALUES (?)", (body,))
        database.commit()
        times.append((time.perf_counter() - started) * 1e3)
    return times


async def engine_changes(engine: Engine, count: int) -> list[float]:
    """Return seconds from a tag's change to its answer's acknowledgement, through the engine."""
    after = engine.journal.head
    seconds: list[float] = []
    async for entry in engine.journal.cursor(after=after, kinds=("outcome",)):
        result = entry.record.result  # type: ignore[union-attr]
        if result is not None and result.sent:
            seconds.append((result.finished_monotonic_ns - result.sent[0]) / 1e9)
        if len(seconds) == count:
            return seconds
    raise RuntimeError("the journal was closed")


async def change_to_write(rounds: int, changes: int) -> dict[str, list[float]]:
    """Measure the bare loop, bare commits and the engine in turn; milliseconds."""
    found: dict[str, list[float]] = {"loop": [], "commit": [], "engine": []}
    plugins = Plugins.discover([BenchmarkPlugin()])
    with tempfile.TemporaryDirectory(dir=Path.cwd()) as folder:
        database = sqlite3.connect(Path(folder) / "bare.sqlite")
        database.executescript(
            "PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL; CREATE TABLE row(body BLOB)"
        )
        async with server_process() as url, Client(url) as client:
            index = await client.get_namespace_index(NAMESPACE)
            text = ECHO_CELL.format(url=url, namespace=NAMESPACE)
            scenario = load_text(text, Path(folder) / "scenario.yaml")
            for _ in range(rounds):
                found["loop"] += [s * 1e3 for s in await bare_changes(client, index, changes)]
                found["commit"] += commits_ms(database, b"x" * 2000, changes)
                async with Engine(scenario, plugins=plugins) as engine:
                    engine.set_mode("echo", Mode.CONTROL, by="benchmark")
                    await engine_changes(engine, 3)
                    found["engine"] += [s * 1e3 for s in await engine_changes(engine, changes)]
        database.close()
    return found


def import_and_memory() -> dict[str, float]:
    """Return seconds and megabytes of the running core over bare Python, in fresh processes."""
    measure = (
        "import json, time; t = time.perf_counter(); {code}; s = time.perf_counter() - t; "
        "pages = int(open('/proc/self/statm').read().split()[1]); "
        "print(json.dumps([s, pages * 4096 / 1e6]))"
    )
    code = "import millhand.engine, millhand.journal.journal, millhand.journal.blobs"
    results: dict[str, list[list[float]]] = {"bare": [], "core": []}
    for _ in range(5):
        for name, statement in (("bare", "pass"), ("core", code)):
            done = subprocess.run(
                [sys.executable, "-c", measure.format(code=statement)],
                capture_output=True,
                text=True,
                check=True,
            )
            results[name].append(json.loads(done.stdout))
    return {
        "seconds": min(row[0] for row in results["core"]) - min(r[0] for r in results["bare"]),
        "megabytes": min(row[1] for row in results["core"]),
    }


async def measure(parts: int, rounds: int) -> None:
    """Measure all and print the table."""
    print(f"{datetime.now(UTC):%Y-%m-%d}, {platform.processor() or platform.machine()}, ", end="")
    print(f"Python {platform.python_version()}, {os.cpu_count()} cores\n")
    print("| what | measured | goal |\n|---|---|---|")
    for confirm, at_a_time in (("none", 32), ("echo", 32), ("none", 1), ("echo", 1)):
        costs = [
            await cost_of_a_decision(parts, confirm=confirm, at_a_time=at_a_time)
            for _ in range(COST_ROUNDS)
        ]
        cost = Cost(*(statistics.median(column) for column in zip(*costs, strict=True)))
        what = f"confirm {confirm}, {at_a_time} at a time"
        parts_of_it = (
            f"whole process {cost.whole:.0f}, SQLite {cost.commits:.0f}, "
            f"controller {cost.played:.0f}"
        )
        print(
            f"| CPU for a decision, {what} | engine {cost.engine:.0f} µs ({parts_of_it}) "
            f"| ≤ 200 µs |"
        )
        print(f"| decisions a second, {what}, memory disk | {cost.per_s:.0f} | |")
    found = await change_to_write(rounds, 20)
    p50 = {name: statistics.median(values) for name, values in found.items()}
    goal = 1.15 * p50["loop"] + 1.5 * p50["commit"]
    print(
        f"| tag change to acknowledged write, durable intent, p50 | {p50['engine']:.2f} ms (bare "
        f"loop {p50['loop']:.2f}, bare commit {p50['commit']:.2f}) | ≤ {goal:.2f} ms |"
    )
    cost = import_and_memory()
    print(f"| import of the core over bare Python | {cost['seconds']:.2f} s | ≤ 0.5 s |")
    print(f"| resident memory after import | {cost['megabytes']:.0f} MB | ≤ 80 MB |")


def main() -> None:
    """Read the command line and measure."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--parts", type=int, default=3000)
    parser.add_argument("--rounds", type=int, default=8)
    options = parser.parse_args()
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(30))
    freeze_start()  # as `millhand run` does
    asyncio.run(measure(options.parts, options.rounds))


if __name__ == "__main__":
    main()
