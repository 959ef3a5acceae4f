"""``millhand run``: a scenario on its real devices, or with its simulated plant."""

from __future__ import annotations

import asyncio
import getpass
import os
import sys
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import click

from millhand.cli.exits import ExitCode
from millhand.cli.output import console
from millhand.contracts.modes import Mode
from millhand.errors import ConfigError
from millhand.messages import tr

if TYPE_CHECKING:
    from millhand.engine.snapshot import EngineSnapshot
    from millhand.engine.starts import StartBook
    from millhand.engine.watchdog import Blocked
    from millhand.plugins import Plugins
    from millhand.scenario.load import Scenario


class ModeChoice(click.ParamType[tuple[str, Mode]]):
    """``AGENT=MODE``."""

    name = "agent=mode"

    def convert(
        self,
        value: str | tuple[str, Mode],
        param: click.Parameter | None,
        ctx: click.Context | None,
    ) -> tuple[str, Mode]:
        """Return the agent and its mode."""
        if isinstance(value, tuple):
            return value
        agent, _, mode = value.partition("=")
        if not agent or mode not in list(Mode):
            self.fail(
                tr("Write AGENT=MODE, where MODE is one of {modes}.", modes=", ".join(Mode)),
                param,
                ctx,
            )
        return agent, Mode(mode)


@click.command(
    help=tr(
        "Run a scenario until Ctrl-C or SIGTERM.\n"
        "\n"
        "Agents start in the mode they had last, at first in shadow: they decide and are recorded, "
        "and nothing is written to any device. Raising a mode is recorded with your name.\n"
        "\n"
        "\b\n"
        "  millhand run my-cell/                                  watch\n"
        "  millhand run my-cell/ --mode inspector=control         let it act\n"
        "  millhand run my-cell/ --simulate                       its simulated plant instead\n"
        "  millhand run my-cell/ --safe                           journal alone, no plugin"
    )
)
@click.argument("scenario", type=click.Path(path_type=Path))
@click.option("--mode", "modes", multiple=True, type=ModeChoice(), help=tr("Set an agent's mode."))
@click.option("--by", metavar="NAME", help=tr("Who sets the mode; your user name where left out."))
@click.option("--simulate", is_flag=True, help=tr("Start the scenario's simulated plant too."))
@click.option(
    "--safe/--no-safe",
    default=None,
    help=tr(
        "Safe mode: no plugin, no device; the journal only. Where neither is said, after several "
        "crashes in a row."
    ),
)
@click.option(
    "--state",
    type=click.Path(file_okay=False, path_type=Path),
    help=tr("Keep journal and pictures in this folder, not in the scenario's: for services."),
)
def run(
    *,
    scenario: Path,
    modes: tuple[tuple[str, Mode], ...],
    by: str | None,
    simulate: bool,
    safe: bool | None,
    state: Path | None,
) -> ExitCode:
    """Run a scenario."""
    from millhand.engine.starts import CRASHES, StartBook
    from millhand.errors import MillhandError
    from millhand.journal.places import journal_folder
    from millhand.plugins import Plugins
    from millhand.scenario.check import require
    from millhand.scenario.load import load

    if safe and simulate:
        raise click.UsageError(tr("--safe and --simulate exclude each other."))
    if state and simulate:
        raise click.UsageError(tr("--state and --simulate exclude each other."))
    loaded = load(scenario)
    journal = state_journal(loaded, state)
    who = by or getpass.getuser()
    if safe:
        asyncio.run(_run(loaded, Plugins(), {}, who, safe=True, journal=journal))
        return ExitCode.FINE
    always = loaded.file.simulation is not None and loaded.file.simulation.always
    book = StartBook(state or journal_folder(loaded))
    crashes = book.begin()
    try:
        if crashes >= CRASHES and safe is None:
            _run_safely(loaded, who, crashes, journal)
        else:
            plugins = Plugins.discover()
            require(loaded, plugins)
            if simulate or always:
                book.well()
                return _simulate(loaded, plugins, dict(modes), who)
            asyncio.run(
                _run(loaded, plugins, dict(modes), who, safe=False, journal=journal, book=book)
            )
    except (MillhandError, KeyboardInterrupt):
        book.well()
        raise
    book.well()
    return ExitCode.FINE


