"""An hour without the receiver: the journal keeps everything, memory does not grow, and then all
arrives in order, once by id."""

from __future__ import annotations

import asyncio
import json
import tracemalloc
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from pathlib import Path

from millhand.journal.entries import new_entry
from millhand.journal.journal import Journal
from millhand.journal.records import Stopped
from millhand.testing import FaultProxy

PER_S = 2
HOUR = 3600 * PER_S


class Receiver:
    """Takes lines with an id each, acknowledges them, and carries each id out once."""

    def __init__(self) -> None:
        self.heard = 0
        self.carried_out: list[int] = []
        self.done = asyncio.Event()

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with suppress(ConnectionError):
            while line := await reader.readline():
                number = json.loads(line)["seq"]
                self.heard += 1
                if not self.carried_out or number > self.carried_out[-1]:
                    self.carried_out.append(number)
                writer.write(f"{number}\n".encode())
                await writer.drain()
                if number >= HOUR:
                    self.done.set()
        writer.close()


async def forward(journal: Journal, address: tuple[str, int]) -> None:
    """Send what follows the last acknowledged entry, for ever: ``where seq > cursor``."""
    acknowledged = 0
    while True:
        with suppress(OSError, TimeoutError):
            reader, writer = await asyncio.open_connection(*address)
            try:
                async for entry in journal.cursor(after=acknowledged):
                    async with asyncio.timeout(0.05):
                        writer.write(json.dumps({"seq": entry.seq}).encode() + b"\n")
                        await writer.drain()
                        acknowledged = int(await reader.readline() or 0) or acknowledged
                        if reader.at_eof():
                            break
            finally:
                writer.transport.abort()
        await asyncio.sleep(0.01)


@asynccontextmanager
async def running(journal: Journal, address: tuple[str, int]) -> AsyncIterator[None]:
    task = asyncio.create_task(forward(journal, address))
    try:
        yield
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


async def test_an_hour_away_then_everything_in_order_once(tmp_path: Path) -> None:
    receiver = Receiver()
    server = await asyncio.start_server(receiver.serve, "127.0.0.1", 0)
    async with (
        server,
        FaultProxy(*server.sockets[0].getsockname()) as proxy,
        opened(tmp_path / "journal.sqlite") as journal,
        running(journal, proxy.address),
    ):
        proxy.black_hole()
        await fill(journal, HOUR // 10)
        tracemalloc.start()
        before, _ = tracemalloc.get_traced_memory()
        await fill(journal, HOUR - HOUR // 10)
        grown = tracemalloc.get_traced_memory()[0] - before
        tracemalloc.stop()
        assert grown < 1_000_000, f"{grown} bytes more after an hour"
        assert receiver.heard == 0
        proxy.lift()
        for _ in range(3):
            await asyncio.sleep(0.1)
            proxy.reset()
        async with asyncio.timeout(60):
            await receiver.done.wait()
    assert receiver.carried_out == list(range(1, HOUR + 1))


@asynccontextmanager
async def opened(file: Path) -> AsyncIterator[Journal]:
    with Journal(file, cell="cell", synchronous="OFF") as journal:
        yield journal


async def fill(journal: Journal, count: int) -> None:
    """Write so many entries, in commits of an hour's usual group."""
    for start in range(0, count, 60):
        size = min(60, count - start)
        await journal.append_durable(
            [
                new_entry(Stopped(reason="test", decisions=number), id=f"d{number}")
                for number in range(start, start + size)
            ]
        )
        await asyncio.sleep(0)
