"""``millhand random-shops``: a folder of random shops to distil a student from."""

from __future__ import annotations

from pathlib import Path

import click
import numpy as np

from millhand.cli.exits import ExitCode
from millhand.errors import ConfigError
from millhand.messages import tr, trn
from millhand_logistics.schedule.distil.files import arrays_of
from millhand_logistics.schedule.distil.random_shops import KINDS

_MOST = 1_000_000


@click.command(
    help=tr(
        "Write random shops into a folder, to distil a dispatching student from.\n"
        "\n"
        "The same kind, count and seed give the same shops.\n"
        "\n"
        "\b\n"
        "  millhand random-shops data/shops --kind everyday --count 2000\n"
        "  millhand distil dispatcher.yaml --out models/dispatcher"
    )
)
@click.argument("folder", type=click.Path(file_okay=False, path_type=Path))
@click.option(
    "--kind",
    type=click.Choice(list(KINDS)),
    default="everyday",
    show_default=True,
    help=tr(
        "classical: each order once on each machine; everyday: with alternatives, set-ups, "
        "shifts and due dates."
    ),
)
@click.option(
    "--count",
    type=click.IntRange(1, _MOST),
    default=2000,
    show_default=True,
    help=tr("How many shops."),
)
@click.option(
    "--seed",
    type=click.IntRange(0),
    default=0,
    show_default=True,
    help=tr("Another seed, other shops."),
)
def random_shops(folder: Path, kind: str, count: int, seed: int) -> ExitCode:
    """Write shops; an empty folder is needed."""
    folder.mkdir(parents=True, exist_ok=True)
    if any(folder.iterdir()):
        raise ConfigError(
            tr("{folder} is not empty.", folder=folder), mend=tr("Name a new folder.")
        )
    for number in range(count):
        problem = KINDS[kind](seed * _MOST + number)
        np.savez_compressed(
            folder / f"{kind}-{seed}-{number:06}.npz", allow_pickle=False, **arrays_of(problem)
        )
    click.echo(
        trn(
            "{count} shop lies in {folder}.", "{count} shops lie in {folder}.", count, folder=folder
        )
    )
    return ExitCode.FINE
