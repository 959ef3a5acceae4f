"""``millhand new``: a plugin, an adapter or a scenario to start from, which works as it is."""

from __future__ import annotations

import re
from collections.abc import Iterator
from importlib.resources import files
from importlib.resources.abc import Traversable
from pathlib import Path

import click

from millhand.errors import ConfigError, Unavailable
from millhand.messages import tr

_NAME = re.compile(r"^[a-z][a-z0-9]*(-[a-z0-9]+)*$")
_SUFFIX = ".jinja"


@click.group(
    help=tr(
        "Write a skeleton that works as it is, to be changed into yours.\n"
        "\n"
        "A plugin and an adapter are whole distributions that pass their conformance kit at once; "
        "a scenario passes `millhand check`."
    )
)
def new() -> None:
    """Group the kinds of skeletons."""


def _folder_option(command: click.decorators.FC) -> click.decorators.FC:
    return click.option(
        "--folder",
        type=click.Path(path_type=Path),
        help=tr("Where to write it; a new folder here where left out."),
    )(command)


@new.command(
    short_help=tr("Write a plugin with an agent."),
    help=tr(
        "Write a plugin with an agent.\n"
        "\n"
        "\b\n"
        "  millhand new plugin acme-weigher\n"
        "  cd millhand-acme-weigher\n"
        "  pip install -e '.[test]' && pytest"
    ),
)
@click.argument("name")
@_folder_option
def plugin(*, name: str, folder: Path | None) -> None:
    """Write a plugin."""
    _write("plugin", name, folder or Path(f"millhand-{name}"))


@new.command(
    short_help=tr("Write an adapter with the face Tags, and a device to test it on."),
    help=tr(
        "Write an adapter with the face Tags, and a device to test it on.\n"
        "\n"
        "\b\n"
        "  millhand new adapter acme-scale\n"
        "  cd millhand-acme-scale\n"
        "  pip install -e '.[test]' && pytest"
    ),
)
@click.argument("name")
@_folder_option
def adapter(*, name: str, folder: Path | None) -> None:
    """Write an adapter."""
    _write("adapter", name, folder or Path(f"millhand-{name}"))


@new.command(
    short_help=tr("Write a scenario with a simulated PLC and camera."),
    help=tr(
        "Write a scenario with a simulated PLC and camera.\n"
        "\n"
        "\b\n"
        "  millhand new scenario my-cell\n"
        "  millhand check my-cell"
    ),
)
@click.argument("name")
@_folder_option
def scenario(*, name: str, folder: Path | None) -> None:
    """Write a scenario."""
    _write("scenario", name, folder or Path(name))


def _write(kind: str, name: str, folder: Path) -> None:
    """Fill in the skeleton of a kind and write it into a folder that is new or empty."""
    if not _NAME.match(name):
        raise ConfigError(
            tr("{name} cannot be a name.", name=repr(name)),
            mend=tr("Take small letters, digits and single hyphens: acme-scale."),
        )
    try:
        if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
            raise ConfigError(
                tr("{folder} is there and not empty.", folder=folder),
                mend=tr("Take another name, or say --folder."),
            )
        for path, text in _filled(kind, name):
            file = folder / path
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_text(text, encoding="utf-8")
            click.echo(str(file))
    except OSError as error:
        raise Unavailable(
            tr("{folder} cannot be written: {reason}.", folder=folder, reason=error.strerror)
        ) from error
    click.echo(tr("What to do next stands in {file}.", file=folder / "README.md"))


def _filled(kind: str, name: str) -> Iterator[tuple[Path, str]]:
    """Yield the files of a skeleton: where each goes, and what is in it."""
    from jinja2 import Environment, StrictUndefined

    environment = Environment(  # noqa: S701  text for a person's own source files
        undefined=StrictUndefined, keep_trailing_newline=True
    )
    words = {"name": name, "module": name.replace("-", "_")}
    root = files("millhand.cli") / "skeletons" / kind
    for path, template in _templates(root, Path()):
        target = str(path).removesuffix(_SUFFIX).replace("MODULE", words["module"])
        yield Path(target), environment.from_string(template.read_text("utf-8")).render(words)


def _templates(folder: Traversable, path: Path) -> Iterator[tuple[Path, Traversable]]:
    for entry in sorted(folder.iterdir(), key=lambda entry: entry.name):
        if entry.is_dir():
            yield from _templates(entry, path / entry.name)
        elif entry.name.endswith(_SUFFIX):
            yield path / entry.name, entry
