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
        "\b\n"
        "  millhand distil plan.yaml --out models/impeller\n"
        "  millhand distil plan.yaml --out models/impeller --replace"
    )
)
@click.argument("plan", type=click.Path(dir_okay=False, path_type=Path))
@click.option(
    "--out", required=True, type=click.Path(path_type=Path), help=tr("Folder of the new package.")
)
@click.option("--replace", is_flag=True, help=tr("Replace a package that is there."))
def distil(*, plan: Path, out: Path, replace: bool) -> ExitCode:
    """Carry out a plan."""
    from millhand.distil.folder import plan_data
    from millhand.distil.plan import load_plan
    from millhand.distil.run import distil as carry_out
    from millhand.plugins import Plugins

    loaded = load_plan(plan)
    screen = console(stderr=True)
    with _shown(screen) as tell:
        package = carry_out(
            loaded,
            Plugins.discover(),
            plan_data(loaded, plan.parent),
            out,
            tell,
            command=shlex.join(["millhand", *sys.argv[1:]]),
            replace=replace,
        )
    for metric in package.manifest.metrics:
        said = f"{metric.name}: {metric.value:.4g}, {metric.data}"
        if metric.teacher is not None:
            said += tr(" (teacher {figure})", figure=f"{metric.teacher:.4g}")
        click.echo(said)
    click.echo(tr("Package {id} lies in {folder}.", id=package.id, folder=out))
    return ExitCode.FINE


@contextlib.contextmanager
def _shown(screen: Console) -> Iterator[Report]:
    """Show a bar for each stage on a terminal; a line for each in a pipe."""
    if not screen.is_terminal:
        said: set[str] = set()

        def say(step: Step) -> None:
            if step.stage not in said:
                said.add(step.stage)
                screen.print(step.stage, markup=False)

        yield say
        return
    columns = (TextColumn("{task.description}"), BarColumn(), TextColumn("{task.fields[said]}"))
    with Progress(*columns, TimeElapsedColumn(), console=screen) as progress:
        tasks = {}

        def tell(step: Step) -> None:
            if step.stage not in tasks:
                tasks[step.stage] = progress.add_task(step.stage, total=1.0, said="")
            progress.update(tasks[step.stage], completed=step.fraction, said=step.text)

        yield tell
