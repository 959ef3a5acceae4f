"""Tells the service manager how we are: systemd's ``sd_notify`` protocol over its datagram socket.

READY=1 when the engine is ready, WATCHDOG=1 while its event loop turns, STOPPING=1 when it ends
(systemd's manual page sd_notify(3)). Without ``NOTIFY_SOCKET`` in the environment nothing is sent,
so that the same program runs in a terminal, in a container and under any other manager.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import socket
from collections.abc import AsyncIterator, Callable, Mapping

import structlog

log = structlog.get_logger(__name__)

_PINGS_A_PERIOD = 3
"""Two may be lost, or late, before the manager restarts us."""


class ServiceManager:
    """The manager that started this process, if it asked to be told.

    Args:
        environment: where ``NOTIFY_SOCKET``, ``WATCHDOG_USEC`` and ``WATCHDOG_PID`` stand.
    """

    def __init__(self, environment: Mapping[str, str] | None = None) -> None:
        found = os.environ if environment is None else environment
        self._address = _address(found.get("NOTIFY_SOCKET", ""))
        self.watchdog_s = _watchdog_s(found)
        """How long the manager waits for a sign of life; None where it keeps no watchdog."""

    @property
    def present(self) -> bool:
        """Whether a manager wants to be told."""
        return self._address is not None

    def tell(self, **facts: str | int) -> None:
        """Send facts: ``tell(READY=1, STATUS="…")``. Never blocks, never raises."""
        if self._address is None:
            return
        message = "\n".join(f"{name}={value}" for name, value in facts.items())
        kind = socket.SOCK_DGRAM | getattr(socket, "SOCK_CLOEXEC", 0)
        try:
            with socket.socket(socket.AF_UNIX, kind) as channel:
                channel.setblocking(False)
                channel.sendto(message.encode(), self._address)
        except OSError as error:
            log.warning("service_manager_not_told", error=str(error))

    @contextlib.asynccontextmanager
    async def told(self, status: Callable[[], str]) -> AsyncIterator[None]:
        """Tell that we are ready, and go on telling that we live until the context ends.

        The signs of life come from a task on the engine's own loop: where that is blocked, they
        stop, and the manager restarts the process.

        Args:
            status: one line on how the engine is, for ``systemctl status``.
        """
        self.tell(READY=1, STATUS=status())
        alive = None
        if self.present and self.watchdog_s is not None:
            every_s = self.watchdog_s / _PINGS_A_PERIOD
            alive = asyncio.create_task(self._live(every_s, status), name="watchdog")
        try:
            yield
        finally:
            if alive is not None:
                alive.cancel()
            self.tell(STOPPING=1)

    async def _live(self, every_s: float, status: Callable[[], str]) -> None:
        while True:
            self.tell(WATCHDOG=1, STATUS=status())
            await asyncio.sleep(every_s)


def _address(name: str) -> str | None:
    """Return the socket's address; a leading ``@`` stands for the abstract name space."""
    if not hasattr(socket, "AF_UNIX") or name[:1] not in ("/", "@"):
        return None
    return "\0" + name[1:] if name.startswith("@") else name


def _watchdog_s(environment: Mapping[str, str]) -> float | None:
    period, pid = environment.get("WATCHDOG_USEC", ""), environment.get("WATCHDOG_PID", "")
    if not period.isdecimal() or int(period) == 0 or (pid and pid != str(os.getpid())):
        return None
    return int(period) / 1e6
