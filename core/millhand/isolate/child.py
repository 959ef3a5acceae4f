"""A running process of ours: the way to it, what it logs, and its end."""

from __future__ import annotations

import asyncio
import subprocess
from collections.abc import Callable
from typing import Generic, Self

from millhand.contracts.codec import Buffer
from millhand.errors import (
    ConfigError,
    InternalError,
    MillhandError,
    NotAllowed,
    PackageError,
    Unavailable,
)
from millhand.isolate.frames import MemfdRegion, NamedRegion
from millhand.isolate.messages import Close, Failed
from millhand.isolate.spawning import Process, spawn
from millhand.isolate.wire import LogLines, Message, Wire, WorkerLost
from millhand.messages import tr

_ERRORS: dict[str, type[MillhandError]] = {
    "ConfigError": ConfigError,
    "NotAllowed": NotAllowed,
    "Unavailable": Unavailable,
}


def error_from(failed: Failed) -> MillhandError:
    """Turn a process's report of a failure back into an error of ours."""
    if failed.kind == "PackageError":
        return PackageError(failed.text, fault=failed.fault, mend=failed.mend)
    text = f"{failed.agent}: {failed.text}" if failed.agent else failed.text
    return _ERRORS.get(failed.kind, InternalError)(text, mend=failed.mend)


class Child(Generic[Message]):
    """One process from its start to its end. Made by :meth:`start`, ended by :meth:`end`."""

    def __init__(self, name: str, process: Process, wire: Wire[Message]) -> None:
        self.process = process
        self.wire = wire
        self._name = name
        self._output: asyncio.ReadTransport | None = None

    @classmethod
    async def start(
        cls,
        name: str,
        module: str,
        region: MemfdRegion | NamedRegion,
        *arguments: str,
        decode: Callable[[Buffer], Message],
        loopback: bool,
        yields: bool = False,
    ) -> Self:
        """Run a module of ours as :func:`millhand.isolate.spawning.spawn` does; hear its log.

        Args:
            name: for logs and errors.
            module: the module that is the program.
            region: memory that is shared with it.
            arguments: what else it is told.
            decode: turns bytes into what it may say.
            loopback: connect over loopback TCP instead of a socket pair.
            yields: give way to processes that do not.

        Raises:
            WorkerLost: it did not connect.
        """
        loop = asyncio.get_running_loop()
        process, connection = await spawn(
            module, region, *arguments, loopback=loopback, yields=yields
        )
        child = cls(name, process, Wire(name, decode))
        try:
            await loop.create_connection(lambda: child.wire, sock=connection)
            if process.stderr is not None:
                child._output, _ = await loop.connect_read_pipe(
                    lambda: LogLines(name), process.stderr
                )
        except BaseException:
            connection.close()
            await child.end(grace_s=0)
            raise
        return child

    async def opened(self, order: object, timeout_s: float) -> Message:
        """Send the first message, and return what is answered once all is open.

        Raises:
            WorkerLost: it ended, or was not ready in time.
            PackageError, ConfigError, NotAllowed: something could not be opened there.
        """
        answer = self.wire.expect(0)
        self.wire.send(order)
        try:
            async with asyncio.timeout(timeout_s):
                message = await answer
        except TimeoutError:
            raise WorkerLost(
                tr(
                    "Worker {name} was not ready within {limit:.0f} s.",
                    name=self._name,
                    limit=timeout_s,
                )
            ) from None
        if isinstance(message, Failed):
            raise error_from(message)
        return message

    async def end(self, grace_s: float) -> int:
        """Ask it to end, wait for at most ``grace_s``, then kill; return how it ended."""
        if grace_s > 0:
            self.wire.send(Close())
            await asyncio.wait([self.wire.lost], timeout=grace_s)
        leaving = self.wire.lost.done()
        self.wire.close()
        code = await asyncio.to_thread(_ended, self.process, grace_s if leaving else 0)
        if self._output is not None:
            self._output.close()
        return code


def _ended(process: Process, grace_s: float) -> int:
    try:
        return process.wait(grace_s)
    except subprocess.TimeoutExpired:
        process.kill()
        return process.wait()
