"""``millhand models export``: a package's passport for people and for other tools."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING

import click

from millhand.cli.output import console
from millhand.messages import tr

if TYPE_CHECKING:
    from millhand.models.package import Package


class Form(StrEnum):
    """What a passport is written as."""

    CYCLONEDX = "cyclonedx"
    HTML = "html"
    MARKDOWN = "markdown"
    JSON = "json"


@click.command(
    help=tr(
        "Write a package's passport for others. The package is verified first.\n"
        "\n"
        "\b\n"
        "cyclonedx  an ML-BOM, CycloneDX 1.6 JSON, checked by that standard's own validator\n"
        "html       the model card, one page that loads nothing\n"
        "markdown   the model card as text\n"
        "json       the manifest in its latest version, canonical JSON (RFC 8785)\n"
        "\n"
        "\b\n"
        "  millhand models export models/impeller --as cyclonedx -o impeller.cdx.json\n"
        "  millhand models export models/impeller --as html -o impeller.html"
    )
)
@click.argument("package", type=click.Path(path_type=Path))
@click.option(
    "--as",
    "form",
    type=click.Choice([form.value for form in Form]),
    default=Form.CYCLONEDX.value,
    show_default=True,
    help=tr("The form."),
)
@click.option(
    "--output",
    "-o",
    type=click.Path(dir_okay=False, path_type=Path),
    help=tr("File to write; otherwise it is printed."),
)
def export(*, package: Path, form: str, output: Path | None) -> None:
    """Export a passport."""
    from millhand.models.package import open_package

    text = _written(open_package(package), Form(form))
    if output is None:
        click.echo(text, nl=not text.endswith("\n"))
    else:
        output.write_text(text, encoding="utf-8")
        console().print(tr("Written: {file}", file=output), style="good", markup=False)


def _written(package: Package, form: Form) -> str:
    from millhand.models.card import render_card, render_page
    from millhand.models.ml_bom import ml_bom

    match form:
        case Form.CYCLONEDX:
            return ml_bom(package) + "\n"
        case Form.HTML:
            return render_page(package.manifest)
        case Form.MARKDOWN:
            return render_card(package.manifest)
        case Form.JSON:
            return package.manifest.to_bytes().decode() + "\n"
