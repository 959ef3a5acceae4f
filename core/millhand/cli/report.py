"""``millhand report``: what a cell has done and what it was worth, as a page."""

from __future__ import annotations

import shlex
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import click

from millhand.cli.output import console, json_option, show_json
from millhand.cli.places import find_journal, where_argument
from millhand.messages import tr

if TYPE_CHECKING:
    from collections.abc import Iterator

    from millhand.feedback.rates import AnsweredRate
    from millhand.journal.entries import Entry
    from millhand.journal.journal import Journal
    from millhand.scenario.economy import Economy

_PAGE = 1000


@click.command(
    help=tr(
        "Write the report of a cell's last run: parts, times, pictures worth a look, what changed "
        "with its models, and what its decisions cost. It reads the journal alone and may be "
        "written while the cell runs.\n"
        "\n"
        "Prices are those of the scenario: WHERE, or --scenario. What parts really were is known "
        "only to a simulation and to people; of people's answers it tells how often the agent was "
        "wrong, weighed by the chance with which was asked.\n"
        "\n"
        "\b\n"
        "  millhand report --at my-cell/ --out report.html\n"
        "  millhand report --at runs/my-cell-20261125-081500 --scenario my-cell/"
    )
)
@where_argument
@click.option(
    "--scenario", type=click.Path(path_type=Path), help=tr("Whose prices; that of WHERE if none.")
)
@click.option(
    "--out",
    type=click.Path(dir_okay=False, path_type=Path),
    default=Path("report.html"),
    show_default=True,
    help=tr("The page to write."),
)
@json_option
def report(
    *, where: str, cell: str | None, scenario: Path | None, out: Path, as_json: bool
) -> None:
    """Write the report."""
    from millhand.cli.summary_text import print_summary
    from millhand.console.pictures import kept_pictures
    from millhand.console.run_report import write_run_report
    from millhand.feedback.rates import RATE_KINDS, answered_rate
    from millhand.journal.blobs import BlobReader
    from millhand.ledger.run import read_run
    from millhand.ledger.summary import summarise

    place = find_journal(where, cell)
    economy = _economy(scenario or Path(where))
    with place.open() as journal:
        run = read_run(_all(journal))
        said = answered_rate(journal.read(kinds=RATE_KINDS, limit=None))
    summary = summarise(run, economy=economy)
    write_run_report(
        out,
        summary,
        run,
        pictures=kept_pictures(BlobReader(place.blobs)),
        command=shlex.join(["millhand", *sys.argv[1:]]),
    )
    if as_json:
        show_json({"summary": summary, "answers": said, "report": str(out)})
        return
    print_summary(summary, console())
    if said is not None:
        click.echo(_answers(said))
    click.echo(tr("Report: {file}", file=out))


def _answers(said: AnsweredRate) -> str:
    return tr(
        "By what people answered ({answered} of {asked} questions): {rate:.2%} of the verdicts are "
        "wrong, weighed by how often was asked.",
        answered=said.answered,
        asked=said.asked,
        rate=said.rate,
    )


def _economy(scenario: Path) -> Economy | None:
    from millhand.errors import ConfigError
    from millhand.scenario.load import load

    try:
        return load(scenario).file.economy
    except ConfigError:
        return None  # a folder of a run has no prices


def _all(journal: Journal) -> Iterator[Entry]:
    after = 0
    while page := journal.read(after, limit=_PAGE):
        yield from page
        after = page[-1].seq
