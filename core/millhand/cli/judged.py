"""A simulated run whose plant itself says what came of it: a table, and a report with pictures."""

from __future__ import annotations

import asyncio
import shlex
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from rich.text import Text

from millhand.cli.exits import ExitCode
from millhand.cli.output import console, show_json, table
from millhand.contracts.plant import JudgedPlant, PlantOutcome
from millhand.messages import tr

if TYPE_CHECKING:
    from millhand.engine.simulation import Simulation


async def run_judged(
    simulation: Simulation,
    plant: JudgedPlant,
    stop: asyncio.Event,
    report: Path | None,
    *,
    as_json: bool,
) -> ExitCode:
    """Run the plant to its end, or to Ctrl-C, then print and write what it says."""
    from millhand.cli.demo import line_or_stop
    from millhand.console.plant_report import write_plant_report

    out = console(stderr=as_json)
    out.print(tr("Watch: {file}", file=plant.page), style="quiet", markup=False)
    ended = await line_or_stop(simulation, stop)
    if ended is None:
        return ExitCode.INTERRUPTED
    await simulation.stop_engine()
    outcome = plant.outcome()
    file = report or simulation.folder / "report.html"
    name = simulation.scenario.name
    command = shlex.join(["millhand", *sys.argv[1:]])
    await asyncio.to_thread(write_plant_report, file, name, outcome, command)
    if as_json:
        show_json(outcome)
    else:
        _print(outcome, file)
    return ExitCode.FINE


def _print(outcome: PlantOutcome, file: Path) -> None:
    out = console()
    out.print(Text(outcome.headline))
    out.print()
    if outcome.rows:
        out.print(table(*outcome.columns, rows=outcome.rows))
    for note in outcome.notes:
        out.print(Text(note, style="unsure"))
    out.print()
    out.print(tr("Report: {file}", file=file.resolve()), markup=False)
    out.print(
        tr("Every decision: millhand journal tail --at {folder}", folder=file.parent),
        style="quiet",
        markup=False,
    )
