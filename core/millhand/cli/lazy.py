"""A group of commands that imports a command only when it is used, so that help is quick."""

from __future__ import annotations

import importlib
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NoReturn

import click

from millhand.cli.exits import ExitCode, tell_error
from millhand.messages import tr


@dataclass(frozen=True, slots=True)
class Word:
    """A command by where it lives and one line on it."""

    target: str
    """``package.module:attribute`` of a ``click.Command``."""
    summary: str

    def load(self) -> click.Command:
        """Import and return the command."""
        module, _, attribute = self.target.partition(":")
        command = getattr(importlib.import_module(module), attribute)
        assert isinstance(command, click.Command)
        return command


class LazyGroup(click.Group):
    """A group whose words are a table; ``more`` yields words that plugins contribute.

    ``more`` is asked only for help and for a word that the table does not know, because it has
    to look at what is installed.
    """

    def __init__(
        self,
        *args: Any,
        words: Mapping[str, Word],
        more: Callable[[], Mapping[str, click.Command]] = dict,
        **kwargs: Any,
    ) -> None:
        super().__init__(*args, **kwargs)
        self._words = words
        self._more = more

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Name all commands, our own in the order of their table, then the contributed ones."""
        own = [*self._words, *super().list_commands(ctx)]
        return own + sorted(set(self._more()) - set(own))

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Import the command asked for."""
        if cmd_name in self._words:
            return self._words[cmd_name].load()
        return super().get_command(ctx, cmd_name) or self._more().get(cmd_name)

    def format_commands(
        self,
        ctx: click.Context,  # noqa: ARG002 - click's signature
        formatter: click.HelpFormatter,
    ) -> None:
        """List the words with their summaries, importing none of them."""
        rows = [(name, word.summary) for name, word in self._words.items()]
        known = {name for name, _ in rows}
        contributed = [
            (name, command.get_short_help_str(limit=200))
            for name, command in sorted(self._more().items())
            if name not in known
        ]
        with formatter.section(tr("Commands")):
            formatter.write_dl(rows)
        if contributed:
            with formatter.section(tr("Commands of plugins")):
                formatter.write_dl(contributed)


class Program(LazyGroup):
    """The outermost group: every way to end becomes one of the documented exit codes."""

    def invoke(self, ctx: click.Context) -> Any:
        """Set up logging for the command that is about to run; help needs none."""
        from millhand.cli.logs import configure_logs

        configure_logs(verbose=bool(ctx.params.pop("verbose", False)))
        return super().invoke(ctx)

    def main(
        self,
        args: Sequence[str] | None = None,
        prog_name: str | None = None,
        complete_var: str | None = None,
        standalone_mode: bool = True,  # noqa: ARG002 - it always ends the process itself
        windows_expand_args: bool = True,
        **extra: Any,
    ) -> NoReturn:
        """Run and exit with an :class:`~millhand.cli.exits.ExitCode`; no traceback is shown."""
        try:
            result = super().main(
                args,
                prog_name,
                complete_var,
                standalone_mode=False,
                windows_expand_args=windows_expand_args,
                **extra,
            )
        except Exception as error:  # noqa: BLE001 - the outermost edge: all becomes a message
            sys.exit(int(tell_error(error)))
        sys.exit(int(result) if isinstance(result, int) else ExitCode.FINE)
