"""``millhand papers look``: what was read from a paper, each value beside its picture."""

from __future__ import annotations

from pathlib import Path

import click

from millhand.cli.exits import ExitCode
from millhand.messages import tr


@click.command(
    help=tr(
        "Write one page that shows what was read from the paper of a question or decision: each "
        "value beside the picture it was read from, unsure ones marked. A file that ends in .json "
        "gets the same as data, each picture as PNG in base64.\n"
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
    from millhand_admin.reports.looked import as_json, as_page, look

    case = look(find_journal(where), about)
    if out.suffix.lower() == ".json":
        text = as_json(case)
    else:
        text = as_page(case.document, case.reason, list(case.values))
    out.write_text(text, encoding="utf-8")
    click.echo(tr("{file}: {count} values.", file=out, count=len(case.values)))
    return ExitCode.FINE
