"""Commands that plugins contribute through the hook ``millhand_commands``."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from functools import lru_cache
from typing import Any

import click

from millhand.plugins.registrations import CommandType


class LateCommand(click.Command):
    """A command that is imported when it is called; until then it knows its summary alone."""

    def __init__(self, registration: CommandType) -> None:
        super().__init__(registration.name, short_help=registration.summary)
        self._load: Callable[[], click.Command] = registration.load

    def make_context(
        self,
        info_name: str | None,
        args: list[str],
        parent: click.Context | None = None,
        **extra: Any,
    ) -> click.Context:
        """Import the real command and hand over to it."""
        return self._load().make_context(info_name, args, parent, **extra)


@lru_cache(maxsize=1)
def contributed_commands() -> dict[str, click.Command]:
    """Find the commands of all installed plugins by their word; grouped ones below their group."""
    from millhand.plugins import Plugins

    return arrange(Plugins.discover().commands.values())


def arrange(registrations: Iterable[CommandType]) -> dict[str, click.Command]:
    """Put commands under their words and groups. What is in no group is a word of its own."""
    commands: dict[str, click.Command] = {}
    groups: dict[str, dict[str, CommandType]] = {}
    for registration in registrations:
        if registration.group:
            groups.setdefault(registration.group, {})[registration.name] = registration
        else:
            commands[registration.name] = LateCommand(registration)
    for name, members in groups.items():
        late = {member: LateCommand(found) for member, found in members.items()}
        summary = "; ".join(
            f"{member}: {found.summary.rstrip('.')}" for member, found in members.items()
        )
        commands.setdefault(
            name, click.Group(name, commands=dict(late), short_help=summary, help=summary)
        )
    return commands
