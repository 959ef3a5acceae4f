"""``millhand papers report``: shift report, NCR, 8D or story from a journal."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from millhand.cli.exits import ExitCode
from millhand.errors import ConfigError
from millhand.messages import tr

if TYPE_CHECKING:
    from millhand.journal.entries import Entry


@click.command(
    help=tr(
        "Write a report from a journal: a shift report, a draft of an NCR or 8D on a lot or part, "
        "or the story of what became of it.\n"
        "\n"
        "Every sentence carries the ids of the entries that it tells of; what only a person can "
        "say stays blank.\n"
        "\n"
        "\b\n"
        "  millhand papers report shift --at scenarios/office --out shift.html\n"
        "  millhand papers report ncr --at my-cell --subject L-4711 --out ncr.pdf\n"
        "  millhand papers report 8d --at my-cell --subject L-4711 --out 8d.pdf\n"
        "  millhand papers report story --at my-cell --subject L-4711 --out story.html"
    )
)
@click.argument("kind", type=click.Choice(["shift", "ncr", "8d", "story"]))
@click.option("--at", "where", required=True, help=tr("Scenario or journal."))
@click.option("--out", required=True, type=click.Path(dir_okay=False, path_type=Path),
              help=tr("The file: .html or .pdf."))  # fmt: skip
@click.option("--subject", default="", help=tr("Lot or part, for NCR, 8D and story."))
@click.option("--hours", type=click.FloatRange(0, min_open=True),
              help=tr("For a shift report: the last so many hours of the journal."))  # fmt: skip
def papers_report(
    *, kind: str, where: str, out: Path, subject: str, hours: float | None
) -> ExitCode:
    """Write a report."""
    from millhand.cli.places import find_journal
    from millhand_admin.reports.html import as_html
    from millhand_admin.reports.nonconformance import eight_d, ncr
    from millhand_admin.reports.pdf import as_pdf
    from millhand_admin.reports.shift import shift_report
    from millhand_admin.reports.story import story

    if out.suffix.lower() not in {".html", ".pdf"}:
        raise ConfigError(tr("{file} is neither .html nor .pdf.", file=out))
    place = find_journal(where)
    with place.open() as journal:
        cell = journal.cell
        entries = _entries(journal, hours)
    if kind == "shift":
        report = shift_report(entries, cell)
    elif not subject:
        raise ConfigError(tr("Say which lot or part."), mend=tr("Add --subject."))
    else:
        report = {"ncr": ncr, "8d": eight_d, "story": story}[kind](entries, cell, subject)
    if out.suffix.lower() == ".pdf":
        out.write_bytes(as_pdf(report))
    else:
        out.write_text(as_html(report), encoding="utf-8")
    count = sum(1 for _ in report.sentences())
    click.echo(tr("{file}: {count} sentences.", file=out, count=count))
    return ExitCode.FINE


def _entries(journal: object, hours: float | None) -> list[Entry]:
    from millhand.journal.journal import Journal

    assert isinstance(journal, Journal)
    entries: list[Entry] = []
    after = 0
    while page := journal.read(after, limit=1000):
        entries += page
        after = page[-1].seq
    if hours is not None and entries:
        since = entries[-1].at_utc_ns - int(hours * 3600e9)
        entries = [entry for entry in entries if entry.at_utc_ns >= since]
    return entries
