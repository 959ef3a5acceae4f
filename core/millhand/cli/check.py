"""``millhand check``: whether a scenario is right."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from millhand.cli.exits import ExitCode
from millhand.cli.output import console, json_option, show_json, table
from millhand.errors import ConfigError, Problem
from millhand.messages import tr, trn

if TYPE_CHECKING:
    from millhand.engine.capacity import Capacity


@click.command(
    help=tr(
        "Check a scenario against the plugins that are installed, without touching hardware.\n"
        "\n"
        "Every problem names file, line, key, what was expected and the mend. Where all is right, "
        "what can be promised for each command channel is printed.\n"
        "\n"
        "\b\n"
        "  millhand check my-cell/\n"
        "  millhand check my-cell/scenario.yaml --json\n"
        "  millhand check my-cell/ --takt '250 ms'                what this computer carries"
    )
)
@click.argument("scenario", type=click.Path(), default=".")
@click.option(
    "--takt",
    metavar="TIME",
    help=tr("Measure models, disk and memory here against one part every TIME, such as '250 ms'."),
)
@json_option
def check(*, scenario: str, takt: str | None, as_json: bool) -> ExitCode:
    """Print the problems of a scenario; the exit code says whether there are any."""
    from millhand.plugins import Plugins
    from millhand.scenario.check import check as problems_of
    from millhand.scenario.check import guarantees
    from millhand.scenario.load import load

    promised: list[str] = []
    capacity: Capacity | None = None
    takt_s = _takt(takt)
    try:
        loaded = load(scenario)
        problems = problems_of(loaded, Plugins.discover())
        promised = guarantees(loaded)
        if takt_s is not None and not problems:
            from millhand.engine.capacity import measure

            capacity = measure(loaded, Plugins.discover(), takt_s)
    except ConfigError as error:
        if not error.problems:
            raise
        problems = list(error.problems)
    if as_json:
        plain = [_plain(one) for one in problems]
        show_json({"problems": plain, "guarantees": promised, "capacity": capacity})
    else:
        _show(problems, promised)
        if capacity is not None:
            _show_capacity(capacity)
    fits = capacity is None or not capacity.misfits
    return ExitCode.FINE if fits and not problems else ExitCode.PROBLEMS


def _takt(text: str | None) -> float | None:
    from millhand.scenario.units import UnitError, parse_duration

    if text is None:
        return None
    try:
        return parse_duration(text)
    except UnitError as error:
        raise click.BadParameter(f"{error} {error.expected}", param_hint="--takt") from error


def _show_capacity(capacity: Capacity) -> None:
    out = console()
    rows = [
        (load.agent, f"{load.p50_ms:.1f}", f"{load.p99_ms:.1f}", str(load.threads),
         f"{load.memory // 1_000_000}", load.runs_on)
        for load in capacity.agents
    ]  # fmt: skip
    headings = (tr("agent"), tr("p50 ms"), tr("p99 ms"), tr("threads"), tr("MB"), tr("runs on"))
    out.print(table(*headings, rows=rows, right=(1, 2, 3, 4)))
    out.print(tr("An intent on disk: {ms:.1f} ms p99.", ms=capacity.commit_p99_ms), markup=False)
    for misfit in capacity.misfits:
        out.print(misfit, style="bad", markup=False)
    if capacity.misfits:
        said = tr(
            "This computer does not carry it; one part every {ms:.0f} ms it might.",
            ms=capacity.shortest_takt_ms,
        )
    else:
        said = tr(
            "This computer carries one part every {takt:.0f} ms; down to {ms:.0f} ms as measured.",
            takt=capacity.takt_ms,
            ms=capacity.shortest_takt_ms,
        )
    out.print(said, style="bad" if capacity.misfits else "good", markup=False)


def _show(problems: list[Problem], promised: list[str]) -> None:
    out = console()
    for problem in problems:
        out.print(str(problem.place), style="strong", markup=False, end=": ")
        out.print(problem.message, style="bad", markup=False)
        if problem.expected:
            out.print(tr("  expected: {expected}", expected=problem.expected), markup=False)
        if problem.mend:
            out.print(tr("  mend: {mend}", mend=problem.mend), markup=False)
    if problems:
        count = trn("{count} problem found.", "{count} problems found.", len(problems))
        console(stderr=True).print(count, style="bad")
        return
    for line in promised:
        out.print(line, markup=False)
    out.print(tr("No problem found."), style="good")


def _plain(problem: Problem) -> dict[str, object]:
    place = problem.place
    return {
        "file": place.file,
        "line": place.line,
        "column": place.column,
        "key": place.key,
        "message": problem.message,
        "expected": problem.expected,
        "mend": problem.mend,
    }
