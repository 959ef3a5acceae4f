"""``millhand inspect reference``: from one template to a package."""

from __future__ import annotations

import shlex
import sys
from pathlib import Path

import click

from millhand.cli.output import console
from millhand.messages import tr
from millhand_quality.inspect.commands.fit import Percent
from millhand_quality.inspect.layout import read_layout
from millhand_quality.inspect.package import Lineage
from millhand_quality.inspect.pictures import (
    Picture,
    UnreadablePicture,
    open_all,
    open_picture,
    require_shape,
)
from millhand_quality.inspect.reference.package import ReferenceRequest, write_reference
from millhand_quality.inspect.reference.rules import ReferenceRules

_RULES = ReferenceRules.model_fields


@click.command(
    help=tr(
        "Make a model package from one picture of a part that is as it should be.\n"
        "\n"
        "Each part is moved onto TEMPLATE tile by tile; what then lies outside of what the "
        "template shows nearby is a spot. For boards, labels, dials: where the layout says all.\n"
        "\n"
        "\b\n"
        "  millhand inspect reference golden.png --out models/board --product board\n"
        "  millhand inspect reference golden.png --out models/board --good good/ --contrast 60"
    )
)
@click.argument("template", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option(
    "--out", required=True, type=click.Path(path_type=Path), help=tr("Folder of the new package.")
)
@click.option(
    "--good",
    type=click.Path(exists=True, file_okay=False, path_type=Path),
    help=tr("Folder of good parts that set the threshold."),
)
@click.option(
    "--false-reject",
    type=Percent(),
    default="1%",
    show_default=True,
    help=tr("Good parts rejected, at most; needs good parts."),
)
@click.option(
    "--reach",
    default=_RULES["reach"].default,
    show_default=True,
    type=click.IntRange(0, 16),
    help=tr("Pixels that a place may have moved."),
)
@click.option(
    "--tolerance",
    default=_RULES["tolerance"].default,
    show_default=True,
    type=click.IntRange(0, 8),
    help=tr("Pixels that an edge may be off."),
)
@click.option(
    "--contrast",
    default=_RULES["contrast"].default,
    show_default=True,
    type=click.FloatRange(1, 254),
    help=tr("Grey values that make a pixel differ."),
)
@click.option(
    "--least",
    default=_RULES["least"].default,
    show_default=True,
    type=click.IntRange(1),
    help=tr("Differing pixels that make a spot."),
)
@click.option("--name", help=tr("Name of the package; that of TEMPLATE where not given."))
@click.option("--product", help=tr("Product as the PLC names it."))
@click.option(
    "--licence",
    default="LicenseRef-proprietary",
    show_default=True,
    help=tr("Of the package (SPDX)."),
)
@click.option("--replace", is_flag=True, help=tr("Replace a package that is there."))
def reference(  # one argument for each option
    template: Path,
    out: Path,
    good: Path | None,
    false_reject: float,
    reach: int,
    tolerance: int,
    contrast: float,
    least: int,
    name: str | None,
    product: str | None,
    licence: str,
    replace: bool,
) -> None:
    """Write the package and say what it promises."""
    screen, skipped = console(), list[UnreadablePicture]()
    opened, parts = open_picture(template), list[Picture]()
    if good is not None:
        parts = list(open_all(read_layout(good).good, skipped))
        require_shape(parts, opened.shape)
    for error in skipped:
        screen.print(tr("Left out: {why}", why=error.message), style="unsure", markup=False)
    request = ReferenceRequest(
        template=opened,
        good=parts,
        rules=ReferenceRules(reach=reach, tolerance=tolerance, contrast=contrast, least=least),
        name=name or template.stem.lower(),
        product=product,
        false_reject_rate=false_reject,
        lineage=Lineage(template.name, licence),
        licence=licence,
        command=shlex.join(["millhand", *sys.argv[1:]]),
        replace=replace,
    )
    package = write_reference(request, out)
    for note in package.manifest.notes:
        screen.print(note, markup=False)
    times = package.manifest.latency[0]
    screen.print(
        tr(
            "One picture takes {p50:.1f} ms on {runtime}, one thread, here.",
            p50=times.p50_ms,
            runtime=times.runtime,
        )
    )
    screen.print(tr("Package {id} lies in {folder}.", id=package.id, folder=out))
