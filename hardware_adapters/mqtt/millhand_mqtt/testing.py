"""A real mosquitto in a process of its own, for tests and benchmarks: started, killed, frozen.

Debian: ``apt install mosquitto``. :data:`BINARY` is None where it is not installed.
"""

from __future__ import annotations

import asyncio
import os
import shutil
import signal
import socket
import subprocess
from pathlib import Path

BINARY = shutil.which("mosquitto") or shutil.which("mosquitto", path="/usr/sbin:/usr/local/sbin")
"""The program, or None."""
MISSING = "mosquitto is not installed (Debian: apt install mosquitto)"


def free_port() -> int:
    """Return a TCP port of 127.0.0.1 that nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


class Mosquitto:
    """One broker on 127.0.0.1; small packets leave it at once.

    Args:
        folder: where its configuration and log are written.
        lines: go into its configuration.
        scheme: of :attr:`url`.
    """

    def __init__(self, folder: Path, *lines: str, scheme: str = "mqtt") -> None:
        self.port = free_port()
        self.scheme = scheme
        self._file = folder / f"mosquitto-{self.port}.conf"
        self._log = folder / f"mosquitto-{self.port}.log"
        anonymous = [] if any(line.startswith("password_file") for line in lines) else ["true"]
        self._file.write_text(
            "\n".join(
                [
                    f"listener {self.port} 127.0.0.1",
                    f"allow_anonymous {'true' if anonymous else 'false'}",
                    "set_tcp_nodelay true",
                    "persistence false",
                    "log_dest stderr",
                    *(["user root"] if os.getuid() == 0 else []),
                    *lines,
                    "",
                ]
            )
        )
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def url(self) -> str:
        """Where it is found; the port stays over restarts."""
        return f"{self.scheme}://127.0.0.1:{self.port}"

    @property
    def log(self) -> str:
        """All that it has written so far."""
        return self._log.read_text(errors="replace")

    async def start(self) -> None:
        """Start it and return when it listens."""
        self._process = self._spawn()
        async with asyncio.timeout(20):
            while True:
                if self._process.poll() is not None:
                    raise RuntimeError(self.log)
                try:
                    _, writer = await asyncio.open_connection("127.0.0.1", self.port)
                except OSError:
                    await asyncio.sleep(0.02)
                else:
                    writer.close()
                    await writer.wait_closed()
                    return

    def _spawn(self) -> subprocess.Popen[bytes]:
        assert BINARY is not None
        with self._log.open("ab") as log:
            return subprocess.Popen(  # noqa: S603  the broker itself
                [BINARY, "-c", str(self._file)], stderr=log
            )

    @property
    def running(self) -> bool:
        """Whether its process runs, frozen or not."""
        return self._process is not None and self._process.poll() is None

    def signal(self, number: int) -> None:
        """Send it a signal: ``SIGSTOP`` freezes it, ``SIGCONT`` lets it run on."""
        assert self._process is not None
        self._process.send_signal(number)

    def kill(self) -> None:
        """End it at once."""
        if self._process is not None:
            self._process.send_signal(signal.SIGKILL)
            self._process.wait(10)
            self._process = None
