"""``millhand doctor``: what is wrong with a cell and its computer, and the mend."""

from __future__ import annotations

from pathlib import Path

import click

from millhand.cli.exits import ExitCode
from millhand.cli.output import console, json_option, show_json
from millhand.messages import tr


@click.command(
    help=tr(
        "Look a cell and its computer over: installation, scenario, rights, room, journal.\n"
        "\n"
        "Nothing is changed and no device is contacted. The exit code is 1 where something is "
        "wrong. The bundle is for whoever helps you: secrets, people, computers and part numbers "
        "are taken out of it.\n"
        "\n"
        "\b\n"
        "  millhand doctor my-cell/\n"
        "  millhand doctor my-cell/ --bundle help.zip\n"
        "  millhand doctor /srv/my-cell --state /var/lib/millhand/my-cell"
    )
)
@click.argument("scenario", type=click.Path(exists=True, path_type=Path), default=".")
@click.option(
    "--state",
    type=click.Path(file_okay=False, path_type=Path),
    help=tr("Folder of journal and pictures, where it is not the scenario's own."),
)
@click.option(
    "--bundle",
    type=click.Path(dir_okay=False, path_type=Path),
    help=tr("Write what is known to this file, to be sent to whoever helps."),
)
@json_option
def doctor(*, scenario: Path, state: Path | None, bundle: Path | None, as_json: bool) -> ExitCode:
    """Look a cell over."""
    from millhand.journal.places import journal_folder
    from millhand.plugins import Plugins
    from millhand.scenario.load import load
    from millhand.upkeep.bundle import write_bundle
    from millhand.upkeep.doctor import Level, Patient, diagnosis, examine

    loaded = load(scenario)
    patient = Patient(loaded, Plugins.discover(), state or journal_folder(loaded))
    found = examine(patient)
    if bundle is not None:
        write_bundle(bundle, patient, found)
    wrong = any(one.level is Level.WRONG for one in found)
    code = ExitCode.PROBLEMS if wrong else ExitCode.FINE
    if as_json:
        show_json(found)
        return code
    out = console()
    styles = {Level.FINE: "good", Level.NOTE: "unsure", Level.WRONG: "bad"}
    for one in found:
        out.print(f"{one.about:<9}", style=styles[one.level], end=" ", markup=False)
        out.print(one.text, markup=False)
        if one.mend:
            out.print(f"          {one.mend}", style="quiet", markup=False)
    out.print(diagnosis(found), style="bad" if wrong else "good")
    if bundle is not None:
        out.print(tr("Bundle: {file}. Look through it before you send it.", file=bundle),
                  markup=False)  # fmt: skip
    return code
