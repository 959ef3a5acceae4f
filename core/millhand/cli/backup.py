"""``millhand backup`` and ``millhand restore``: a whole cell in one file, and out of it."""

from __future__ import annotations

import datetime as dt
from pathlib import Path
from typing import TYPE_CHECKING

import click

from millhand.cli.output import console, json_option, show_json
from millhand.messages import tr

if TYPE_CHECKING:
    from collections.abc import Sequence

    from millhand.upkeep.archive import LeftOut
    from millhand.upkeep.restore import Restored

_state_option = click.option(
    "--state",
    type=click.Path(file_okay=False, path_type=Path),
    help=tr("Folder of journal and pictures, where it is not the scenario's own."),
)


@click.command(
    help=tr(
        "Write a cell to one file: scenario, models, journal, pictures, waiting answers.\n"
        "\n"
        "It may be done while the cell runs. Secrets and private keys are left out and named, so "
        "that the file can be kept anywhere.\n"
        "\n"
        "\b\n"
        "  millhand backup my-cell/ -o /media/usb/my-cell.millhand\n"
        "  sudo millhand backup /srv/my-cell --state /var/lib/millhand/my-cell\n"
        "  millhand restore my-cell.millhand --check"
    )
)
@click.argument("scenario", type=click.Path(exists=True, path_type=Path), default=".")
@click.option(
    "--output",
    "-o",
    type=click.Path(dir_okay=False, path_type=Path),
    help=tr("The file; NAME-TIME.millhand where left out."),
)
@_state_option
@click.option("--pictures/--no-pictures", default=True, help=tr("Whether pictures come along."))
@json_option
def backup(
    *, scenario: Path, output: Path | None, state: Path | None, pictures: bool, as_json: bool
) -> None:
    """Back a cell up."""
    from millhand.scenario.load import load
    from millhand.upkeep.backup import back_up

    loaded = load(scenario)
    now = dt.datetime.now().astimezone()
    target = output or Path(f"{loaded.name}-{now:%Y%m%d-%H%M%S}.millhand")
    made = back_up(loaded, target, state=state, pictures=pictures)
    if as_json:
        show_json(made)
        return
    out = console()
    size = target.stat().st_size / 1e6
    out.print(
        tr("{file}: {count} files, {size:.1f} MB", file=target, count=len(made.files), size=size),
        style="good",
        markup=False,
    )
    if made.head is not None:
        out.print(
            tr("Journal up to entry {seq}, {hash}", seq=made.head.seq, hash=made.head.hash),
            style="quiet",
        )
    _tell_left_out(made.left_out)


@click.command(
    help=tr(
        "Bring a cell back from a backup, into a new or empty folder.\n"
        "\n"
        "Every file is held against its hash and the journal's chain is walked before anything is "
        "put in its place; nothing is ever overwritten.\n"
        "\n"
        "\b\n"
        "  millhand restore my-cell.millhand my-cell/\n"
        "  millhand restore my-cell.millhand /srv/my-cell --state /var/lib/millhand/my-cell\n"
        "  millhand restore my-cell.millhand --check"
    )
)
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.argument("folder", type=click.Path(path_type=Path), required=False)
@_state_option
@click.option("--check", is_flag=True, help=tr("Only check the backup; write nothing."))
@json_option
def restore(
    *, file: Path, folder: Path | None, state: Path | None, check: bool, as_json: bool
) -> None:
    """Bring a cell back."""
    from millhand.upkeep import restore as restoring

    if check == (folder is not None):
        raise click.UsageError(tr("Name the folder to restore into, or --check."))
    if folder is None:
        _tell(restoring.examine(file), tr("The backup is whole."), as_json=as_json)
        return
    done = restoring.restore(file, folder, state=state)
    _tell(done, tr("Restored to {folder}.", folder=folder), as_json=as_json)


def _tell(restored: Restored, said: str, *, as_json: bool) -> None:
    if as_json:
        show_json(restored)
        return
    out = console()
    out.print(said, style="good", markup=False)
    made = dt.datetime.fromtimestamp(restored.made_utc_ns / 1e9).astimezone()
    out.print(
        tr(
            "{cell}, made {when} with Millhand {version}: {files} files, {entries} journal "
            "entries, their chain is whole",
            cell=restored.cell,
            when=f"{made:%Y-%m-%d %H:%M}",
            version=restored.millhand,
            files=restored.files,
            entries=restored.entries,
        ),
        markup=False,
    )
    _tell_left_out(restored.to_put_back)


def _tell_left_out(left_out: Sequence[LeftOut]) -> None:
    words = {
        "secret": tr("a secret"),
        "key": tr("a private key"),
        "link": tr("a link"),
        "passing": tr("made again by itself"),
        "elsewhere": tr("in a database, which has a backup of its own"),
    }
    if left_out:
        out = console()
        out.print(tr("Not in the backup:"), style="unsure")
        for one in left_out:
            out.print(f"  {one.name}  ({words[one.why]})", markup=False)
