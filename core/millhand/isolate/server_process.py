"""A simulated plant's server in a process of its own: started, waited for, never left behind."""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import signal
import sys
import threading
from asyncio.subprocess import PIPE, Process
from collections.abc import Callable
from pathlib import Path
from types import TracebackType

from pydantic import BaseModel

from millhand.errors import ConfigError, InternalError, Unavailable
from millhand.messages import tr

_START_S = 60.0
_STOP_S = 5.0


class ServerProcess:
    """Runs a server as ``python -m MODULE --config FILE``; entering returns its URL.

    The server writes ``{"url": …}`` as its first line once it listens, and ends with its standard
    input (:func:`watch_parent`), so that it ends when this process does, however that ends. Its
    configuration and its log lie in ``folder``.
    """

    def __init__(self, config: BaseModel, folder: Path, module: str) -> None:
        self._config = config
        self._module = module
        self.folder = folder
        self.url = ""
        self._process: Process | None = None
        self._exit: asyncio.Task[int] | None = None
        """Waits for the process's end, once for all who ask."""

    @property
    def pid(self) -> int | None:
        """Id of the process while it runs."""
        return self._process.pid if self._process is not None else None

    async def __aenter__(self) -> str:
        try:
            self.url = await self._start()
        except BaseException:
            await self._end()
            raise
        return self.url

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        await self._end()

    async def ended_within(self, seconds: float) -> bool:
        """Wait at most so long for the process to end by itself; say whether it has."""
        if self._process is None:
            return True
        if self._exit is None:
            # A wait that is given up leaves its future with asyncio until the process ends.
            self._exit = asyncio.create_task(self._process.wait(), name="server.exit")
        done, _ = await asyncio.wait([self._exit], timeout=seconds)
        return bool(done)

    async def _start(self) -> str:
        config = self._write_config()
        self._exit = None
        with (self.folder / "server.log").open("wb") as log:
            process = self._process = await asyncio.create_subprocess_exec(
                *(sys.executable, "-m", self._module, "--config", str(config)),
                stdin=PIPE,
                stdout=PIPE,
                stderr=log,
                start_new_session=True,
            )
        if process.stdout is None:
            raise InternalError("the server's process has no standard output")
        try:
            async with asyncio.timeout(_START_S):
                line = await process.stdout.readline()
        except TimeoutError as error:
            raise Unavailable(
                tr(
                    "{server} did not listen within {seconds:.0f} s.",
                    server=self._module,
                    seconds=_START_S,
                )
            ) from error
        if not line:
            raise ConfigError(
                tr(
                    "{server} did not start. {reason}",
                    server=self._module,
                    reason=self._last_words(),
                )
            )
        url: str = json.loads(line)["url"]
        return url

    def _write_config(self) -> Path:
        self.folder.mkdir(parents=True, exist_ok=True)
        file = self.folder.resolve() / "server.json"
        file.write_text(self._config.model_dump_json(indent=2, by_alias=True), encoding="utf-8")
        return file

    def _last_words(self) -> str:
        return (self.folder / "server.log").read_text(encoding="utf-8", errors="replace").strip()

    async def _end(self) -> None:
        process, self._process = self._process, None
        if process is not None:
            await asyncio.shield(_end(process))
        exited, self._exit = self._exit, None
        if exited is not None:
            await exited


async def _end(process: Process) -> None:
    """Close its standard input, which tells it to end; kill its group where it does not."""
    if process.stdin is not None:
        process.stdin.close()
    try:
        async with asyncio.timeout(_STOP_S):
            await process.wait()
    except TimeoutError:
        _kill(process)
        await process.wait()
    transport = getattr(process, "_transport", None)
    if transport is not None:
        transport.close()


def _kill(process: Process) -> None:
    with contextlib.suppress(ProcessLookupError):
        if hasattr(os, "killpg"):
            os.killpg(process.pid, signal.SIGKILL)
        else:
            process.kill()


def watch_parent(gone: Callable[[], object]) -> None:
    """Call ``gone`` when standard input closes, which it does when the parent dies.

    For the server's side; ``gone`` is called in a thread of its own.
    """

    def watch() -> None:
        # Not sys.stdin: its lock, held by a waiting thread, is fatal when the interpreter ends.
        while os.read(0, 4096):
            pass
        with contextlib.suppress(RuntimeError):  # the loop may have ended before
            gone()

    threading.Thread(target=watch, name="parent", daemon=True).start()
