"""A simulated PLC in its own process, and a client that plays Millhand's part of the handshake."""

from __future__ import annotations

import asyncio
import json
import subprocess
import sys
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
from asyncua import ua
from asyncua.client.client import Client
from asyncua.common.node import Node

from millhand.contracts.command import Answer, AnswerCode
from millhand_simulated.plant import ConveyorCell

NAMESPACE = "urn:millhand:simulated"
_VARIANTS = {
    bool: ua.VariantType.Boolean,
    int: ua.VariantType.Int32,
    str: ua.VariantType.String,
}


class Millhand:
    """Speaks the handshake as ``docs/reference/plc-handshake.md`` tells Millhand to."""

    def __init__(self, client: Client, index: int) -> None:
        self.client = client
        self._index = index
        self._lease: asyncio.Task[None] | None = None
        self._counter = 0
        self.next_id = 1

    async def read(self, *paths: str) -> list[Any]:
        return list(await self.client.read_values([self.node(path) for path in paths]))

    def node(self, path: str) -> Node:
        return self.client.get_node(f"ns={self._index};s={path}")

    async def write(self, **values: bool | int | str) -> None:
        for name, value in values.items():
            node = self.node(name.replace("__", "."))
            await node.write_value(ua.DataValue(ua.Variant(value, _VARIANTS[type(value)])))

    def hold_lease(self, *, in_control: bool) -> None:
        self._lease = asyncio.create_task(self._renew(in_control))

    async def drop_lease(self) -> None:
        if self._lease is not None:
            self._lease.cancel()
            await asyncio.gather(self._lease, return_exceptions=True)
            self._lease = None

    async def _renew(self, in_control: bool) -> None:
        await self.write(Cell__Lease__Ready=True, Cell__Lease__InControl=in_control)
        while True:
            self._counter += 1
            await self.write(Cell__Lease__Counter=self._counter)
            await asyncio.sleep(0.05)

    async def until(self, path: str, value: bool | int) -> None:
        """Poll a tag until it is ``value``, or has counted beyond it."""
        while True:
            if (await self.read(path))[0] >= value:
                return
            await asyncio.sleep(0.002)

    async def lapsed(self) -> None:
        """Poll until the PLC says that the lease has lapsed."""
        while True:
            if not (await self.read("Cell.Lease.Live"))[0]:
                return
            await asyncio.sleep(0.002)

    async def in_state(self, state: int) -> None:
        """Poll until the machine is in a PackML state."""
        while True:
            if (await self.read("Cell.PackML.State"))[0] == state:
                return
            await asyncio.sleep(0.002)

    async def trigger(self, after: int) -> tuple[int, str, str, int]:
        """Wait for a trigger beyond ``after`` and read its record twice around."""
        seq, part, product, tick = (
            f"Cell.Trigger.{name}" for name in ("Seq", "PartId", "Product", "Tick")
        )
        while True:
            before, part_id, name, at, again = await self.read(seq, part, product, tick, seq)
            if before == again and before > after:
                return before, part_id, name, at
            await asyncio.sleep(0.002)

    async def command(self, part_id: str, result: int, valid_until: int) -> int:
        command_id, self.next_id = self.next_id, self.next_id + 1
        await self.write(
            Cell__Command__PartId=part_id,
            Cell__Command__Result=result,
            Cell__Command__ValidUntil=valid_until,
        )
        await self.write(Cell__Command__Id=command_id)
        return command_id

    async def answers(self) -> list[Answer]:
        """The answers that stand in the ring, oldest first."""
        names = ("CommandId", "PartId", "Code", "Tick")
        count, *rings = await self.read(
            "Cell.Answers.Count", *(f"Cell.Answers.{name}" for name in names)
        )
        found = []
        for place in range(max(0, count - 16), count):
            ident, part_id, code, tick = (ring[place % 16] for ring in rings)
            found.append(
                Answer(command_id=ident, part_id=part_id, code=AnswerCode(code), plc_tick=tick)
            )
        return found

    async def answer(self, matches: Callable[[Answer], bool]) -> Answer:
        """Wait for an answer."""
        while True:
            for found in await self.answers():
                if matches(found):
                    return found
            await asyncio.sleep(0.005)


@asynccontextmanager
async def connected(url: str) -> AsyncIterator[Millhand]:
    client = Client(url, timeout=10)
    client.session_timeout = 60_000
    async with client:
        millhand = Millhand(client, await client.get_namespace_index(NAMESPACE))
        try:
            yield millhand
        finally:
            await millhand.drop_lease()


@pytest.fixture
async def cell_of(tmp_path: Path) -> AsyncIterator[Callable[..., Awaitable[ConveyorCell]]]:
    """Start cells with given settings; all are ended after the test."""
    cells: list[ConveyorCell] = []

    async def start(**values: Any) -> ConveyorCell:
        config = ConveyorCell.Config.model_validate(values)
        cell = ConveyorCell(config, tmp_path / f"cell{len(cells)}")
        cells.append(await cell.__aenter__())
        return cell

    yield start
    for cell in reversed(cells):
        await cell.__aexit__(None, None, None)


@pytest.fixture(scope="module")
def idle_plc(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The URL of a PLC whose line is never started, for what needs no parts."""
    config = tmp_path_factory.mktemp("idle") / "cell.json"
    config.write_text('{"parts": 1}', encoding="utf-8")
    with subprocess.Popen(
        [sys.executable, "-m", "millhand_simulated.plc", "--config", str(config)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
    ) as process:
        assert process.stdout is not None
        assert process.stdin is not None
        yield json.loads(process.stdout.readline())["url"]
        process.stdin.close()
        assert process.wait(20) == 0
