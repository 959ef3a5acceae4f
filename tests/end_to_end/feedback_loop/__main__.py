"""The whole feedback loop on the simulated line, told as it happens, with figures.

    python dev.py loop [--folder runs/loop] [--json]

The casting cell inspects impellers. Then its lamp fades and its lens soils, and stay so. Drift is
found, the certificate is void and nothing passes on the model's word; a person (who knows the
simulation's truth) answers what is asked; a new student is distilled from the pictures of the good
parts; it decides in the shadow until it is shown to be no worse, or a person has seen enough; it is
promoted, and rolled back in the end. Everything goes the way that it goes in a plant: the PLC over
OPC UA, orders through the inbox, the student by ``millhand distil``. Nothing is timed but the
roll-back. Some five minutes, then a report to open in a browser.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import sys
import time
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path

import structlog
from cell import OPTIONS, prepared
from chapters import MOST_PAIRS, Loop
from story import Story

from millhand.console.pictures import kept_pictures
from millhand.console.run_report import write_run_report
from millhand.engine.simulation import Simulation


async def tell(folder: Path, say: Callable[[str], None], most_pairs: int) -> Story:
    """Run the whole loop in an empty folder."""
    cell = prepared(folder)
    async with Simulation(cell, folder=folder / "run", options=OPTIONS) as simulation:
        line = asyncio.create_task(simulation.run_line())
        loop = Loop(simulation, cell, line, say, most_pairs)
        try:
            await loop.told()
        finally:
            line.cancel()
            await asyncio.wait([line])
        report = folder / "report.html"
        await write_report(simulation, report)
        loop.story.report = str(report)
        say(f"What the cell did meanwhile, part by part and in money: {report}")
        return loop.story


async def write_report(simulation: Simulation, file: Path) -> None:
    """Write the run as a page, as ``millhand demo`` does."""
    finished = await simulation.judge()
    write_run_report(
        file,
        finished.summary,
        finished.run,
        truth=finished.truth,
        pictures=kept_pictures(finished.pictures),
        command="python dev.py loop",
    )


def main() -> None:
    """Tell the story, or print its figures."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--folder", type=Path, default=Path("runs") / f"loop-{time.time_ns()}")
    parser.add_argument("--json", action="store_true", help="print the figures alone")
    parser.add_argument("--pairs", type=int, default=MOST_PAIRS, help="most pairs in the shadow")
    said = parser.parse_args()
    structlog.configure(logger_factory=structlog.PrintLoggerFactory(file=sys.stderr))
    said.folder.mkdir(parents=True)
    start = time.monotonic()

    def say(text: str) -> None:
        stream = sys.stderr if said.json else sys.stdout
        print(f"{time.monotonic() - start:5.0f} s  {text}", file=stream, flush=True)

    story = asyncio.run(tell(said.folder, say, said.pairs))
    if said.json:
        print(json.dumps(asdict(story), indent=2))


if __name__ == "__main__":
    main()
