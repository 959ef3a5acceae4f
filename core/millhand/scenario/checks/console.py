"""Whether the console can be served as the scenario says."""

from __future__ import annotations

from collections.abc import Iterator
from importlib.util import find_spec

from millhand.errors import ConfigError, Problem
from millhand.messages import tr
from millhand.scenario.checks.names import Names

EXTRA = ("prometheus_client", "starlette", "uvicorn")
"""What the extra ``console`` brings."""


def check_console(names: Names) -> Iterator[Problem]:
    """Find a library that is not installed, a token that cannot be read, a file that is missing."""
    console = names.scenario.file.console
    if console is None:
        return
    missing = [name for name in EXTRA if find_spec(name) is None]
    if missing:
        yield names.problem(
            ("console",),
            tr("The console needs {names}, not installed.", names=", ".join(missing)),
            tr("an environment with millhand[console]"),
            tr('Install it: pip install "millhand[console]"'),
        )
    if console.token is not None:
        try:
            names.scenario.secret(console.token)
        except ConfigError as error:
            yield names.problem(
                ("console", "token"), error.message, tr("a secret that can be read"), error.mend
            )
    if console.tls is not None:
        for key, path in (
            ("certificate", console.tls.certificate),
            ("private_key", console.tls.private_key),
        ):
            if not (names.scenario.folder / path).is_file():
                yield names.problem(
                    ("console", "tls", key),
                    tr("There is no file {path}.", path=path),
                    tr("a PEM file below the scenario's folder"),
                )
