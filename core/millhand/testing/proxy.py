"""A TCP proxy that makes faults: delay, silence, reset, nobody there."""

from __future__ import annotations

import asyncio
import socket
import struct
from contextlib import suppress
from types import TracebackType
from typing import Self

_CHUNK = 65_536
_LINGER_OFF = struct.pack("ii", 1, 0)
"""SO_LINGER with no time: closing sends RST instead of FIN (RFC 9293, 3.10.7)."""


class FaultProxy:
    """Stands between an adapter and its device, on a free port of this machine.

    Used as an async context manager; ``host`` and ``port`` are where the adapter connects. Faults
    work at once, on the connections there are and on those that come:

    * ``delay_s``: every piece is this much later, each way, in order.
    * :meth:`black_hole`: connections stay open and are accepted, and nothing goes through any
      more, as behind a firewall that forgot them. What was sent meanwhile is lost or, with
      ``keep``, comes when it is lifted.
    * :meth:`reset`: all connections are broken by RST.
    * :meth:`refuse`: nobody listens, until :meth:`accept`.

    ``to_device`` and ``to_client`` keep what went through, for as long as ``record`` is true.
    """

    def __init__(self, host: str, port: int, *, record: bool = False) -> None:
        self.host = "127.0.0.1"
        self.port = 0
        self.delay_s = 0.0
        self.record = record
        self.to_device: list[bytes] = []
        self.to_client: list[bytes] = []
        self.accepted = 0
        """Connections accepted so far."""
        self._upstream = (host, port)
        self._server: asyncio.Server | None = None
        self._streams: set[asyncio.StreamWriter] = set()
        self._tasks: set[asyncio.Task[None]] = set()
        self._open = {"to_device": asyncio.Event(), "to_client": asyncio.Event()}
        self._keep = False
        for gate in self._open.values():
            gate.set()

    async def __aenter__(self) -> Self:
        await self.accept()
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        await self.refuse()

    @property
    def address(self) -> tuple[str, int]:
        """Where an adapter connects."""
        return self.host, self.port

    @property
    def connections(self) -> int:
        """How many connections are open now, counted on the adapter's side."""
        return len(self._streams) // 2

    def black_hole(
        self, *, to_device: bool = True, to_client: bool = True, keep: bool = False
    ) -> None:
        """Let nothing through, in the directions named; ``keep`` holds it back instead."""
        self._keep = keep
        for direction, closed in (("to_device", to_device), ("to_client", to_client)):
            if closed:
                self._open[direction].clear()

    def lift(self) -> None:
        """End every fault but a refusal."""
        self.delay_s = 0.0
        for gate in self._open.values():
            gate.set()

    def reset(self) -> None:
        """Break all connections by RST."""
        for stream in list(self._streams):
            plug = stream.get_extra_info("socket")
            if plug is not None:
                with suppress(OSError):
                    plug.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _LINGER_OFF)
            stream.transport.abort()

    async def refuse(self) -> None:
        """Stop listening and break what is open."""
        server, self._server = self._server, None
        if server is not None:
            server.close()
        self.reset()
        tasks = list(self._tasks)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        if server is not None:
            await server.wait_closed()

    async def accept(self) -> None:
        """Listen again, on the same port."""
        if self._server is None:
            self._server = await asyncio.start_server(self._serve, self.host, self.port)
            self.port = self._server.sockets[0].getsockname()[1]

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._tasks.add(task)
        self.accepted += 1
        try:
            await self._relay(reader, writer)
        except* (OSError, asyncio.CancelledError):
            pass  # the end of a connection, however it came
        finally:
            self._tasks.discard(task)

    async def _relay(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._streams.add(writer)
        try:
            await self._open["to_device"].wait()
            up_reader, up_writer = await asyncio.open_connection(*self._upstream)
            self._streams.add(up_writer)
            try:
                async with asyncio.TaskGroup() as pumps:
                    pumps.create_task(self._pump(reader, up_writer, "to_device"))
                    pumps.create_task(self._pump(up_reader, writer, "to_client"))
            finally:
                self._streams.discard(up_writer)
                up_writer.transport.abort()
        finally:
            self._streams.discard(writer)
            writer.transport.abort()

    async def _pump(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, direction: str
    ) -> None:
        """Carry one direction until its end, which ends the connection."""
        heard: list[bytes] = getattr(self, direction)
        while data := await reader.read(_CHUNK):
            if self.delay_s:
                await asyncio.sleep(self.delay_s)
            gate = self._open[direction]
            if not gate.is_set():
                if not self._keep:
                    continue
                await gate.wait()
            if self.record:
                heard.append(data)
            writer.write(data)
            await writer.drain()
        raise ConnectionResetError("the connection has ended")
