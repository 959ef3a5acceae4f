"""``millhand routes``: plan a day of deliveries from its file."""

from __future__ import annotations

import json
from pathlib import Path

import click
import msgspec
from rich.text import Text

from millhand.cli.exits import ExitCode
from millhand.cli.output import console, json_option, show_json, table
from millhand.errors import ConfigError
from millhand.messages import tr
from millhand_logistics.routes.map import route_map
from millhand_logistics.routes.plan import Routes
from millhand_logistics.routes.reading import load_day
from millhand_logistics.routes.solve import MICRO, plan_routes


@click.command(
    help=tr(
        "Plan a day of deliveries: which vehicle goes where and when. Nothing is sent anywhere.\n"
        "\n"
        "Vehicles that are on the road have a position, and the goods that they carry stay with "
        "them. With --before, what is planned is never worse than what is left of those routes.\n"
        "\n"
        "\b\n"
        "  millhand routes day.yaml --map day.svg\n"
        "  millhand routes day.yaml --json > routes.json\n"
        "  millhand routes now.yaml --before routes.json\n"
        "\n"
        "Ends with 1 when a stop is left out."
    )
)
@click.argument("day", type=click.Path(dir_okay=False, path_type=Path))
@click.option(
    "--iterations",
    default=2000,
    show_default=True,
    type=click.IntRange(1, 10_000_000),
    help=tr("Effort of the search."),
)
@click.option("--seed", default=0, show_default=True, type=click.IntRange(0), help=tr("Its seed."))
@click.option(
    "--before", type=click.Path(dir_okay=False, path_type=Path), help=tr("Routes so far, as JSON.")
)
@click.option(
    "--map", "picture", type=click.Path(path_type=Path), help=tr("Write a map (SVG) there.")
)
@json_option
def routes(
    day: Path, iterations: int, seed: int, before: Path | None, picture: Path | None, as_json: bool
) -> ExitCode:
    """Plan and show."""
    described = load_day(day)
    earlier = None if before is None else _read(before)
    planned = plan_routes(described, iterations, seed, earlier)
    if picture is not None:
        picture.write_text(route_map(described, planned), encoding="utf-8")
    if as_json:
        show_json(planned)
    else:
        _show(planned)
    return ExitCode.PROBLEMS if planned.left_out else ExitCode.FINE


def _read(path: Path) -> Routes:
    try:
        return msgspec.convert(json.loads(path.read_text(encoding="utf-8")), Routes)
    except (OSError, ValueError, msgspec.ValidationError) as error:
        raise ConfigError(
            tr("{path} holds no routes: {why}.", path=path, why=error),
            mend=tr("Give what `millhand routes --json` printed."),
        ) from error


def _show(planned: Routes) -> None:
    rows = []
    for route in planned.routes:
        rows.append((route.vehicle, tr("leaves"), _clock(route.leave), "", ""))
        rows += [
            ("", visit.stop, _clock(visit.begin), _clock(visit.leave), "") for visit in route.visits
        ]
        rows.append(("", tr("is back"), _clock(route.back), "", f"{route.distance_m / 1000:.1f}"))
    heads = (tr("vehicle"), tr("stop"), tr("at"), tr("until"), tr("km"))
    screen = console()
    screen.print(table(*heads, rows=rows, right=(4,)))
    for name in planned.left_out:
        screen.print(Text(tr("{stop} is left out.", stop=name), style="unsure"))
    screen.print(tr("Cost: {cost:,.2f}.", cost=planned.cost / MICRO))


def _clock(seconds: int) -> str:
    return f"{seconds // 3600:02}:{seconds // 60 % 60:02}"
