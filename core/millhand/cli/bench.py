"""``millhand bench``: a model package on every accelerator that is present."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click
from rich.text import Text

from millhand.cli.exits import ExitCode
from millhand.cli.output import console, json_option, show_json, table
from millhand.messages import tr

if TYPE_CHECKING:
    from millhand.models.bench import BenchRow


@click.command(
    help=tr(
        "Measure a model package on every accelerator that is present: time, throughput, memory, "
        "and whether it answers as it should.\n"
        "\n"
        "Each line is measured in a process of its own. Let the machine rest meanwhile.\n"
        "\n"
        "\b\n"
        "  millhand bench models/impeller\n"
        "  millhand bench models/impeller --threads 1 --seconds 5 --json"
    )
)
@click.argument("package", type=click.Path(path_type=Path))
@click.option(
    "--threads",
    multiple=True,
    type=click.IntRange(1, 256),
    help=tr("Threads within one run; one, and all processors, where left out."),
)
@click.option(
    "--precision",
    "precisions",
    multiple=True,
    metavar="WORD",
    help=tr("Only this precision: fp32, fp16, int8."),
)
@click.option("--seconds", default=2.0, show_default=True, help=tr("How long each is timed."))
@json_option
def bench(
    *,
    package: Path,
    threads: tuple[int, ...],
    precisions: tuple[str, ...],
    seconds: float,
    as_json: bool,
) -> ExitCode:
    """Measure a package and print the table."""
    from millhand.models.bench import bench as measure
    from millhand.models.bench import candidates
    from millhand.models.package import open_package
    from millhand.plugins import Plugins

    opened = open_package(package)
    among = candidates(Plugins.discover().adapters.values())
    progress = console(stderr=True)
    rows = measure(
        opened,
        among,
        seconds,
        threads=threads,
        precisions=precisions,
        report=lambda row: progress.print(_label(row), style="quiet", markup=False),
    )
    if as_json:
        show_json({"package": opened.id, "rows": rows})
    elif rows:
        _print(rows)
    else:
        click.echo(tr("No accelerator is installed: pip install millhand-accelerators"))
    return ExitCode.FINE if any(row.measured for row in rows) else ExitCode.PROBLEMS


def _print(rows: tuple[BenchRow, ...]) -> None:
    lines = [
        (row.candidate.label, row.precision, str(row.threads), *_figures(row))
        for row in sorted(rows, key=_fastest_first)
    ]
    headings = (
        tr("accelerator"),
        tr("precision"),
        tr("threads"),
        tr("p50 ms"),
        tr("p99 ms"),
        tr("a second"),
        tr("MB"),
        tr("note"),
    )
    console().print(table(*headings, rows=lines, right=(2, 3, 4, 5, 6)))


def _figures(row: BenchRow) -> tuple[str | Text, ...]:
    found = row.measured
    if found is None:
        why = row.failed.message if row.failed else ""
        return ("", "", "", "", Text(why, style="bad"))
    times = found.times
    return (
        f"{times.p50_ms:.2f}",
        f"{times.p99_ms:.2f}",
        f"{times.per_second:.0f}",
        f"{found.memory_mb:.0f}" if found.memory_mb is not None else "",
        found.runtime,
    )


def _fastest_first(row: BenchRow) -> tuple[int, float]:
    if row.measured is None:
        return (1, 0.0)
    return (0, row.measured.times.p50_ms)


def _label(row: BenchRow) -> str:
    return f"{row.candidate.label} {row.precision} × {row.threads}"
