"""``millhand inspect fit``: from a folder of good pictures to a package."""

from __future__ import annotations

import re
import shlex
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import click
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

from millhand.cli.output import console, table
from millhand.messages import tr
from millhand_quality.inspect.fit import (
    AUTO,
    DEFAULT_SIZE,
    FitRequest,
    Fitted,
    fit_package,
)
from millhand_quality.inspect.fit import Progress as OnProgress
from millhand_quality.inspect.overview import overview
from millhand_quality.inspect.select import CANDIDATES
from millhand_quality.inspect.threshold import scores_needed

OVERVIEW_FILE = "worst-cases.png"


class Percent(click.ParamType[float]):
    """A share written as ``1%`` or ``0.01``."""

    name = "percent"

    def convert(
        self, value: Any, param: click.Parameter | None, ctx: click.Context | None
    ) -> float:
        """Return the share, above 0 and below 1."""
        if isinstance(value, float):
            return value
        text = str(value).strip().replace(" ", "")
        try:
            share = float(text[:-1]) / 100 if text.endswith("%") else float(text)
        except ValueError:
            self.fail(tr("{value} is no share; write 1% or 0.01.", value=value), param, ctx)
        if not 0 <= share < 1:
            self.fail(tr("{value} does not lie between 0 and 100 %.", value=value), param, ctx)
        return share


@contextmanager
def shown_progress(screen: Console) -> Iterator[OnProgress]:
    """Show a bar for each stage while one runs; nothing when output is not a terminal."""
    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
    )
    with Progress(*columns, console=screen, disable=not screen.is_terminal) as progress:

        def stage(name: str, steps: int) -> Callable[[], None]:
            task = progress.add_task(name, total=steps)
            return lambda: progress.advance(task)

        yield stage


@click.command(
    help=tr(
        "Make a model package from good pictures.\n"
        "\n"
        "DIR holds train/good/*.png (the MVTec layout), or pictures alone. Defects are not needed; "
        "those under test/ are judged at the end and never fitted on.\n"
        "\n"
        "\b\n"
        "  millhand inspect fit pictures/ --out models/impeller\n"
        "  millhand inspect fit pictures/ --out models/impeller --false-reject 0.5%\n"
        "  millhand inspect fit pictures/ --out models/screw --part-pattern '^(part[0-9]+)_'"
    )
)
@click.argument("folder", metavar="DIR", type=click.Path(path_type=Path))
@click.option(
    "--out", required=True, type=click.Path(path_type=Path), help=tr("Folder of the new package.")
)
@click.option(
    "--false-reject",
    type=Percent(),
    default="1%",
    show_default=True,
    help=tr("Good parts rejected, at most."),
)
@click.option(
    "--undecided",
    type=Percent(),
    default="2%",
    show_default=True,
    help=tr("Good parts left to a person beside, at most; 0 for one threshold."),
)
@click.option(
    "--head",
    type=click.Choice((AUTO, *CANDIDATES)),
    default=AUTO,
    show_default=True,
    help=tr("What learns how good parts look; auto compares all on your pictures."),
)
@click.option(
    "--size",
    type=click.IntRange(64, 1024),
    default=DEFAULT_SIZE,
    show_default=True,
    help=tr("The network sees about SIZE x SIZE pixels; twice as much takes four times as long."),
)
@click.option(
    "--body",
    type=click.Choice(("trunk", "student")),
    default="trunk",
    show_default=True,
    help=tr("What gives the features; the student is quicker and finds less."),
)
@click.option("--name", help=tr("Name of the package; that of DIR where not given."))
@click.option("--product", help=tr("Product as the PLC names it."))
@click.option(
    "--part-pattern",
    metavar="REGEX",
    help=tr("First group names the physical part, where a part has several pictures."),
)
@click.option("--resize", is_flag=True, help=tr("Take pictures of several sizes."))
@click.option(
    "--licence",
    default="LicenseRef-proprietary",
    show_default=True,
    help=tr("Of the package (SPDX)."),
)
@click.option(
    "--data-licence",
    default="LicenseRef-proprietary",
    show_default=True,
    help=tr("Of the pictures (SPDX)."),
)
@click.option("--data-name", default="", help=tr("What the pictures are called in the package."))
@click.option("--data-recipe", default="", help=tr("Command that makes the pictures again."))
@click.option("--seed", default=0, show_default=True, help=tr("Of all random choices."))
@click.option("--replace", is_flag=True, help=tr("Replace a package that is there."))
def fit(folder: Path, out: Path, false_reject: float, undecided: float, **rest: Any) -> None:
    """Fit, show what came of it, and leave an overview of the worst cases."""
    if false_reject == 0:
        raise click.UsageError(tr("A false-reject rate of 0 can never be promised."))
    screen = console()
    name = rest.pop("name") or re.sub(r"[^a-z0-9_.-]+", "-", folder.resolve().name.lower())
    request = FitRequest(
        folder=folder,
        out=out,
        name=name.strip("-._") or "part",
        false_reject_rate=false_reject,
        undecided_rate=undecided,
        command=shlex.join(["millhand", *sys.argv[1:]]),
        **rest,
    )
    with shown_progress(screen) as progress:
        fitted = fit_package(request, progress)
    summarise(screen, fitted, out)


