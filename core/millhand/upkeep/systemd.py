"""Putting a unit in its place and asking systemd about it."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

from msgspec import Struct

from millhand.errors import ConfigError, NotAllowed, Unavailable
from millhand.messages import tr
from millhand.upkeep.unit import MARK, Unit

UNITS = Path("etc/systemd/system")
_SECONDS = 60
_FACTS = ("LoadState", "ActiveState", "SubState", "StatusText", "NRestarts", "MainPID")


class ServiceState(Struct, frozen=True, kw_only=True):
    """How systemd sees a service."""

    unit: str
    installed: bool
    active: bool
    state: str
    """systemd's words: ``active (running)``."""
    said: str = ""
    """What the cell itself said last."""
    restarts: int = 0
    pid: int | None = None


class Systemd:
    """The service manager of this computer, or of an image that lies under ``root``."""

    def __init__(self, root: Path | None = None) -> None:
        self._root = root

    def file(self, unit: str) -> Path:
        """Where a unit's file belongs."""
        return (self._root or Path("/")) / UNITS / unit

    def install(self, unit: Unit, *, start: bool) -> Path:
        """Write a unit, enable it and, on this computer, start it.

        Raises:
            ConfigError: a unit of that name is there and is not ours.
            NotAllowed: only root may do that.
            Unavailable: systemd is not here, or says no.
        """
        file = self.file(unit.name)
        self._require_ours(file)
        text = unit.text()
        try:
            file.parent.mkdir(parents=True, exist_ok=True)
            unfinished = file.with_name(f".{file.name}.{os.getpid()}")
            unfinished.write_text(text, encoding="utf-8")
            unfinished.chmod(0o644)
            unfinished.replace(file)
        except OSError as error:
            raise _not_written(file, error) from error
        if self._root is None:
            self._call("daemon-reload")
        self._call("enable", unit.name)
        if start and self._root is None:
            self._call("restart", unit.name)
        return file

    def uninstall(self, unit: str) -> Path:
        """Stop, disable and remove a unit of ours. Journal and pictures stay where they are.

        Raises:
            ConfigError: there is no such unit, or it is not ours.
            NotAllowed, Unavailable: as :meth:`install`.
        """
        file = self.file(unit)
        if not file.exists():
            raise ConfigError(
                tr("There is no service {unit}.", unit=unit),
                mend=tr("See what there is: systemctl list-units 'millhand-*'"),
            )
        self._require_ours(file)
        if self._root is None:
            self._call("stop", unit)
        self._call("disable", unit)
        try:
            file.unlink()
        except OSError as error:
            raise _not_written(file, error) from error
        if self._root is None:
            self._call("daemon-reload")
        return file

    def state(self, unit: str) -> ServiceState:
        """Ask how a service is.

        Raises:
            Unavailable: systemd is not here.
        """
        said = self._call("show", unit, f"--property={','.join(_FACTS)}")
        facts = dict(line.split("=", 1) for line in said.splitlines() if "=" in line)
        pid = int(facts.get("MainPID") or 0)
        return ServiceState(
            unit=unit,
            installed=facts.get("LoadState") == "loaded",
            active=facts.get("ActiveState") == "active",
            state=f"{facts.get('ActiveState', '?')} ({facts.get('SubState', '?')})",
            said=facts.get("StatusText", ""),
            restarts=int(facts.get("NRestarts") or 0),
            pid=pid or None,
        )

    def _require_ours(self, file: Path) -> None:
        try:
            first = file.read_text(encoding="utf-8").partition("\n")[0]
        except FileNotFoundError:
            return
        except (OSError, UnicodeDecodeError):
            first = ""
        if not first.startswith(MARK):
            raise ConfigError(
                tr("{file} was not written by Millhand.", file=file),
                mend=tr("Look at it, and remove it yourself if it may go."),
            )

    def _call(self, *words: str) -> str:
        program = shutil.which("systemctl")
        if program is None:
            raise Unavailable(
                tr("There is no systemd on this computer."),
                mend=tr("Use a container, or see the unit with: millhand service install --print"),
            )
        root = [] if self._root is None else [f"--root={self._root}"]
        done = subprocess.run(  # noqa: S603 - a fixed program, our own words
            [program, *root, *words],
            capture_output=True,
            text=True,
            timeout=_SECONDS,
            check=False,
        )
        if done.returncode != 0:
            raise Unavailable(
                tr("systemctl {words} failed: {reason}", words=" ".join(words),
                   reason=done.stderr.strip() or done.returncode)
            )  # fmt: skip
        return done.stdout


def _not_written(file: Path, error: OSError) -> NotAllowed:
    return NotAllowed(
        tr("{file} cannot be written: {reason}.", file=file, reason=error.strerror or error),
        mend=tr("Run it with sudo, or look first: millhand service install --print"),
    )
