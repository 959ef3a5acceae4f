"""``millhand papers make``: a week of made-up papers to try the clerk on."""

from __future__ import annotations

import json
import os
from pathlib import Path

import click

from millhand.cli.exits import ExitCode
from millhand.messages import tr


@click.command(
    help=tr(
        "Write one week's made-up papers into a folder: orders, receipts of goods and bills in "
        "English, Vietnamese and Chinese, some with something wrong.\n"
        "\n"
        "What should become of each is written to truth.json beside the folder.\n"
        "\n"
        "\b\n"
        "  millhand papers make scenarios/office/in\n"
        "  millhand papers make in --deals 60 --seed 7"
    )
)
@click.argument("folder", type=click.Path(file_okay=False, path_type=Path))
@click.option("--deals", type=click.IntRange(1, 1000), default=12, show_default=True,
              help=tr("How many orders."))  # fmt: skip
@click.option("--seed", type=int, default=1, show_default=True, help=tr("Of everything."))
@click.option("--exceptions", type=click.FloatRange(0, 1), default=0.5, show_default=True,
              help=tr("Share of deals with something wrong."))  # fmt: skip
@click.option("--scans", type=click.FloatRange(0, 1), default=0.0, show_default=True,
              help=tr("Share of bills that come as scans instead of e-invoices."))  # fmt: skip
def papers_make(
    *, folder: Path, deals: int, seed: int, exceptions: float, scans: float
) -> ExitCode:
    """Write the papers."""
    from millhand_admin.made.week import made_week

    folder.mkdir(parents=True, exist_ok=True)
    files = made_week(seed, deals, exceptions, scans)
    for number, file in enumerate(files):
        path = folder / file.name
        path.write_bytes(file.content)
        os.utime(path, (1_700_000_000 + number,) * 2)  # they come in in this order
    truth = {file.name: {"becomes": file.becomes, "exception": file.exception} for file in files}
    beside = folder.parent / "truth.json"
    beside.write_text(json.dumps(truth, indent=1), encoding="utf-8")
    click.echo(tr("{count} papers lie in {folder}; {truth} says what should become of each.",
                  count=len(files), folder=folder, truth=beside))  # fmt: skip
    return ExitCode.FINE
