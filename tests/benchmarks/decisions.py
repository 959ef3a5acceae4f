"""Measure durable decisions a second beside the same writer bare, and what a worker costs.

- *Durable decisions a second*: 64 parts in flight through the whole engine, each with its intent
  and its outcome in the journal, on the disk of this folder, against the same journal fed by hand
  with entries of the same bytes, in turns. By hand 64 parts are in flight too, and each waits for
  its intent to be durable before it hands over its outcome, as a decision must; beside it stands
  what the journal takes where intent and outcome are handed over in one call. Goals: at least
  1,500 a second, and at least 0.9 times the bare writer.
- *A worker*: an observation with a picture of 2 megapixels into an isolated worker and its
  decision back, against the same agent called in this process. Goal: at most 0.5 ms more (median).

Run it alone on the machine: ``python tests/benchmarks/decisions.py``.
"""

from __future__ import annotations

import argparse
import asyncio
import os
import statistics
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import structlog
from benchmark_agents import BenchmarkPlugin, NoConfig, Passes
from engine import PARTS_CELL, WARM, Books, Line

from millhand.contracts import Frame, FrameRef, Mode, Observation, TimerTick
from millhand.engine import Engine
from millhand.isolate.messages import AgentSpec
from millhand.isolate.process import Worker
from millhand.journal.entries import Entry, NewEntry
from millhand.journal.journal import Journal
from millhand.journal.places import FILE_NAME
from millhand.pauses import freeze_start
from millhand.plugins import Plugins
from millhand.scenario.load import load_text

IN_FLIGHT = 64


async def engine_turn(folder: Path, confirm: str, parts: int) -> tuple[float, list[Entry]]:
    """Return complete decisions a second, and an intent and an outcome as they were journalled."""
    plc = Line(Books())
    plugins = Plugins.discover([BenchmarkPlugin()], entry_points=False)
    text = PARTS_CELL.format(confirm=confirm).replace("queue: 64", f"queue: {IN_FLIGHT}")
    scenario = load_text(text, folder / "scenario.yaml")
    async with Engine(scenario, plugins=plugins, devices={"plc": plc}) as engine:
        engine.set_mode("inspector", Mode.CONTROL, by="benchmark")
        engine._cell.statistics = plc.books  # type: ignore[union-attr]
        await plc.run(0, WARM, IN_FLIGHT)
        started = time.perf_counter()
        await plc.run(WARM, parts, IN_FLIGHT)
        wall = time.perf_counter() - started
    with Journal.open_readonly(folder / "journal" / FILE_NAME) as journal:
        rows = [journal.read(kinds=(kind,), limit=1)[0] for kind in ("intent", "outcome")]
        for kind in ("intent", "outcome"):
            assert journal.count(kind) == WARM + parts, kind
    return parts / wall, rows


async def bare_turn(folder: Path, rows: Sequence[Entry], parts: int, *, together: bool) -> float:
    """Return how many pairs of the same entries a second the journal takes by hand.

    ``together`` hands intent and outcome over in one call, for one commit.
    """
    intent, outcome = (
        NewEntry(kind=r.kind, id=r.id, subject=r.subject, part=r.part, at_utc_ns=r.at_utc_ns,
                 body=r.body)
        for r in rows
    )  # fmt: skip
    calls = [[intent, outcome]] if together else [[intent], [outcome]]
    numbers = iter(range(parts))
    with Journal(folder / f"bare-{together}.sqlite", cell="bare") as journal:

        async def one_after_another() -> None:
            for _ in numbers:
                for entries in calls:
                    await journal.durable(entries)

        started = time.perf_counter()
        await asyncio.gather(*(one_after_another() for _ in range(IN_FLIGHT)))
        return parts / (time.perf_counter() - started)


async def durable_decisions(confirm: str, parts: int, rounds: int) -> tuple[float, float, float]:
    """Return the medians of engine, bare writer, and bare writer with both rows in one commit.

    They are measured in turns on this folder's disk.
    """
    ours: list[float] = []
    bare: list[float] = []
    together: list[float] = []
    for _ in range(rounds):
        with tempfile.TemporaryDirectory(dir=Path.cwd()) as name:
            rate, rows = await engine_turn(Path(name), confirm, parts)
            ours.append(rate)
            bare.append(await bare_turn(Path(name), rows, parts, together=False))
            together.append(await bare_turn(Path(name), rows, parts, together=True))
    return statistics.median(ours), statistics.median(bare), statistics.median(together)


async def worker_ms(channels: int, rounds: int) -> tuple[float, float]:
    """Return the medians of a decision in a worker and of one here, in milliseconds."""
    os.environ["PYTHONPATH"] = str(Path(__file__).parent)
    pixels = np.zeros((1080, 1920, channels), np.uint8)
    ref = FrameRef(camera="c", sha256="0" * 64, height=1080, width=1920, channels=channels,
                   frame_seq=1)  # fmt: skip
    tick = TimerTick(source="t", count=1, due_utc_ns=1, due_monotonic_ns=1)
    observation = Observation(
        id="b.1.1", agent="a", trigger=tick, frames={"frame": Frame(ref, pixels)}
    )
    agent = Passes(NoConfig())
    worker = Worker("w", [AgentSpec(name="a", target="benchmark_agents:Passes", config={})])
    await worker.start()
    there: list[float] = []
    here: list[float] = []
    for _ in range(rounds):
        started = time.perf_counter()
        await worker.decide("a", observation, {"frame": pixels})
        there.append((time.perf_counter() - started) * 1e3)
        started = time.perf_counter()
        agent.decide(observation, {})
        here.append((time.perf_counter() - started) * 1e3)
    await worker.stop()
    worker.close()
    return statistics.median(there), statistics.median(here)


async def measure(parts: int, rounds: int) -> None:
    """Measure all and print the table."""
    print("| what | measured | goal |\n|---|---|---|")
    for confirm in ("none", "echo"):
        ours, bare, together = await durable_decisions(confirm, parts, rounds)
        print(
            f"| durable decisions a second, 64 in flight, confirm {confirm} | {ours:.0f} (the same "
            f"writer bare {bare:.0f}, {ours / bare:.2f} ×; both rows in one commit {together:.0f}, "
            f"{ours / together:.2f} ×) | ≥ 1500, ≥ 0.9 × |"
        )
    for channels, what in ((1, "grey"), (3, "RGB")):
        there, here = await worker_ms(channels, 400)
        print(
            f"| a worker with a 2-megapixel picture, {what}, p50 | {there - here:.2f} ms more "
            f"({there:.2f} against {here:.3f}) | ≤ 0.5 ms |"
        )


def main() -> None:
    """Read the command line and measure."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--parts", type=int, default=3200)
    parser.add_argument("--rounds", type=int, default=5)
    options = parser.parse_args()
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(30))
    freeze_start()  # as `millhand run` does
    asyncio.run(measure(options.parts, options.rounds))


if __name__ == "__main__":
    main()
