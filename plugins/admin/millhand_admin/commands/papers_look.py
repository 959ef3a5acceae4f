"""``millhand papers look``: what was read from a paper, each value beside its picture."""

from __future__ import annotations

from pathlib import Path

import click

from millhand.cli.exits import ExitCode
from millhand.errors import ConfigError
from millhand.messages import tr


@click.command(
    help=tr(
        "Write one page that shows what was read from the paper of a question or decision: each "
        "value beside the picture it was read from, unsure ones marked.\n"
        "\n"
        "\b\n"
        "  millhand review list scenarios/office\n"
        "  millhand papers look office.1.7.q1 --at scenarios/office --out look.html"
    )
)
@click.argument("about")
@click.option("--at", "where", required=True, help=tr("Scenario or journal."))
@click.option("--out", required=True, type=click.Path(dir_okay=False, path_type=Path),
              help=tr("The page to write."))  # fmt: skip
def papers_look(*, about: str, where: str, out: Path) -> ExitCode:
    """Write the page."""
    from millhand.cli.places import find_journal
    from millhand.feedback.review import show
    from millhand.journal.blobs import BlobReader
    from millhand.journal.places import BLOBS
    from millhand_admin.reading.limits import Limits
    from millhand_admin.reports.looked import as_page, values_of

    place = find_journal(where)
    with place.open() as journal:
        intent = show(journal, about).intent
    documents = list(intent.observation.documents.values())
    if not documents:
        raise ConfigError(tr("{about} is about no document.", about=about))
    reference = documents[0].ref
    content = BlobReader(place.folder / BLOBS).load_document(reference.sha256)
    values = values_of(intent.decision, content, Limits())
    out.write_text(as_page(reference.name, intent.decision.reason, values), encoding="utf-8")
    click.echo(tr("{file}: {count} values.", file=out, count=len(values)))
    return ExitCode.FINE
