"""``millhand distil``: a small student from a big teacher, by a plan."""

from __future__ import annotations

import contextlib
import shlex
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import click
from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn

from millhand.cli.exits import ExitCode
from millhand.cli.output import console
from millhand.messages import tr

if TYPE_CHECKING:
    from millhand.distil.roles import Progress as Step
    from millhand.distil.roles import Report


@click.command(
    help=tr(
        "Make a small student from a big teacher, by a plan, and write its package.\n"
        "\n"
        "The plan names teacher, student, data, budget and gates; the same plan and data make the "
        "same student again. A teacher whose terms do not permit distillation is refused, and no "
        "option overrules that. The package is written only when every gate has passed.\n"
        "\n"
        "What was done is kept: a run that was cut off goes on where it was, and a second one on "
        "the same plan and data is free.\n"
        "\n"
        "\b\n"
        "  millhand distil plan.yaml --out models/impeller\n"
        "  millhand distil plan.yaml --out models/impeller --replace\n"
        "  millhand distil plan.yaml --data pictures/ --minutes 5 --out models/impeller"
    )
)
@click.argument("plan", type=click.Path(dir_okay=False, path_type=Path))
@click.option(
    "--out", required=True, type=click.Path(path_type=Path), help=tr("Folder of the new package.")
)
@click.option("--replace", is_flag=True, help=tr("Replace a package that is there."))
@click.option(
    "--data",
    type=click.Path(exists=True, file_okay=False, path_type=Path),
    help=tr("Folder of the data, in the place of the one that the plan names."),
)
@click.option(
    "--target",
    type=click.Choice(["this-machine"]),
    default="this-machine",
    show_default=True,
    help=tr("Where the student is to keep the plan's budget."),
)
@click.option(
    "--minutes",
    type=click.FloatRange(0.1, 10_000),
    help=tr("Time that learning may take; the student learns less where it is short."),
)
@click.option(
    "--keep",
    type=click.Path(file_okay=False, path_type=Path),
    help=tr("Where distillations are kept; the user's cache where left out."),
)
@click.option("--anew", is_flag=True, help=tr("Take nothing from what was kept, and keep nothing."))
def distil(
    *,
    plan: Path,
    out: Path,
    replace: bool,
    data: Path | None,
    target: str,
    minutes: float | None,
    keep: Path | None,
    anew: bool,
) -> ExitCode:
    """Carry out a plan."""
    del target  # there is one so far: what the candidate is timed on
    from millhand.distil.folder import plan_data
    from millhand.distil.plan import load_plan
    from millhand.distil.run import distil as carry_out
    from millhand.plugins import Plugins

    loaded = load_plan(plan)
    source = plan_data(loaded, plan.parent, data)
    screen = console(stderr=True)
    with _shown(screen) as tell:
        package = carry_out(
            loaded,
            Plugins.discover(),
            source,
            out,
            tell,
            command=shlex.join(["millhand", *sys.argv[1:]]),
            replace=replace,
            keep=None if anew else keep or _cache(),
            seconds=None if minutes is None else 60 * minutes,
        )
    for metric in package.manifest.metrics:
        said = f"{metric.name}: {metric.value:.4g}, {metric.data}"
        if metric.teacher is not None:
            said += tr(" (teacher {figure})", figure=f"{metric.teacher:.4g}")
        click.echo(said)
    click.echo(tr("Package {id} lies in {folder}.", id=package.id, folder=out))
    return ExitCode.FINE


def _cache() -> Path:
    import platformdirs

    return platformdirs.user_cache_path("millhand") / "distil"


@contextlib.contextmanager
def _shown(screen: Console) -> Iterator[Report]:
    """Show a bar for each stage on a terminal; in a pipe a line for each, and for each tenth."""
    if not screen.is_terminal:
        said: dict[str, int] = {}

        def say(step: Step) -> None:
            tenth = int(10 * step.fraction)
            if said.get(step.stage, -1) < tenth:
                said[step.stage] = tenth
                line = f"{step.stage} {10 * tenth} % {_left(step)}" if tenth else step.stage
                screen.print(line.strip(), markup=False)

        yield say
        return
    columns = (TextColumn("{task.description}"), BarColumn(), TextColumn("{task.fields[said]}"))
    with Progress(*columns, TimeElapsedColumn(), console=screen) as progress:
        tasks = {}

        def tell(step: Step) -> None:
            if step.stage not in tasks:
                tasks[step.stage] = progress.add_task(step.stage, total=1.0, said="")
            said = f"{step.text} {_left(step)}".strip()
            progress.update(tasks[step.stage], completed=step.fraction, said=said)

        yield tell


def _left(step: Step) -> str:
    """Say how long the stage may still take."""
    if step.left_s is None:
        return ""
    if step.left_s < 90:
        return tr("about {seconds} s left", seconds=f"{step.left_s:.0f}")
    return tr("about {minutes} min left", minutes=f"{step.left_s / 60:.0f}")
