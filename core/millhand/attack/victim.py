"""The attacked engine: ``python -m millhand.attack.victim``, a process like any service's.

The first line on standard input is the :class:`Job`; each further line a change of the orders
(:mod:`millhand.attack.injected`) or of the clock. It tells ``up`` when its engine runs, and
``error`` with a message where it does not start. It ends when its standard input closes.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import sys
import time
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Any

import msgspec
from msgspec import Struct

from millhand.attack import neighbour
from millhand.attack.injected import InjectedCamera, InjectedTags, Orders
from millhand.contracts import Mode
from millhand.engine.engine import Engine
from millhand.errors import MillhandError
from millhand.plugins import Plugins
from millhand.plugins.registrations import Face
from millhand.scenario.configured import configured_device
from millhand.scenario.load import load


class Job(Struct, frozen=True, kw_only=True):
    """What the process runs."""

    scenario: str
    journal: str
    replace: dict[str, dict[str, Any]] = {}
    """Device to options in place of those in the file."""
    modes: dict[str, Mode] = {}


class Order(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A change of what is done to the engine."""

    camera: str | None = None
    values: str | None = None
    tags: list[str] = []
    write: str | None = None
    clock_s: float | None = None
    mode: tuple[str, Mode] | None = None


async def _run(job: Job, lines: asyncio.StreamReader) -> None:
    plugins = Plugins.discover([neighbour])
    scenario = load(job.scenario)
    orders = Orders()
    async with AsyncExitStack() as stack:
        devices = {}
        for name, device in scenario.file.devices.items():
            faces = plugins.adapter(device.adapter).faces
            if faces == frozenset({Face.ACCELERATOR}):
                continue
            built = configured_device(scenario, plugins, name, job.replace.get(name)).build(name)
            if Face.CAMERA in faces:
                built = InjectedCamera(built, orders)
            elif Face.TAGS in faces:
                built = InjectedTags(built, orders)
            devices[name] = await stack.enter_async_context(built)
        engine = await stack.enter_async_context(
            Engine(scenario, plugins=plugins, journal=Path(job.journal), devices=devices)
        )
        for agent, mode in job.modes.items():
            engine.set_mode(agent, mode, by="attack", reason="attack")
        _tell("up")
        while line := await lines.readline():
            _obey(msgspec.json.decode(line, type=Order), orders, engine)
            _tell("done")


def _obey(order: Order, orders: Orders, engine: Engine) -> None:
    if order.camera is not None:
        orders.camera = order.camera
    if order.values is not None:
        orders.values, orders.tags = order.values, frozenset(order.tags)
        orders.frozen.clear()
    if order.write is not None:
        orders.write = order.write
    if order.clock_s is not None:
        _shift_clock(order.clock_s)
    if order.mode is not None:
        with contextlib.suppress(MillhandError):  # a refusal is what the attack looks for
            engine.set_mode(*order.mode, by="intruder")


def _shift_clock(by_s: float) -> None:
    """Let this process's wall clock jump, as when somebody sets it; monotonic time goes on."""

    def shifted() -> int:
        return time.time_ns() + int(by_s * 1e9)

    for name, module in list(sys.modules.items()):
        if name.partition(".")[0].startswith("millhand") and hasattr(module, "time_ns"):
            module.time_ns = shifted  # type: ignore[attr-defined]


def _tell(text: str) -> None:
    os.write(1, text.encode() + b"\n")


@contextlib.asynccontextmanager
async def _standard_input() -> AsyncIterator[asyncio.StreamReader]:
    reader = asyncio.StreamReader()
    transport, _ = await asyncio.get_running_loop().connect_read_pipe(
        lambda: asyncio.StreamReaderProtocol(reader), sys.stdin
    )
    yield reader
    transport.close()


async def _main() -> int:
    async with _standard_input() as lines:
        job = msgspec.json.decode(await lines.readline(), type=Job)
        try:
            await _run(job, lines)
        except MillhandError as error:
            _tell("error " + str(error).replace("\n", " "))
            return 3
    return 0


if __name__ == "__main__":
    sys.exit(asyncio.run(_main()))
