"""``millhand sbom`` and ``millhand audit``: what is installed, and what is known against it."""

from __future__ import annotations

from pathlib import Path

import click

from millhand.cli.exits import ExitCode
from millhand.cli.output import console, json_option, show_json
from millhand.messages import tr, trn


@click.command(
    help=tr(
        "Write what is installed as a bill of materials: CycloneDX 1.6, validated.\n"
        "\n"
        "Millhand, its plugins and all that they need, each with version, licence and what it "
        "needs in turn.\n"
        "\n"
        "\b\n"
        "  millhand sbom -o sbom.json\n"
        "  millhand sbom | jq .components[].purl"
    )
)
@click.option(
    "--output", "-o", type=click.Path(dir_okay=False, path_type=Path), help=tr("File to write.")
)
def sbom(*, output: Path | None) -> None:
    """Write the bill of materials."""
    from millhand.upkeep.sbom import bill_of_materials

    text = bill_of_materials()
    if output is None:
        click.echo(text)
        return
    output.write_text(text + "\n", encoding="utf-8")
    console().print(tr("Written: {file}", file=output), style="good", markup=False)


@click.command(
    help=tr(
        "Look up known weaknesses of what is installed in a file of advisories (OSV).\n"
        "\n"
        "Nothing is asked over the network: bring the file, for instance the ZIP of all advisories "
        "on PyPI that osv.dev offers. The exit code is 1 where a weakness is known.\n"
        "\n"
        "\b\n"
        "  millhand audit --advisories all.zip\n"
        "  millhand audit --advisories all.zip --json"
    )
)
@click.option(
    "--advisories",
    required=True,
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help=tr("JSON file or ZIP of advisories in the form OSV."),
)
@json_option
def audit(*, advisories: Path, as_json: bool) -> ExitCode:
    """Look weaknesses up."""
    from millhand.upkeep.audit import audit as look_up
    from millhand.upkeep.sbom import installed

    versions = {name: one.version for name, one in installed().items()}
    found, count = look_up(advisories, versions)
    if as_json:
        show_json(found)
        return ExitCode.PROBLEMS if found else ExitCode.FINE
    out = console()
    for one in found:
        names = ", ".join((one.advisory, *one.aliases))
        out.print(f"{one.package} {one.version}  {names}", style="bad", markup=False)
        out.print(f"  {one.summary}", markup=False)
        if one.fixed:
            out.print(tr("  mended in: {versions}", versions=", ".join(one.fixed)), markup=False)
    out.print(
        tr("{packages} packages, {count} advisories read.", packages=len(versions), count=count),
        style="quiet",
    )
    said = trn("{count} weakness is known.", "{count} weaknesses are known.", len(found))
    out.print(said if found else tr("No weakness is known."), style="bad" if found else "good")
    return ExitCode.PROBLEMS if found else ExitCode.FINE
