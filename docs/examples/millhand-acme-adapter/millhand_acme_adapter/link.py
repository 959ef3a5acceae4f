"""The connection: kept up by itself, one question at a time, nothing left when closed."""

from __future__ import annotations

import asyncio
import random
from time import monotonic_ns

import structlog

from millhand.contracts import ConnectionFault, Health, Link
from millhand.errors import Unavailable
from millhand_acme_adapter.protocol import LONGEST_LINE

log = structlog.get_logger(__name__)

_FIRST_PAUSE_S, _LONGEST_PAUSE_S = 0.1, 5.0


class LineLink:
    """A TCP connection that is asked line by line and comes back when it was lost."""

    def __init__(self, host: str, port: int, timeout_s: float) -> None:
        self.health = Health(link=Link.CONNECTING)
        self.round_trip_s = 0.0
        self.turn = asyncio.Lock()
        """One question is under way; hold this while asking."""
        self._where = (host, port)
        self._timeout_s = timeout_s
        self._stream: tuple[asyncio.StreamReader, asyncio.StreamWriter] | None = None
        self._lost = asyncio.Event()
        self._changed = asyncio.Condition()
        self._task: asyncio.Task[None] | None = None

    async def start(self) -> None:
        """Begin to connect; whether it is up, ``health`` says."""
        self._task = asyncio.create_task(self._keep_up(), name="acme scale link")

    async def stop(self) -> None:
        """Close the connection and end the task."""
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)

    async def ask(self, line: bytes) -> bytes:
        """Send one line and return the answer. Call it while holding :attr:`turn`.

        A question without its answer costs the connection, because an answer that comes later would
        be taken for that of the next question.

        Raises:
            Unavailable: there is no connection; nothing was sent.
            OSError: it was sent, and no answer came (a ``TimeoutError`` is one).
        """
        if self._stream is None or self._stream[0].at_eof():
            self._lost.set()
            raise Unavailable(self.health.detail or "not connected")
        reader, writer = self._stream
        began_ns, answer = monotonic_ns(), b""
        try:
            async with asyncio.timeout(self._timeout_s):
                writer.write(line)
                await writer.drain()
                answer = await _read_line(reader)
        finally:
            if not answer:
                self._stream = None
                self._lost.set()
        self.round_trip_s = (monotonic_ns() - began_ns) / 1e9
        return answer

    async def newer_than(self, epoch: int) -> None:
        """Return when a session is up that is newer than ``epoch``."""
        async with self._changed:
            await self._changed.wait_for(
                lambda: self.health.link is Link.UP and self.health.epoch > epoch
            )

    async def _keep_up(self) -> None:
        pause_s = _FIRST_PAUSE_S
        while True:
            try:
                async with asyncio.timeout(self._timeout_s):
                    stream = await asyncio.open_connection(*self._where, limit=LONGEST_LINE)
            except (OSError, TimeoutError) as error:
                await self._tell(Link.DOWN, str(error) or "no answer")
                await asyncio.sleep(random.uniform(0.5, 1.0) * pause_s)  # noqa: S311 - jitter
                pause_s = min(2 * pause_s, _LONGEST_PAUSE_S)
                continue
            pause_s = _FIRST_PAUSE_S
            self._lost.clear()
            self._stream = stream
            try:
                await self._tell(Link.UP)
                await self._lost.wait()
            finally:
                self._stream = None
                stream[1].transport.abort()
            await self._tell(Link.DOWN, "the connection was lost")

    async def _tell(self, link: Link, detail: str = "") -> None:
        if link is not self.health.link:
            log.info("scale_link", link=link.value, detail=detail)
            epoch = self.health.epoch + (link is Link.UP)
            up = link is Link.UP
            host, port = self._where
            self.health = Health(
                link=link,
                epoch=epoch,
                detail=detail,
                since_monotonic_ns=monotonic_ns(),
                fault=None if up else ConnectionFault.NETWORK,
                mend="" if up else f"Check that a scale listens at {host}:{port}.",
            )
        async with self._changed:
            self._changed.notify_all()


async def _read_line(reader: asyncio.StreamReader) -> bytes:
    """Read a whole line; a connection that ends, or a line too long, is an ``OSError``."""
    try:
        return await reader.readuntil(b"\n")
    except (asyncio.IncompleteReadError, asyncio.LimitOverrunError) as error:
        raise OSError(str(error)) from error
