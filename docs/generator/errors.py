"""The page on errors: the tree, its three verdicts, and how the command line ends."""

from __future__ import annotations

import inspect
from collections.abc import Iterator

import millhand.errors
from generator.markdown import HEAD, line, plain, table
from millhand.cli.exits import ExitCode
from millhand.errors import MillhandError, NeedsPerson, Unavailable


def page() -> str:
    """Write the page."""
    summary, tree, *words = (inspect.getdoc(millhand.errors) or "").split("\n\n")
    return "\n".join(
        [
            "# Errors\n",
            HEAD,
            f"{plain(summary)} Import them from `millhand.errors`.\n",
            f"```text\n{inspect.cleandoc(tree)}\n```\n",
            plain("\n\n".join(words)) + "\n",
            table(("error", "meaning", "exit code"), _rows(MillhandError)),
            "What an alarm means and what to do: [alarms](alarms.md).\n",
        ]
    )


def _rows(error: type[MillhandError]) -> Iterator[tuple[str, str, str]]:
    yield (
        f"`{error.__name__}`",
        line((inspect.getdoc(error) or "").partition("\n\n")[0]),
        str(_code(error).value),
    )
    for below in error.__subclasses__():
        if below.__module__ == millhand.errors.__name__:
            yield from _rows(below)


def _code(error: type[MillhandError]) -> ExitCode:
    if issubclass(error, Unavailable):
        return ExitCode.UNAVAILABLE
    return ExitCode.NEEDS_PERSON if issubclass(error, NeedsPerson) else ExitCode.BUG
