"""Watch the memory of a cell for an hour: it must stay flat.

The casting cell runs as ``millhand demo`` runs it: simulated PLC over OPC UA, rendered pictures,
models in a worker with its spare, durable journal, picture store. Every half minute the resident
and the private memory of each of its processes is read. The table shows them, and for each process
the slope of a line through what was measured after the first tenth of the time, by Theil and Sen
(the median of all slopes, which a few jumps do not move), in MiB an hour. Goal: flat.

``python tests/benchmarks/memory.py`` takes an hour; ``--minutes`` changes that. It may run beside
other work, at low priority: memory is no timing.
"""

from __future__ import annotations

import argparse
import platform
import statistics
import subprocess
import sys
import tempfile
import time
from collections import defaultdict
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from itertools import combinations
from pathlib import Path
from typing import NamedTuple

import psutil

from millhand.journal.journal import Journal
from millhand.journal.places import FILE_NAME

EVERY_S = 30.0
PARTS_A_MINUTE = 240
"""As the scenario's takt has it."""
WARM = 0.1
"""Of the time: caches and pools fill, and are not counted against it."""


class Reading(NamedTuple):
    """One process at one moment."""

    minute: float
    resident_mib: float
    private_mib: float


def role_of(process: psutil.Process, engine: int) -> str:
    """Name a process of the cell by what it was started as."""
    if process.pid == engine:
        return "engine"
    module = next((word for word in process.cmdline() if word.startswith("millhand")), "other")
    return f"{module} ({process.pid})"


def read_all(engine: psutil.Process, minute: float) -> Iterator[tuple[str, Reading]]:
    """Read the memory of the engine and all that it started."""
    for process in [engine, *engine.children(recursive=True)]:
        try:
            memory = process.memory_full_info()
            yield (
                role_of(process, engine.pid),
                Reading(minute, memory.rss / 2**20, memory.uss / 2**20),
            )
        except psutil.Error:  # it ended meanwhile
            continue


def watch(engine: psutil.Process, minutes: float) -> dict[str, list[Reading]]:
    """Read every half minute, as long as the cell runs, at most ``minutes``."""
    found: dict[str, list[Reading]] = defaultdict(list)
    started = time.monotonic()
    while (minute := (time.monotonic() - started) / 60) < minutes and engine.is_running():
        for role, reading in read_all(engine, minute):
            found[role].append(reading)
            print(f"{minute:.1f} min {role}: {reading.private_mib:.1f} MiB", file=sys.stderr)
        time.sleep(EVERY_S)
    return found


def slope_an_hour(readings: list[Reading]) -> float:
    """Return the Theil-Sen slope of the private memory, in MiB an hour."""
    pairs = combinations(readings, 2)
    return 60 * statistics.median(
        (b.private_mib - a.private_mib) / (b.minute - a.minute) for a, b in pairs
    )


def show(found: Mapping[str, list[Reading]], minutes: float) -> None:
    """Print the table: each process at its start, after the warm part, half way and at the end."""
    print("| process | start | after a tenth | half way | end | slope, MiB an hour |")
    print("|---|---|---|---|---|---|")
    for role, readings in found.items():
        settled = [one for one in readings if one.minute >= WARM * minutes]
        if len(settled) < 3:
            continue
        shown = [readings[0], settled[0], settled[len(settled) // 2], settled[-1]]
        texts = [f"{one.resident_mib:.1f} / {one.private_mib:.1f}" for one in shown]
        print(f"| {role} | {' | '.join(texts)} | {slope_an_hour(settled):+.2f} |")


def end(cell: subprocess.Popen[bytes]) -> None:
    """End the cell; one that takes too long must not cost what was measured."""
    cell.terminate()
    try:
        cell.wait(60)
    except subprocess.TimeoutExpired:
        cell.kill()
        cell.wait()


def main() -> None:
    """Run the cell and watch it."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--minutes", type=float, default=60)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        parts = round(PARTS_A_MINUTE * (options.minutes + 5))
        command = [sys.executable, "-m", "millhand.cli", "demo", "--folder", name]
        command += ["--parts", str(parts)]
        with (Path(name) / "demo.log").open("wb") as log:
            cell = subprocess.Popen(command, stdout=log, stderr=subprocess.STDOUT)
        try:
            time.sleep(10)  # it starts; what it then needs is the first line
            found = watch(psutil.Process(cell.pid), options.minutes)
            with Journal.open_readonly(Path(name) / FILE_NAME) as journal:
                counts = {kind: journal.count(kind) for kind in ("intent", "outcome", "alarm")}
        finally:
            end(cell)
    print(f"{datetime.now(UTC):%Y-%m-%d}, Python {platform.python_version()}, ", end="")
    print(", ".join(f"{count} {kind}s" for kind, count in counts.items()), end="")
    print("; MiB resident / private\n")
    show(found, options.minutes)


if __name__ == "__main__":
    main()
