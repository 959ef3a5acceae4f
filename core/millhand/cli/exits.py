"""How the command line ends: its exit codes, and what a person is told of an error.

0    fine
1    the command worked and found problems (check, journal verify)
2    wrong usage of the command line
3    a person must act first: configuration, permission, package
4    something outside is away for now
5    a bug; the traceback lies in a file, the screen says where
130  stopped by Ctrl-C
"""

from __future__ import annotations

import datetime as dt
import os
import tempfile
import traceback
from collections.abc import Iterator
from enum import IntEnum
from pathlib import Path

import click

from millhand.errors import InternalError, MillhandError, NeedsPerson, Unavailable
from millhand.messages import tr


class ExitCode(IntEnum):
    """The exit codes of every command; they are part of the interface."""

    FINE = 0
    PROBLEMS = 1
    USAGE = 2
    NEEDS_PERSON = 3
    UNAVAILABLE = 4
    BUG = 5
    INTERRUPTED = 130

    @property
    def meaning(self) -> str:
        """What the code says, in the reader's language."""
        return {
            ExitCode.FINE: tr("fine"),
            ExitCode.PROBLEMS: tr("the command worked and found problems"),
            ExitCode.USAGE: tr("wrong usage of the command line"),
            ExitCode.NEEDS_PERSON: tr(
                "a person must act first: configuration, permission, package"
            ),
            ExitCode.UNAVAILABLE: tr("something outside is away for now; try again"),
            ExitCode.BUG: tr("a bug; the message says where its traceback lies"),
            ExitCode.INTERRUPTED: tr("stopped by Ctrl-C"),
        }[self]


def tell_error(error: BaseException) -> ExitCode:
    """Tell the person on standard error what went wrong and return the exit code for it.

    An exception group is told error by error, and ends with its gravest code.
    """
    return max(_tell_one(leaf) for leaf in _leaves(error))


def _leaves(error: BaseException) -> Iterator[BaseException]:
    if isinstance(error, BaseExceptionGroup):
        for inner in error.exceptions:
            yield from _leaves(inner)
    else:
        yield error


def _tell_one(error: BaseException) -> ExitCode:
    if isinstance(error, click.UsageError):
        error.show()
        return ExitCode.USAGE
    if isinstance(error, click.ClickException):
        error.show()
        return ExitCode.NEEDS_PERSON
    if isinstance(error, click.Abort | KeyboardInterrupt):
        click.echo(tr("Stopped."), err=True)
        return ExitCode.INTERRUPTED
    if isinstance(error, MillhandError) and not isinstance(error, InternalError):
        head = click.style(tr("Error:"), fg="red", bold=True)
        click.echo(f"{head} {error.message}", err=True)
        if error.mend:
            click.echo(error.mend, err=True)
        return _verdict(error)
    return _tell_bug(error)


def _verdict(error: MillhandError) -> ExitCode:
    if isinstance(error, Unavailable):
        return ExitCode.UNAVAILABLE
    if isinstance(error, NeedsPerson):
        return ExitCode.NEEDS_PERSON
    return ExitCode.BUG


def _tell_bug(error: BaseException) -> ExitCode:
    file = _write_traceback(error)
    click.echo(
        tr(
            "This is a bug in Millhand or a plugin: {kind}: {message}\n"
            "The traceback lies in {file}. Please report it with what you did.",
            kind=type(error).__name__,
            message=str(error) or "-",
            file=file,
        ),
        err=True,
    )
    return ExitCode.BUG


def _write_traceback(error: BaseException) -> Path:
    import platformdirs

    now = dt.datetime.now(dt.UTC).strftime("%Y%m%dT%H%M%SZ")
    name = f"crash-{now}-{os.getpid()}.txt"
    text = "".join(traceback.format_exception(error))
    try:
        file = platformdirs.user_log_path("millhand", appauthor=False, ensure_exists=True) / name
        file.write_text(text, encoding="utf-8")
    except OSError:
        # A home that cannot be written to is no reason to lose the traceback.
        file = Path(tempfile.gettempdir()) / f"millhand-{name}"
        file.write_text(text, encoding="utf-8")
    return file
