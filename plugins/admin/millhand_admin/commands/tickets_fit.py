"""``millhand tickets fit``: a router from a plant's own tickets."""

from __future__ import annotations

import shlex
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import click

from millhand.cli.exits import ExitCode
from millhand.messages import tr

if TYPE_CHECKING:
    from millhand_admin.tickets.ticket import Ticket


@click.command(
    help=tr(
        "Make a router from tickets whose kind is known, and write its package.\n"
        "\n"
        "TICKETS is a CSV file with the columns text and kind. A fifth of the texts is kept to "
        "calibrate, a fifth to test. The router answers only from a confidence on whose error rate "
        "is proven to be at most ALPHA; the rest goes to people. What people reassigned is in the "
        "journal: name it, and the router learns it.\n"
        "\n"
        "\b\n"
        "  millhand tickets fit tickets.csv --out models/tickets --licence proprietary\n"
        "  millhand tickets fit tickets.csv --journal scenarios/office --agent dispatcher \\\n"
        "      --out models/tickets --replace --licence proprietary"
    )
)
@click.argument("tickets", type=click.Path(dir_okay=False, path_type=Path))
@click.option(
    "--out", required=True, type=click.Path(path_type=Path), help=tr("Folder of the new package.")
)
@click.option("--licence", required=True, help=tr("SPDX identifier of the data and package."))
@click.option("--alpha", type=float, default=0.05, show_default=True,
              help=tr("Most errors among the answered."))  # fmt: skip
@click.option("--journal", help=tr("Scenario or journal in which people reassigned tickets."))
@click.option("--agent", default="tickets", show_default=True,
              help=tr("The agent's name in that scenario."))  # fmt: skip
@click.option("--replace", is_flag=True, help=tr("Replace a package that is there."))
def tickets_fit(
    *, tickets: Path, out: Path, licence: str, alpha: float, journal: str | None, agent: str,
    replace: bool,
) -> ExitCode:  # fmt: skip
    """Fit and write a router."""
    from millhand_admin.tickets.fit import fit, write_package
    from millhand_admin.tickets.ticket import read_tickets

    known = read_tickets(tickets)
    if journal is not None:
        more = _from_journal(journal, agent)
        click.echo(tr("{count} tickets were reassigned by people.", count=len(more)))
        corrected = {one.group for one in more}
        known = [one for one in known if one.group not in corrected] + more
    fitted = fit(known, alpha=alpha)
    command = shlex.join(["millhand", *sys.argv[1:]])
    package = write_package(fitted, known, out, licence=licence, command=command, replace=replace)
    for metric in fitted.metrics:
        click.echo(f"{metric.name}: {metric.value:.1%} ({metric.low:.1%} to {metric.high:.1%}), "
                   f"{metric.items}")  # fmt: skip
    click.echo(package.manifest.notes[0])
    click.echo(tr("Package {id} lies in {folder}.", id=package.id, folder=out))
    return ExitCode.FINE


def _from_journal(where: str, agent: str) -> list[Ticket]:
    from millhand.cli.places import find_journal
    from millhand.journal.blobs import BlobReader
    from millhand_admin.tickets.ticket import reassigned

    place = find_journal(where)
    with place.open() as journal:
        entries = []
        after = 0
        while page := journal.read(after, kinds=("intent", "review"), limit=1000):
            entries += page
            after = page[-1].seq
    return reassigned(entries, agent, BlobReader(place.blobs).load_document)
