"""``millhand demo``: a simulated line, inspected for real."""

from __future__ import annotations

import asyncio
import contextlib
import datetime as dt
import shlex
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from millhand.cli.exits import ExitCode
from millhand.cli.output import console, json_option, show_json
from millhand.errors import ConfigError
from millhand.messages import tr

if TYPE_CHECKING:
    from millhand.contracts.plant import PlantSummary
    from millhand.engine.simulation import SimulatedRun, Simulation

_DEFAULT = Path("scenarios") / "casting_cell"


@click.command(
    help=tr(
        "Run a cell with a simulated plant and report on it.\n"
        "\n"
        "A PLC (an OPC UA server in a process of its own) and a camera are simulated; all else is "
        "the real thing: protocol, models, guard, journal. Nothing leaves this machine. The run "
        "ends by itself with a summary and a report to open in a browser.\n"
        "\n"
        "\b\n"
        "  millhand demo                      the casting cell that comes with Millhand\n"
        "  millhand demo --parts 30           a short one\n"
        "  millhand demo --keep               stay up afterwards; look around, Ctrl-C ends it\n"
        "  millhand demo --images pictures/   your own pictures in place of rendered ones:\n"
        "                                     good ones in train/good, others in test/NAME"
    )
)
@click.argument("scenario", type=click.Path(path_type=Path), required=False)
@click.option("--parts", type=click.IntRange(1, 999_999), help=tr("How many parts come."))
@click.option("--seed", type=click.IntRange(0), help=tr("Other parts, other defects."))
@click.option("--speed", type=click.FloatRange(0.1, 50), help=tr("Run the line faster or slower."))
@click.option("--keep", is_flag=True, help=tr("Stay up when the line is through, until Ctrl-C."))
@click.option(
    "--images",
    type=click.Path(exists=True, file_okay=False, path_type=Path),
    help=tr("Inspect the pictures in this folder."),
)
@click.option(
    "--folder",
    type=click.Path(path_type=Path),
    help=tr("Where the run is recorded; runs/NAME-TIME where left out."),
)
@click.option(
    "--report",
    type=click.Path(dir_okay=False, path_type=Path),
    help=tr("Where the report goes; report.html in the run's folder where left out."),
)
@json_option
def demo(
    *,
    scenario: Path | None,
    parts: int | None,
    seed: int | None,
    speed: float | None,
    keep: bool,
    images: Path | None,
    folder: Path | None,
    report: Path | None,
    as_json: bool,
) -> ExitCode:
    """Run the demo."""
    from millhand.cli.own_pictures import own_pictures
    from millhand.engine.simulation import Simulation
    from millhand.plugins import Plugins
    from millhand.scenario.check import require
    from millhand.scenario.load import load

    loaded = load(scenario or shipped_scenario())
    folder = folder or run_folder(loaded.name)
    options = {"parts": parts, "seed": seed, "speed": speed}
    given: dict[str, Any] = {name: value for name, value in options.items() if value is not None}
    plugins = Plugins.discover()
    truth = None
    if images is not None:
        prepared = own_pictures(loaded, images, folder, parts=parts, seed=seed or 0)
        loaded, truth = prepared.scenario, prepared.truth
        given |= prepared.plant_options
    require(loaded, plugins)
    simulation = Simulation(
        loaded, folder=folder, plugins=plugins, options=given, truth=truth, by="demo"
    )
    return asyncio.run(run_simulation(simulation, report=report, keep=keep, as_json=as_json))


async def run_simulation(
    simulation: Simulation, *, report: Path | None, keep: bool, as_json: bool
) -> ExitCode:
    """Run a simulation to its end, or to Ctrl-C, with the live view; then tell what came of it.

    Cut short by Ctrl-C, it still tells, and says so by its exit code.
    """
    from millhand.cli.judged import run_judged
    from millhand.cli.live import LiveView, shown
    from millhand.cli.stopping import stop_requested
    from millhand.contracts.plant import JudgedPlant
    from millhand.pauses import freeze_start

    out = console(stderr=as_json)
    with stop_requested() as stop:
        out.print(tr("Starting plant and engine …"), style="quiet")
        async with simulation:
            freeze_start()
            if isinstance(simulation.plant, JudgedPlant):
                return await run_judged(simulation, simulation.plant, stop, report, as_json=as_json)
            view = LiveView(total=_total(simulation))
            async with shown(view, simulation.engine.snapshot, out):
                plant = await line_or_stop(simulation, stop)
            finished = await simulation.judge(plant)
            if not keep:
                await simulation.stop_engine()
            await asyncio.to_thread(tell, finished, report, as_json=as_json)
            if keep and not stop.is_set():
                _tell_how_to_look(simulation)
                await stop.wait()
    return ExitCode.FINE if plant is not None else ExitCode.INTERRUPTED


def tell(finished: SimulatedRun, report: Path | None, *, as_json: bool) -> None:
    """Print the summary and write the report."""
    from millhand.cli.summary_text import print_summary
    from millhand.console.pictures import kept_pictures
    from millhand.console.run_report import write_run_report

    file = report or finished.folder / "report.html"
    write_run_report(
        file,
        finished.summary,
        finished.run,
        truth=finished.truth,
        pictures=kept_pictures(finished.pictures),
        command=shlex.join(["millhand", *sys.argv[1:]]),
    )
    if as_json:
        show_json(finished.summary)
        return
    out = console()
    print_summary(finished.summary, out)
    out.print()
    out.print(tr("Report: {file}", file=file.resolve()), markup=False)
    out.print(
        tr("Every decision: millhand journal tail --at {folder}", folder=finished.folder),
        style="quiet",
        markup=False,
    )


def shipped_scenario() -> Path:
    """Find the scenario that comes with Millhand: below here, or in the checkout we run from.

    Raises:
        ConfigError: it is not there.
    """
    checkout = Path(__file__).resolve().parents[3]
    for base in (Path(), checkout):
        if (base / _DEFAULT).is_dir():
            return base / _DEFAULT
    raise ConfigError(
        tr("The scenario {path} is not here.", path=_DEFAULT),
        mend=tr("Name a scenario: millhand demo my-cell/, or run it in a checkout of Millhand."),
    )


def run_folder(name: str) -> Path:
    """Name a fresh folder for a run."""
    now = dt.datetime.now().astimezone()
    return Path("runs") / f"{name}-{now:%Y%m%d-%H%M%S}"


async def line_or_stop(simulation: Simulation, stop: asyncio.Event) -> PlantSummary | None:
    """Run the line to its end; None where it was stopped before."""
    line = asyncio.create_task(simulation.run_line())
    stopped = asyncio.create_task(stop.wait())
    await asyncio.wait({line, stopped}, return_when=asyncio.FIRST_COMPLETED)
    stopped.cancel()
    if line.done():
        return line.result()
    line.cancel()
    with contextlib.suppress(asyncio.CancelledError):
        await line
    return None


def _total(simulation: Simulation) -> int | None:
    parts = simulation.plant_options.get("parts")
    return parts if isinstance(parts, int) else None


def _tell_how_to_look(simulation: Simulation) -> None:
    out = console(stderr=True)
    for device, url in simulation.plant.endpoints.items():
        out.print(tr("{device} listens at {url}", device=device, url=url), markup=False)
    out.print(
        tr(
            "The cell stays up. In another terminal: millhand status --at {folder}   "
            "Ctrl-C ends it.",
            folder=simulation.folder,
        ),
        markup=False,
    )
