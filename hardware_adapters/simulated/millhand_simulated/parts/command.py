"""``millhand simulated pictures``: rendered parts as a folder of pictures."""

from __future__ import annotations

from pathlib import Path
from typing import cast

import click

from millhand.messages import tr
from millhand_simulated.parts.dataset import write_dataset
from millhand_simulated.parts.kinds import PRODUCTS, Product

_FAMILY_SEEDS = 1_000
"""Seed of the first family of light and finish of a data set with ``--seed 0``."""
_SEED_STEP = 100_000
"""So far lie the seeds of two data sets apart, so that they share no part and no family."""


@click.command(
    help=tr(
        "Render parts and write them as a folder in the MVTec layout: good ones in train/good, "
        "good and defective ones in test/, masks in ground_truth/, seeds and hashes in "
        "manifest.json. The same options write the same pictures, which are free for any use "
        "(CC0).\n"
        "\n"
        "\b\n"
        "  millhand simulated pictures impeller --out pictures/\n"
        "  millhand simulated pictures housing --out more/ --good 200 --seed 2"
    )
)
@click.argument("product", type=click.Choice(PRODUCTS))
@click.option(
    "--out", required=True, type=click.Path(path_type=Path), help=tr("A new or empty folder.")
)
@click.option(
    "--good",
    type=click.IntRange(1, 50_000),
    default=60,
    show_default=True,
    help=tr("Good parts to learn from."),
)
@click.option(
    "--test-good",
    type=click.IntRange(0, 10_000),
    default=10,
    show_default=True,
    help=tr("Good parts to test on."),
)
@click.option(
    "--defective",
    type=click.IntRange(0, 5_000),
    default=2,
    show_default=True,
    help=tr("Parts to test on with each kind of defect."),
)
@click.option(
    "--seed",
    type=click.IntRange(0, 100_000),
    default=0,
    show_default=True,
    help=tr("Other parts under other light."),
)
@click.option(
    "--size",
    type=click.IntRange(64, 2048),
    default=256,
    show_default=True,
    help=tr("Width and height in pixels."),
)
def pictures(
    product: str, out: Path, good: int, test_good: int, defective: int, seed: int, size: int
) -> None:
    """Render and write the pictures; no test picture is under a light that was learnt from."""
    first = seed * _SEED_STEP
    families = _FAMILY_SEEDS + first
    manifest = write_dataset(
        out,
        cast("Product", product),
        good=good,
        test_good=test_good,
        defective_per_kind=defective,
        first_seed=first,
        family_seeds=range(families, families + good),
        test_family_seeds=range(families + good, families + _SEED_STEP),
        size=size,
    )
    click.echo(tr("Written: {folder}", folder=manifest.parent))
