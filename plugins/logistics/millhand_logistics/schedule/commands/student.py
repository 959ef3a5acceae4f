"""The option ``--student``: a package whose network joins the candidates."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

import click

from millhand.messages import tr
from millhand.models.package import open_package
from millhand_logistics.schedule.package import policy_in
from millhand_logistics.schedule.policy import Policy

F = TypeVar("F", bound=Callable[..., Any])


def student_option(command: F) -> F:
    """Add ``--student PACKAGE``; the command gets the package's policy, or None."""

    def opened(_context: click.Context, _parameter: click.Parameter, value: Any) -> Policy | None:
        return None if value is None else policy_in(open_package(value))

    return click.option(
        "--student",
        type=click.Path(file_okay=False, path_type=Path),
        callback=opened,
        help=tr("A dispatcher's package, whose plans join the candidates."),
    )(command)
