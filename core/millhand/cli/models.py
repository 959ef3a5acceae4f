"""``millhand models``: model packages, what they say of themselves and whether it is true."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click
from rich.text import Text

from millhand.cli.exits import ExitCode
from millhand.cli.lazy import LazyGroup, Word
from millhand.cli.output import console, json_option, show_json, table
from millhand.errors import PackageError
from millhand.messages import tr

if TYPE_CHECKING:
    from millhand.models.package import Package

models = LazyGroup(
    name="models",
    words={
        "list": Word("millhand.cli.models:list_packages", tr("List the packages below a folder.")),
        "show": Word("millhand.cli.models:show", tr("Print a package's passport.")),
        "verify": Word(
            "millhand.cli.models:verify", tr("Check hashes, graph and golden outputs, here.")
        ),
        "diff": Word("millhand.cli.models:diff", tr("Say what two packages differ in.")),
        "shadow": Word(
            "millhand.cli.model_life:shadow", tr("Let a package decide beside the live model.")
        ),
        "canary": Word(
            "millhand.cli.model_life:canary", tr("Let the candidate decide a share of the parts.")
        ),
        "promote": Word(
            "millhand.cli.model_life:promote", tr("Make the candidate the live model.")
        ),
        "rollback": Word(
            "millhand.cli.model_life:rollback", tr("Go back to the model that was live before.")
        ),
        "retire": Word("millhand.cli.model_life:retire", tr("Take the candidate away.")),
        "stages": Word("millhand.cli.model_life:stages", tr("Show where each model stands.")),
    },
    help=tr(
        "Model packages: where they come from, how good they are, and which of them decides.\n"
        "\n"
        "\b\n"
        "  millhand models list my-cell/\n"
        "  millhand models show my-cell/models/impeller\n"
        "  millhand models verify my-cell/models/impeller\n"
        "  millhand models diff models/old models/new\n"
        "  millhand models stages my-cell/"
    ),
)


@click.command(
    "list",
    help=tr(
        "List all packages below a folder, such as a scenario's.\n"
        "\n"
        "Each is verified; one with a fault is listed with the fault's name, and the exit code is "
        "then 1."
    ),
)
@click.argument("folder", type=click.Path(exists=True, file_okay=False, path_type=Path))
@json_option
def list_packages(*, folder: Path, as_json: bool) -> ExitCode:
    """List packages."""
    rows, facts, faults = [], [], 0
    for where, found in _below(folder):
        place = str(where.relative_to(folder))
        if isinstance(found, PackageError):
            faults += 1
            rows.append((place, "", "", "", Text(f"{found.fault}: {found.message}", style="bad")))
            facts.append({"folder": place, "fault": found.fault, "message": found.message})
            continue
        manifest = found.manifest
        rows.append(
            (
                place,
                found.id,
                manifest.task,
                manifest.product or "",
                Text(manifest.teacher.id, style="quiet"),
            )
        )
        facts.append({"folder": place, "id": found.id, "product": manifest.product or ""})
    if as_json:
        show_json(facts)
    elif rows:
        headings = (tr("Folder"), tr("Package"), tr("Task"), tr("Product"), tr("Teacher"))
        console().print(table(*headings, rows=rows))
    else:
        click.echo(tr("There is no package below {folder}.", folder=folder))
    return ExitCode.PROBLEMS if faults else ExitCode.FINE


def _below(folder: Path) -> Iterator[tuple[Path, Package | PackageError]]:
    from millhand.models.package import MANIFEST, open_package

    for manifest in sorted(folder.rglob(MANIFEST)):
        try:
            yield manifest.parent, open_package(manifest.parent)
        except PackageError as error:
            yield manifest.parent, error


@click.command(
    help=tr(
        "Print a package's passport: teacher and permission, data, figures with their intervals, "
        "times, how to rebuild it. The package is verified first."
    )
)
@click.argument("package", type=click.Path(path_type=Path))
@json_option
def show(*, package: Path, as_json: bool) -> None:
    """Show a package."""
    from millhand.models.card import render_card
    from millhand.models.package import open_package

    opened = open_package(package)
    if as_json:
        show_json({"id": opened.id, "manifest": opened.manifest.model_dump(mode="json")})
        return
    card = render_card(opened.manifest)
    out = console()
    if out.is_terminal:
        from rich.markdown import Markdown

        out.print(Markdown(card))
    else:
        click.echo(card)


@click.command(
    help=tr(
        "Verify a package as the engine does before it decides anything: every file against its "
        "hash, the graph against its bounds, and on each accelerator present the golden inputs "
        "against the golden outputs.\n"
        "\n"
        "A package with a fault is refused by the fault's name, with exit code 3; one that does "
        "not reproduce its golden outputs here, with 1."
    )
)
@click.argument("package", type=click.Path(path_type=Path))
@json_option
def verify(*, package: Path, as_json: bool) -> ExitCode:
    """Verify a package."""
    from millhand.models.package import listed_files, open_package

    opened = open_package(package)
    files = sum(1 for _ in listed_files(opened.manifest))
    reproduced = _golden(opened)
    if as_json:
        show_json({"id": opened.id, "files": files, "accelerators": reproduced})
    else:
        out = console()
        out.print(tr("{id}: {count} files are what the manifest says.", id=opened.id, count=files),
                  style="good", markup=False)  # fmt: skip
        for row in reproduced:
            said = row["fault"] or tr("reproduces its golden outputs")
            style = "bad" if row["fault"] else "good"
            out.print(f"{row['accelerator']} {row['precision']}: {said}", style=style, markup=False)
        if not reproduced:
            out.print(tr("No accelerator is installed, so that its outputs were not checked."))
    return ExitCode.PROBLEMS if any(row["fault"] for row in reproduced) else ExitCode.FINE


def _golden(package: Package) -> list[dict[str, Any]]:
    """Open the package on every accelerator present, each in a process of its own."""
    from millhand.models.bench import bench, candidates
    from millhand.plugins import Plugins

    among = candidates(Plugins.discover().adapters.values())
    rows = bench(package, among, 0.01, threads=(1,))
    return [
        {
            "accelerator": row.candidate.label,
            "precision": row.precision,
            "fault": row.failed.message if row.failed else "",
        }
        for row in rows
    ]


@click.command(
    help=tr(
        "Say what two packages differ in: data, teacher, figures, times, thresholds. Exit 1 where "
        "they differ."
    )
)
@click.argument("before", type=click.Path(path_type=Path))
@click.argument("after", type=click.Path(path_type=Path))
@json_option
def diff(*, before: Path, after: Path, as_json: bool) -> ExitCode:
    """Compare two packages."""
    from millhand.models.difference import differences
    from millhand.models.package import open_package

    one, other = open_package(before), open_package(after)
    found = differences(one.manifest, other.manifest)
    if as_json:
        show_json({"before": one.id, "after": other.id, "differences": found})
    elif found:
        rows = [(row.key, _short(row.before), _short(row.after)) for row in found]
        console().print(table(tr("Key"), one.id, other.id, rows=rows))
    else:
        click.echo(tr("They are the same package, {id}.", id=one.id))
    return ExitCode.PROBLEMS if found else ExitCode.FINE


def _short(value: Any) -> str:
    text = "–" if value is None else str(value)
    return text if len(text) <= 60 else text[:57] + "…"