def state_journal(scenario: Scenario, state: Path | None) -> Path | None:
    """Say where the journal lies under ``--state``; None leaves it to the scenario.

    Raises:
        ConfigError: the scenario's journal lies in a database.
    """
    from millhand.journal.places import FILE_NAME

    if state is None:
        return None
    if scenario.file.journal.url is not None:
        raise ConfigError(
            tr("The journal of {cell} lies in a database.", cell=scenario.name),
            mend=tr("Leave --state out."),
        )
    return state / FILE_NAME


def _run_safely(scenario: Scenario, by: str, crashes: int, journal: Path | None) -> None:
    from millhand.plugins import Plugins

    why = tr(
        "The last {count} starts ended badly within a minute, so that no plugin was loaded now. "
        "Look into the log and the journal, mend, and start again.",
        count=crashes,
    )
    console(stderr=True).print(why, style="unsure")
    asyncio.run(_run(scenario, Plugins(), {}, by, safe=True, journal=journal, why_safe=why))


def _end_stuck(blocked: Blocked) -> None:
    """End at once: the PLC has fallen back by itself, and a service manager starts us again."""
    import faulthandler

    print(tr("The engine stood still: {where}", where=blocked.where), file=sys.stderr)
    faulthandler.dump_traceback()
    os._exit(ExitCode.BUG)


async def _run(
    scenario: Scenario,
    plugins: Plugins,
    modes: dict[str, Mode],
    by: str,
    *,
    safe: bool,
    journal: Path | None,
    why_safe: str = "",
    book: StartBook | None = None,
) -> None:
    from millhand.cli.live import LiveView, shown
    from millhand.cli.stopping import stop_requested
    from millhand.console.health import status_line
    from millhand.engine.engine import Engine
    from millhand.engine.service_manager import ServiceManager
    from millhand.engine.starts import SOON_S
    from millhand.pauses import freeze_start

    with stop_requested() as stop:
        async with Engine(
            scenario,
            plugins=plugins,
            safe=safe,
            journal=journal,
            why_safe=why_safe,
            on_stuck=_end_stuck,
        ) as engine:
            if book is not None:
                asyncio.get_running_loop().call_later(SOON_S, book.well)
            for agent, mode in modes.items():
                engine.set_mode(agent, mode, by=by)
            freeze_start()
            manager = ServiceManager()
            async with (
                _console(scenario, engine.snapshot),
                manager.told(lambda: status_line(engine.snapshot())),
                shown(LiveView(), engine.snapshot, console()),
            ):
                await stop.wait()


@asynccontextmanager
async def _console(
    scenario: Scenario, snapshot: Callable[[], EngineSnapshot]
) -> AsyncIterator[None]:
    """Serve the console where the scenario asks for one; its libraries are imported only then."""
    if scenario.file.console is None:
        yield
        return
    from millhand.console.server import serve

    async with serve(scenario, snapshot) as url:
        console(stderr=True).print(tr("Console: {url}", url=url), style="quiet", markup=False)
        yield


def _simulate(scenario: Scenario, plugins: Plugins, modes: dict[str, Mode], by: str) -> ExitCode:
    from millhand.cli.demo import run_folder, run_simulation
    from millhand.engine.simulation import Simulation

    simulated = scenario.file.simulation
    # Where nothing real can be touched, agents act unless told otherwise.
    asked = None if simulated is not None and simulated.always and not modes else modes
    simulation = Simulation(
        scenario, folder=run_folder(scenario.name), plugins=plugins, modes=asked, by=by
    )
    return asyncio.run(run_simulation(simulation, report=None, keep=False, as_json=False))
