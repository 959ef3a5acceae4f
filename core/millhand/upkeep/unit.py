"""The systemd unit of a cell: notified, watched, restarted, without a right that it does not need.

Directives are those of systemd.service(5), systemd.exec(5) and systemd.kill(5), as of version 247
(Debian 11) and newer.
"""

from __future__ import annotations

import sys
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from millhand.errors import ConfigError
from millhand.messages import tr

MARK = "# Written by `millhand service install`"
"""First words of a unit that is ours, so that no other is ever overwritten or removed."""
WATCHDOG_S = 10
STATE = PurePosixPath("/var/lib/millhand")
_HOMES = ("/home", "/root", "/run/user")
_PRIVATE = ("/tmp", "/var/tmp")  # noqa: S108 - places that the service would not see

_TEMPLATE = """\
{mark}; edit with: systemctl edit {unit}
[Unit]
Description=Millhand cell {cell}
Wants=network-online.target
After=network-online.target
StartLimitIntervalSec=600
StartLimitBurst=20

[Service]
Type=notify
NotifyAccess=main
ExecStart={command}
User={user}
WorkingDirectory={state}
StateDirectory=millhand/{cell}
StateDirectoryMode=0700
Environment=HOME={state} PYTHONUNBUFFERED=1
UMask=0077

# The loop says every few seconds that it turns; a cell that hangs is killed and started again.
WatchdogSec={watchdog_s}
Restart=on-failure
RestartSec=2
# A wrong scenario or a refused permission needs a person; trying again helps nobody.
RestartPreventExitStatus=2 3
TimeoutStartSec=180
TimeoutStopSec=20
# Workers end with the engine, and one that ran out of memory does not take the cell along.
KillMode=mixed
OOMPolicy=continue

# No right that a cell does not need. MemoryDenyWriteExecute is left out, because run times of
# models compile machine code as they load; ProcSubset, because they read /proc/cpuinfo.
NoNewPrivileges=yes
CapabilityBoundingSet=
AmbientCapabilities=
ProtectSystem=strict
ProtectHome={protect_home}
PrivateTmp=yes
{devices}
ProtectProc=invisible
ProtectClock=yes
ProtectHostname=yes
ProtectKernelTunables=yes
ProtectKernelModules=yes
ProtectKernelLogs=yes
ProtectControlGroups=yes
RestrictAddressFamilies=AF_UNIX AF_INET AF_INET6
RestrictNamespaces=yes
RestrictRealtime=yes
RestrictSUIDSGID=yes
LockPersonality=yes
RemoveIPC=yes
SystemCallArchitectures=native
SystemCallFilter=@system-service
SystemCallFilter=~@privileged
SystemCallErrorNumber=EPERM

[Install]
WantedBy=multi-user.target
"""


@dataclass(frozen=True, slots=True)
class Unit:
    """A cell as a service.

    Args:
        cell: the scenario's name; names the service and its folder below ``/var/lib/millhand``.
        scenario: absolute path of the scenario's folder or file.
        user: who it runs as; never root.
        devices: device files that it may open: cameras, accelerators.
        database: whether the journal lies in a database, so that none is kept in the state folder.
        python: the interpreter of the environment that Millhand is installed in.
    """

    cell: str
    scenario: Path
    user: str = "millhand"
    devices: tuple[str, ...] = ()
    database: bool = False
    python: Path = Path(sys.executable)

    @property
    def name(self) -> str:
        """The unit's name."""
        return f"millhand-{self.cell}.service"

    @property
    def state(self) -> PurePosixPath:
        """Where the service keeps its journal and pictures."""
        return STATE / self.cell

    @property
    def command(self) -> tuple[str, ...]:
        """What the service runs."""
        words = (str(self.python), "-m", "millhand.cli", "run", str(self.scenario))
        return words if self.database else (*words, "--state", str(self.state))

    def text(self) -> str:
        """Return the unit file.

        Raises:
            ConfigError: it would not work or not be safe: root, a path that the service cannot see.
        """
        self._check()
        return _TEMPLATE.format(
            mark=MARK,
            unit=self.name,
            cell=self.cell,
            command=" ".join(map(_quoted, self.command)),
            user=self.user,
            state=self.state,
            watchdog_s=WATCHDOG_S,
            protect_home="read-only" if self._in_a_home else "yes",
            devices=_devices(self.devices),
        )

    @property
    def _in_a_home(self) -> bool:
        return any(_below(path, _HOMES) for path in (self.scenario, self.python, self._library))

    @property
    def _library(self) -> Path:
        return Path(__file__).resolve().parents[1]

    def _check(self) -> None:
        if self.user in ("", "root", "0"):
            raise ConfigError(
                tr("A cell never runs as root."),
                mend=tr("Make a user for it: useradd --system --home-dir / millhand"),
            )
        for path in (self.scenario, self.python, self._library):
            if _below(path, _PRIVATE):
                raise ConfigError(
                    tr("The service cannot see {path}: it has a /tmp of its own.", path=path),
                    mend=tr("Move it, for instance below /opt or /srv."),
                )
            if "\n" in str(path):
                raise ConfigError(tr("{path} has a line break in it.", path=repr(str(path))))


def _below(path: Path, folders: tuple[str, ...]) -> bool:
    return any(path.is_relative_to(folder) for folder in folders)


def _quoted(word: str) -> str:
    """Quote a word of ExecStart, where % and $ have a meaning of their own."""
    word = word.replace("\\", "\\\\").replace('"', '\\"').replace("%", "%%").replace("$", "$$")
    return word if word and not set(word) & set(" \t'\";") else f'"{word}"'


def _devices(devices: tuple[str, ...]) -> str:
    if not devices:
        return "PrivateDevices=yes\nPrivateUsers=yes"
    allowed = "\n".join(f"DeviceAllow={device} rw" for device in devices)
    return f"DevicePolicy=closed\n{allowed}"
