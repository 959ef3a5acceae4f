"""``millhand check``: whether a scenario is right."""

from __future__ import annotations

import click

from millhand.cli.exits import ExitCode
from millhand.cli.output import console, json_option, show_json
from millhand.errors import ConfigError, Problem
from millhand.messages import tr, trn


@click.command(
    help=tr(
        "Check a scenario against the plugins that are installed, without touching hardware.\n"
        "\n"
        "Every problem names file, line, key, what was expected and the mend. Where all is right, "
        "what can be promised for each command channel is printed.\n"
        "\n"
        "\b\n"
        "  millhand check my-cell/\n"
        "  millhand check my-cell/scenario.yaml --json"
    )
)
@click.argument("scenario", type=click.Path(), default=".")
@json_option
def check(*, scenario: str, as_json: bool) -> ExitCode:
    """Print the problems of a scenario; the exit code says whether there are any."""
    from millhand.plugins import Plugins
    from millhand.scenario.check import check as problems_of
    from millhand.scenario.check import guarantees
    from millhand.scenario.load import load

    promised: list[str] = []
    try:
        loaded = load(scenario)
        problems = problems_of(loaded, Plugins.discover())
        promised = guarantees(loaded)
    except ConfigError as error:
        if not error.problems:
            raise
        problems = list(error.problems)
    if as_json:
        show_json({"problems": [_plain(one) for one in problems], "guarantees": promised})
    else:
        _show(problems, promised)
    return ExitCode.PROBLEMS if problems else ExitCode.FINE


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