def summarise(screen: Console, fitted: Fitted, out: Path) -> None:
    """Tell what was fitted, what is promised, how it did, and where it lies."""
    for error in fitted.skipped:
        screen.print(tr("Left out: {why}", why=error.message), style="unsure", markup=False)
    _tell_selection(screen, fitted)
    _tell_threshold(screen, fitted)
    _tell_figures(screen, fitted)
    times = fitted.package.manifest.latency[0]
    stages = ", ".join(f"{stage} {seconds:.1f} s" for stage, seconds in fitted.seconds.items())
    screen.print(tr("Took {stages}.", stages=stages), style="quiet")
    screen.print(
        tr(
            "One picture takes {p50:.1f} ms (p99 {p99:.1f}) on {runtime}, one thread, here.",
            p50=times.p50_ms,
            p99=times.p99_ms,
            runtime=times.runtime,
        )
    )
    screen.print(tr("Package {id} lies in {folder}.", id=fitted.package.id, folder=out))
    sheet = overview(fitted.judged, fitted.parameters)
    if sheet is not None:
        picture = out.parent / f"{out.name}-{OVERVIEW_FILE}"
        sheet.save(picture)
        screen.print(tr("Its worst cases lie in {picture}.", picture=picture))


def _tell_selection(screen: Console, fitted: Fitted) -> None:
    division, selection = fitted.division, fitted.selection
    screen.print(
        tr(
            "Fitted on {fit} pictures, threshold set on {held} others, input {width}x{height}.",
            fit=len(division.fit),
            held=len(division.held_out),
            width=fitted.detector.plan.width,
            height=fitted.detector.plan.height,
        )
    )
    if selection is None:
        screen.print(tr("Head: {head}.", head=fitted.parameters.detector))
        return
    rows = [
        (
            f"{trial.name} *" if trial.name == selection.chosen else trial.name,
            f"{trial.found:.1%} ± {trial.standard_error:.1%}",
            f"{trial.auroc:.3f}",
        )
        for trial in selection.trials
    ]
    screen.print(table(tr("head"), tr("damage found"), tr("AUROC"), rows=rows, right=(1, 2)))
    screen.print(
        tr(
            "Head: {head}, the cheapest within one standard error of the best in "
            "cross-validation on {count} artificially damaged pictures.",
            head=selection.chosen,
            count=selection.reason.damaged_pictures,
        )
    )


def _tell_threshold(screen: Console, fitted: Fitted) -> None:
    thresholds = fitted.thresholds
    needed = scores_needed(thresholds.asked_rate)
    facts: dict[str, object] = {
        "asked": f"{thresholds.asked_rate:.2%}",
        "promised": f"{thresholds.promised_rate:.2%}",
        "count": len(thresholds.scores),
        "needed": needed,
    }
    if thresholds.enough:
        screen.print(
            tr(
                "False rejects: at most {asked} of good parts like these, promised by {count} "
                "held-out parts (conformal).",
                **facts,
            ),
            style="good",
        )
    elif thresholds.guarantee == "split-conformal":
        screen.print(
            tr(
                "Too few good parts to promise {asked}: {needed} must be held out, {count} are. "
                "Promised: at most {promised}.",
                **facts,
            ),
            style="unsure",
        )
    else:
        screen.print(
            tr(
                "Too few good parts to promise anything: {needed} must be held out for {asked}, "
                "none could be. The threshold is the highest of {count} cross-validated scores.",
                **facts,
            ),
            style="unsure",
        )


def _tell_figures(screen: Console, fitted: Fitted) -> None:
    rows = [
        (
            metric.name,
            f"{metric.value:.4g}",
            "" if metric.low is None else f"{metric.low:.3g} … {metric.high:.3g}",
            str(metric.items),
            metric.data,
        )
        for metric in fitted.measured.metrics
    ]
    if rows:
        heads = (tr("held out"), tr("value"), tr("95 %"), tr("pictures"), tr("of"))
        screen.print(table(*heads, rows=rows, right=(1, 3)))
