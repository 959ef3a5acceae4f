"""Write the reference of the command line from its own help: ``python docs/cli_reference.py``.

With ``--check`` only tells whether ``docs/reference/cli.md`` is up to date.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from pathlib import Path

os.environ["LANGUAGE"] = "en"

import click

from millhand.cli.exits import ExitCode
from millhand.cli.program import program

TARGET = Path(__file__).resolve().parent / "reference" / "cli.md"
WIDTH = 96

HEAD = """\
# The command line

Generated from the commands' own help by `python dev.py docs`; do not edit.

Every command takes `--help`. Colours and live views appear on a terminal only and obey `NO_COLOR`;
what machines read is printed with `--json`. The language follows `LANGUAGE` and `LANG`.
"""


def text() -> str:
    """Return the whole page."""
    codes = "\n".join(f"| {code.value} | {code.meaning} |" for code in ExitCode)
    sections = [HEAD, f"## Exit codes\n\n| code | meaning |\n|---|---|\n{codes}\n"]
    root = program.make_context("millhand", [], resilient_parsing=True, terminal_width=WIDTH)
    for context in contexts(root):
        level = "##" if context.parent is None or context.parent.parent is None else "###"
        title = context.command_path
        sections.append(f"{level} `{title}`\n\n```text\n{context.get_help().rstrip()}\n```\n")
    return "\n".join(sections)


def contexts(context: click.Context) -> Iterator[click.Context]:
    """Yield the context of a command and of all below it."""
    yield context
    command = context.command
    if not isinstance(command, click.Group):
        return
    for name in command.list_commands(context):
        child = command.get_command(context, name)
        assert child is not None
        made = child.make_context(
            name, [], parent=context, resilient_parsing=True, terminal_width=WIDTH
        )
        yield from contexts(made)


def main(arguments: list[str]) -> int:
    """Write the page, or with ``--check`` say whether it is up to date."""
    wanted = text()
    if "--check" not in arguments:
        TARGET.write_text(wanted, encoding="utf-8")
        return 0
    if TARGET.exists() and TARGET.read_text(encoding="utf-8") == wanted:
        return 0
    print("docs/reference/cli.md is out of date; run: python dev.py docs")
    return 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
