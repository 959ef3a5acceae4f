"""``millhand service``: a cell as a service of this computer."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from millhand.cli.exits import ExitCode
from millhand.cli.lazy import LazyGroup, Word
from millhand.cli.output import console, json_option, show_json
from millhand.messages import tr

if TYPE_CHECKING:
    from millhand.upkeep.unit import Unit

service = LazyGroup(
    name="service",
    words={
        "install": Word("millhand.cli.service:install", tr("Write, enable and start the service.")),
        "status": Word("millhand.cli.service:status", tr("Ask systemd how the service is.")),
        "uninstall": Word("millhand.cli.service:uninstall", tr("Stop and remove the service.")),
    },
    help=tr(
        "Run a cell as a service of systemd: started with the computer, watched, restarted when it "
        "fails or hangs, as a user of its own without any right that it does not need.\n"
        "\n"
        "\b\n"
        "  millhand service install my-cell/ --print      look before you leap\n"
        "  sudo millhand service install /srv/my-cell\n"
        "  millhand service status my-cell"
    ),
)

_root_option = click.option(
    "--root",
    type=click.Path(file_okay=False, path_type=Path),
    help=tr("Work on the system image in this folder; nothing is started."),
)


@click.command(
    help=tr(
        "Write the service's unit, enable it and start it.\n"
        "\n"
        "The scenario is checked first. Journal and pictures go to /var/lib/millhand/NAME. Agents "
        "start in shadow, or in the mode they had last.\n"
        "\n"
        "\b\n"
        "  millhand service install my-cell/ --print\n"
        "  sudo millhand service install /srv/my-cell --user millhand\n"
        "  sudo millhand service install /srv/my-cell --device /dev/video0"
    )
)
@click.argument("scenario", type=click.Path(exists=True, path_type=Path))
@click.option(
    "--user", default="millhand", show_default=True, help=tr("Who it runs as; never root.")
)
@click.option(
    "--device",
    "devices",
    multiple=True,
    metavar="FILE",
    help=tr("A device file that it may open, such as /dev/video0."),
)
@click.option("--print", "only_print", is_flag=True, help=tr("Print the unit and change nothing."))
@click.option("--start/--no-start", default=True, help=tr("Whether it is started at once."))
@_root_option
def install(
    *,
    scenario: Path,
    user: str,
    devices: tuple[str, ...],
    only_print: bool,
    start: bool,
    root: Path | None,
) -> None:
    """Install a service."""
    from millhand.upkeep.systemd import Systemd

    unit = _unit(scenario, user, devices)
    if only_print:
        click.echo(unit.text(), nl=False)
        return
    if root is None:
        _require_user(user)
    file = Systemd(root).install(unit, start=start)
    out = console()
    out.print(tr("Written: {file}", file=file), style="good", markup=False)
    out.print(tr("Journal and pictures: {folder}", folder=unit.state), style="quiet", markup=False)
    out.print(
        tr("How it is: millhand service status {cell}", cell=unit.cell), style="quiet", markup=False
    )


def _unit(scenario: Path, user: str, devices: tuple[str, ...]) -> Unit:
    from millhand.plugins import Plugins
    from millhand.scenario.check import require
    from millhand.scenario.load import load
    from millhand.upkeep.unit import Unit

    loaded = load(scenario)
    require(loaded, Plugins.discover())
    return Unit(
        cell=loaded.name,
        scenario=scenario.resolve(),
        user=user,
        devices=devices,
        database=loaded.file.journal.url is not None,
    )


def _require_user(user: str) -> None:
    from millhand.errors import ConfigError

    try:
        import pwd

        pwd.getpwnam(user)
    except (ImportError, KeyError) as error:
        raise ConfigError(
            tr("There is no user {user} on this computer.", user=user),
            mend=f"useradd --system --home-dir / --shell /usr/sbin/nologin {user}",
        ) from error


@click.command(
    help=tr(
        "Ask systemd how the service of a cell is, and what the cell said last.\n"
        "\n"
        "The exit code is 1 where it does not run.\n"
        "\n"
        "\b\n"
        "  millhand service status my-cell"
    )
)
@click.argument("cell")
@json_option
def status(*, cell: str, as_json: bool) -> ExitCode:
    """Print the service's state."""
    from millhand.upkeep.systemd import Systemd

    found = Systemd().state(f"millhand-{cell}.service")
    if as_json:
        show_json(found)
    else:
        out = console()
        out.print(
            f"{found.unit}: {found.state}", style="good" if found.active else "bad", markup=False
        )
        if found.said:
            out.print(found.said, markup=False)
        if found.restarts:
            out.print(tr("restarted {count} times", count=found.restarts), style="unsure")
    return ExitCode.FINE if found.active else ExitCode.PROBLEMS


@click.command(
    help=tr(
        "Stop, disable and remove the service of a cell. Its journal and pictures stay.\n"
        "\n"
        "\b\n"
        "  sudo millhand service uninstall my-cell"
    )
)
@click.argument("cell")
@_root_option
def uninstall(*, cell: str, root: Path | None) -> None:
    """Remove a service."""
    from millhand.upkeep.systemd import Systemd
    from millhand.upkeep.unit import STATE

    file = Systemd(root).uninstall(f"millhand-{cell}.service")
    out = console()
    out.print(tr("Removed: {file}", file=file), style="good", markup=False)
    out.print(
        tr("Kept: {folder}, with journal and pictures", folder=STATE / cell),
        style="quiet",
        markup=False,
    )
