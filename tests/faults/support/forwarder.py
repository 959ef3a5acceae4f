"""Forwards one TCP port to another, in a process that can be frozen: a network that hangs.

``python forwarder.py HOST PORT`` prints its own port and runs until its standard input closes.
What was sent while it stands arrives when it goes on.
"""

from __future__ import annotations

import asyncio
import contextlib
import sys
import threading
from asyncio import StreamReader, StreamWriter


async def pump(reader: StreamReader, writer: StreamWriter) -> None:
    """Copy until one side ends, and end the other only when all has been handed over."""
    with contextlib.suppress(ConnectionError):
        while data := await reader.read(65536):
            writer.write(data)
            await writer.drain()
    with contextlib.suppress(ConnectionError):
        writer.close()


async def serve(host: str, port: int) -> None:
    async def accept(reader: StreamReader, writer: StreamWriter) -> None:
        far_reader, far_writer = await asyncio.open_connection(host, port)
        await asyncio.gather(pump(reader, far_writer), pump(far_reader, writer))

    server = await asyncio.start_server(accept, "127.0.0.1", 0)
    print(server.sockets[0].getsockname()[1], flush=True)
    ended = asyncio.Event()
    loop = asyncio.get_running_loop()

    def watch() -> None:
        sys.stdin.buffer.read()
        loop.call_soon_threadsafe(ended.set)

    threading.Thread(target=watch, daemon=True).start()
    await ended.wait()


if __name__ == "__main__":
    asyncio.run(serve(sys.argv[1], int(sys.argv[2])))
