"""A device in a process of its own, so that it can be killed, frozen and started again."""

from __future__ import annotations

import json
import queue
import signal
import subprocess
import threading
import time
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

from millhand.testing.residue import OWN_THREADS


class PeerGone(Exception):
    """The peer's process has ended, or did not answer in time."""


class PeerProcess:
    """Runs ``command PORT OPTIONS…`` and speaks with it in lines of JSON.

    The command listens on the port it is given (0: a free one), prints ``{"ready": PORT}`` on its
    standard output when it does, and ends when its standard input ends. After that, it answers each
    line that it gets with one line: :meth:`ask`. All methods block, for milliseconds unless a
    process starts.
    """

    def __init__(
        self,
        *command: str,
        environment: Mapping[str, str] | None = None,
        patience_s: float = 60.0,
    ) -> None:
        self.port = 0
        """The port; kept over restarts."""
        self._command = command
        self._environment = None if environment is None else dict(environment)
        self._patience_s = patience_s
        self._process: subprocess.Popen[str] | None = None
        self._lines: queue.SimpleQueue[str] = queue.SimpleQueue()
        self._reader: threading.Thread | None = None
        self.options: tuple[str, ...] = ()
        """What it was last started with."""

    @property
    def alive(self) -> bool:
        """Whether its process runs, frozen or not."""
        return self._process is not None and self._process.poll() is None

    def start(self, *options: str) -> None:
        """Start it on its port and return when it is ready.

        Raises:
            PeerGone: it ended, or was not ready in time.
        """
        self.kill()
        self.options = options
        self._lines = queue.SimpleQueue()
        self._process = subprocess.Popen(  # noqa: S603  the test's own command
            [*self._command, str(self.port), *options],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
            env=self._environment,
        )
        self._reader = threading.Thread(
            target=self._read, args=(self._process, self._lines), name=OWN_THREADS, daemon=True
        )
        self._reader.start()
        self.port = int(self._next(self._patience_s)["ready"])

    def ask(self, **question: Any) -> Any:
        """Send one line of JSON and return the answer.

        Raises:
            PeerGone: there is no answer within some seconds.
        """
        if self._process is None or self._process.stdin is None:
            raise PeerGone("the peer was not started")
        try:
            self._process.stdin.write(json.dumps(question) + "\n")
            self._process.stdin.flush()
        except OSError as error:
            raise PeerGone(str(error)) from error
        return self._next(10.0)

    def freeze(self) -> None:
        """Stop its process where it is (SIGSTOP): its sockets stay open and silent.

        Returns when all its threads stand still; the signal alone leaves them some time.
        """
        self._signal(signal.SIGSTOP)
        until = time.monotonic() + self._patience_s
        while not self._stands_still() and time.monotonic() < until:
            time.sleep(0.001)

    def _stands_still(self) -> bool:
        if self._process is None:
            return True
        tasks = Path(f"/proc/{self._process.pid}/task").glob("*/stat")
        return all(_state(stat) in ("T", "t", "Z", "") for stat in tasks)

    def thaw(self) -> None:
        """Let it run on."""
        if self.alive:
            self._signal(signal.SIGCONT)

    def kill(self) -> None:
        """End it at once (SIGKILL)."""
        process, self._process = self._process, None
        if process is None:
            return
        process.kill()
        process.wait()
        if self._reader is not None:
            self._reader.join()
        for pipe in (process.stdin, process.stdout):
            if pipe is not None:
                with suppress(OSError):
                    pipe.close()

    def _signal(self, number: int) -> None:
        if self._process is None:
            raise PeerGone("the peer is not running")
        self._process.send_signal(number)

    def _next(self, within_s: float) -> Any:
        """Return the next line that is JSON; whatever else a library prints is passed over."""
        until = time.monotonic() + within_s
        while (left_s := until - time.monotonic()) > 0:
            try:
                line = self._lines.get(timeout=left_s)
            except queue.Empty:
                break
            if not line:
                raise PeerGone("the peer has ended")
            if line.startswith(("{", "[")):
                return json.loads(line)
        raise PeerGone(f"the peer gave no answer within {within_s:.0f} s")

    @staticmethod
    def _read(process: subprocess.Popen[str], lines: queue.SimpleQueue[str]) -> None:
        assert process.stdout is not None
        for line in process.stdout:
            lines.put(line)
        lines.put("")


def _state(stat: Path) -> str:
    """Return a thread's state letter from its ``stat``; empty where it has gone."""
    try:
        return stat.read_text("ascii", errors="replace").rpartition(") ")[2][:1]
    except OSError:
        return ""
