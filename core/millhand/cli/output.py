"""Where commands print: tables and colours for people, JSON for machines.

Colours and progress appear only on a terminal; ``NO_COLOR`` and ``TERM=dumb`` are respected.
A pipe gets plain lines that are never cut to a width.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterable, Sequence
from typing import Any, TypeVar

import click
from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.table import Table
from rich.text import Text
from rich.theme import Theme

from millhand.contracts.codec import to_json
from millhand.messages import tr

F = TypeVar("F", bound=Callable[..., Any])

THEME = Theme(
    {
        "good": "green",
        "bad": "bold red",
        "unsure": "yellow",
        "quiet": "dim",
        "strong": "bold",
    }
)
_PIPE_WIDTH = 10_000
"""Wide enough that no line of a table is ever folded in a pipe."""


def console(*, stderr: bool = False) -> Console:
    """Return a console on the present standard output (or error)."""
    stream = sys.stderr if stderr else sys.stdout
    width = None if stream.isatty() else _PIPE_WIDTH
    return Console(
        file=stream, theme=THEME, highlight=False, width=width, soft_wrap=width is not None
    )


def table(*columns: str, rows: Iterable[Sequence[str | Text]], right: Sequence[int] = ()) -> Table:
    """Build a plain table. Cells are shown as they are: no markup in them is obeyed.

    Args:
        columns: the headings, translated.
        rows: one sequence of cells for each row.
        right: indices of the columns that hold numbers.
    """
    built = Table(box=SIMPLE_HEAD, pad_edge=False, show_edge=False, header_style="bold")
    for index, heading in enumerate(columns):
        built.add_column(heading, justify="right" if index in right else "left", overflow="fold")
    for row in rows:
        built.add_row(*(cell if isinstance(cell, Text) else Text(cell) for cell in row))
    return built


def show_json(record: object) -> None:
    """Print a record, or plain data, as one line of JSON."""
    click.echo(to_json(record).decode())


def json_option(command: F) -> F:
    """Add ``--json`` to a command whose output machines read."""
    return click.option(
        "--json", "as_json", is_flag=True, help=tr("Print JSON, for machines to read.")
    )(command)
