"""The engine's end of the way to a process: cuts the stream into messages, wakes who waits."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Generic, TypeVar

import structlog

from millhand.contracts.codec import Buffer
from millhand.errors import Unavailable
from millhand.isolate.messages import LARGEST_MESSAGE, LENGTH, framed
from millhand.messages import tr

log = structlog.get_logger(__name__)

Message = TypeVar("Message")
"""What the process may say. Each answer carries the ``number`` of its question; the first message,
which says that all is open, is number 0."""


class WorkerLost(Unavailable):
    """The worker process ended or was ended; it can be started again."""


class Wire(asyncio.Protocol, Generic[Message]):
    """A connection to one process.

    Args:
        name: of the process, for errors and the log.
        decode: turns bytes into a message.
    """

    def __init__(self, name: str, decode: Callable[[Buffer], Message]) -> None:
        self._name = name
        self._decode = decode
        self._buffer = bytearray()
        self._waiting: dict[int, asyncio.Future[Message]] = {}
        self._transport: asyncio.Transport | None = None
        self.lost: asyncio.Future[None] = asyncio.get_running_loop().create_future()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """See :class:`asyncio.Protocol`."""
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport

    def data_received(self, data: bytes) -> None:
        """See :class:`asyncio.Protocol`."""
        self._buffer += data
        while len(self._buffer) >= LENGTH.size:
            (length,) = LENGTH.unpack_from(self._buffer)
            if length > LARGEST_MESSAGE:
                log.error("worker_message_too_large", worker=self._name, length=length)
                self.close()
                return
            if len(self._buffer) < LENGTH.size + length:
                return
            body = bytes(self._buffer[LENGTH.size : LENGTH.size + length])
            del self._buffer[: LENGTH.size + length]
            self._deliver(self._decode(body))

    def _deliver(self, message: Message) -> None:
        number = getattr(message, "number", 0)
        waiting = self._waiting.pop(number, None)
        if waiting is not None and not waiting.done():
            waiting.set_result(message)

    def connection_lost(self, exc: Exception | None) -> None:
        """Fail all who wait; see :class:`asyncio.Protocol`."""
        del exc
        for waiting in self._waiting.values():
            if not waiting.done():
                waiting.set_exception(WorkerLost(tr("Worker {name} ended.", name=self._name)))
                waiting.exception()  # marks it as seen where the caller has gone
        self._waiting.clear()
        if not self.lost.done():
            self.lost.set_result(None)

    @property
    def owes(self) -> bool:
        """Whether an answer is outstanding."""
        return bool(self._waiting)

    def expect(self, number: int) -> asyncio.Future[Message]:
        """Return a future for the answer with this number."""
        future: asyncio.Future[Message] = asyncio.get_running_loop().create_future()
        self._waiting[number] = future
        return future

    async def idle(self) -> None:
        """Wait until nothing is under way, so that the shared frames may be overwritten."""
        while self._waiting:
            await asyncio.wait(self._waiting.values())

    def send(self, message: object) -> None:
        """Send a message, unless the connection is lost."""
        if self._transport is not None and not self.lost.done():
            self._transport.write(framed(message))

    def close(self) -> None:
        """Let go of the connection."""
        if self._transport is not None:
            self._transport.close()


class LogLines(asyncio.Protocol):
    """Logs what a worker writes to its standard error, line by line, shortened."""

    def __init__(self, name: str) -> None:
        self._name = name
        self._rest = b""

    def data_received(self, data: bytes) -> None:
        """See :class:`asyncio.Protocol`."""
        *lines, self._rest = (self._rest + data).split(b"\n")
        self._rest = self._rest[-4096:]
        for line in lines:
            log.info("worker_output", worker=self._name, text=line[:1000].decode(errors="replace"))
