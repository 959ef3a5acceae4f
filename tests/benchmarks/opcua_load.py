"""Measure the OPC UA adapter under load, against a bare asyncua client where there is a like.

Four questions, against one asyncua server in a process of its own:

- *notifications*: 500 tags change ten times a second; how many notifications does a second of the
  client's processor time carry, bare and through the adapter, in turn in one run;
- *batch reads*: 500 tags in one request, as fast as they are answered, bare and adapter in turn;
- *5,000 tags at 1 Hz*: every tag counts up each second; how many steps did the adapter not tell;
- *an hour*: 100 tags change 3,600 times each, ten times a second as fast as an hour's; how much
  more memory does the adapter's process hold at the end.

Run it alone on the machine: ``python tests/benchmarks/opcua_load.py``. Goals: ratios at least 0.95,
no step lost, memory flat.
"""

from __future__ import annotations

import argparse
import asyncio
import gc
import json
import logging
import platform
import statistics
import sys
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import psutil
import structlog
from asyncua import Client, Server, ua

from millhand.testing import PeerProcess
from millhand_opcua.adapter import OpcUa

NAMESPACE = "urn:millhand:benchmark"
LOAD_TAGS = 5000
FEW_TAGS = 500


# --- the server, in a process of its own ---


async def serve(port: int) -> None:
    """Serve tags that count up together, so many and so often as standard input says."""
    server = Server()
    await server.init()
    server.socket_address = ("127.0.0.1", port)
    server.set_endpoint(f"opc.tcp://127.0.0.1:{port}")
    index = await server.register_namespace(NAMESPACE)
    folder = await server.nodes.objects.add_object(ua.NodeId("Load", index), "Load")
    nodes = [ua.NodeId(f"T{number}", index) for number in range(LOAD_TAGS + FEW_TAGS)]
    for node in nodes:
        await folder.add_variable(node, node.Identifier, ua.Variant(0, ua.VariantType.Int32))
    async with server:
        print(json.dumps({"ready": server.bserver.port}), flush=True)
        stdin = asyncio.StreamReader()
        await asyncio.get_running_loop().connect_read_pipe(
            lambda: asyncio.StreamReaderProtocol(stdin), sys.stdin
        )
        counting: asyncio.Task[None] | None = None
        while line := await stdin.readline():
            order = json.loads(line)
            if counting is not None:
                counting.cancel()
            counting = asyncio.create_task(
                count_up(
                    server,
                    nodes[order["first"] :][: order["tags"]],
                    order["period_s"],
                    order["steps"],
                )
            )
            print(json.dumps([True]), flush=True)


async def count_up(server: Server, nodes: list[ua.NodeId], period_s: float, steps: int) -> None:
    """Raise all tags by one each period, spread over the period."""
    started = time.monotonic()
    slices = max(1, min(50, round(period_s / 0.02)))
    for step in range(1, steps + 1):
        for part in range(slices):
            due = started + (step - 1 + part / slices) * period_s
            await asyncio.sleep(max(0.0, due - time.monotonic()))
            for node in nodes[part::slices]:
                value = ua.DataValue(ua.Variant(step, ua.VariantType.Int32))
                await server.write_attribute_value(node, value)


# --- the clients ---


class Counter:
    """asyncua's handler, doing as little as can be done."""

    def __init__(self) -> None:
        self.count = 0

    def datachange_notification(self, _node: Any, _value: Any, _data: Any) -> None:
        """Count one."""
        self.count += 1


async def bare_notifications(client: Client, index: int, tags: int, seconds: float) -> float:
    """Return notifications for each second of processor time."""
    handler = Counter()
    subscription = await client.create_subscription(50, handler)
    nodes = [client.get_node(ua.NodeId(f"T{number}", index)) for number in range(tags)]
    await subscription.subscribe_data_change(nodes, sampling_interval=50)  # type: ignore[arg-type]
    await asyncio.sleep(0.5)
    before, used = handler.count, time.process_time()
    await asyncio.sleep(seconds)
    rate = (handler.count - before) / (time.process_time() - used)
    await subscription.delete()
    return rate


async def adapter_notifications(plc: OpcUa, names: list[str], seconds: float) -> float:
    """Do the same through the adapter."""
    feed = plc.subscribe(names, 0.1)
    settled = time.monotonic() + 0.5
    async for _ in feed:
        if time.monotonic() > settled:
            break
    count, used, until = 0, time.process_time(), time.monotonic() + seconds
    async for batch in feed:
        count += len(batch)
        if time.monotonic() > until:
            break
    rate = count / (time.process_time() - used)
    await feed.aclose()  # type: ignore[attr-defined]
    return rate


async def read_rate(read: Callable[[], Any], seconds: float) -> float:
    """Return requests for each second of wall time."""
    count, started = 0, time.perf_counter()
    while time.perf_counter() - started < seconds:
        await read()
        count += 1
    return count / (time.perf_counter() - started)


async def lost_steps(plc: OpcUa, peer: PeerProcess, names: list[str], steps: int) -> dict[str, int]:
    """Follow all tags while each counts to ``steps`` at 1 Hz; return what was told and what not."""
    last: dict[str, int] = {}
    told = lost = 0
    feed = plc.subscribe(names, 0.5)
    for sample in await anext(feed):
        last[sample.tag] = 0
    peer.ask(first=FEW_TAGS, tags=len(names), period_s=1.0, steps=steps)
    until = time.monotonic() + steps + 10
    while min(last.values()) < steps and time.monotonic() < until:
        async with asyncio.timeout(20):
            for sample in await anext(feed):
                assert isinstance(sample.value, int)
                if sample.value > last[sample.tag]:
                    told += 1
                    lost += sample.value - last[sample.tag] - 1
                    last[sample.tag] = sample.value
    await feed.aclose()  # type: ignore[attr-defined]
    unseen = sum(steps - value for value in last.values())
    return {"told": told, "lost": lost + unseen, "dropped": plc.dropped_samples}


async def grown_bytes(
    plc: OpcUa, peer: PeerProcess, names: list[str], steps: int
) -> tuple[int, int]:
    """Follow 100 tags through ``steps`` changes; return samples told and bytes grown."""
    process, told, before = psutil.Process(), 0, 0
    feed = plc.subscribe(names, 0.02)
    await anext(feed)
    peer.ask(first=FEW_TAGS, tags=len(names), period_s=0.02, steps=steps)
    step = 0
    while step < steps:
        async with asyncio.timeout(20):
            for sample in await anext(feed):
                told += 1
                assert isinstance(sample.value, int)
                step = max(step, sample.value if told > len(names) else 0)
        if not before and step > steps // 10:
            gc.collect()
            before = process.memory_info().rss
    await feed.aclose()  # type: ignore[attr-defined]
    gc.collect()
    return told, process.memory_info().rss - before


@asynccontextmanager
async def adapter(url: str, tags: int, first: int = 0) -> AsyncIterator[tuple[OpcUa, list[str]]]:
    """Yield a connected adapter with so many tags, and their names."""
    names = [f"T{first + number}" for number in range(tags)]
    config = OpcUa.Config.model_validate(
        {"url": url, "namespace": NAMESPACE, "request_timeout_s": 10, "max_batch": 1000}
    )
    made = {name: OpcUa.Tag.model_validate(f"s={name}") for name in names}
    async with OpcUa("plc", config, made) as plc:
        await plc.wait_connected(60)
        yield plc, names


async def measure(peer: PeerProcess, *, rounds: int, seconds: float, steps: int, hour: int) -> None:
    """Ask all four questions and print their table."""
    url = f"opc.tcp://127.0.0.1:{peer.port}"
    print(f"{datetime.now(UTC):%Y-%m-%d}, Python {platform.python_version()}, {rounds} rounds\n")
    print("| what | asyncua | adapter | ratio | goal |\n|---|---|---|---|---|")
    bare: list[float] = []
    ours: list[float] = []
    async with adapter(url, FEW_TAGS) as (plc, names), Client(url) as client:
        index = await client.get_namespace_index(NAMESPACE)
        nodes = [client.get_node(ua.NodeId(name, index)) for name in names]
        for _ in range(rounds):
            bare.append(await read_rate(lambda: client.read_attributes(nodes), seconds))
            ours.append(await read_rate(lambda: plc.read(names), seconds))
        show("batch reads of 500 tags, requests/s", bare, ours)
        peer.ask(
            first=0, tags=FEW_TAGS, period_s=0.1, steps=round(10 * (2 * seconds + 3) * (rounds + 1))
        )
        bare, ours = [], []
        for _ in range(rounds):
            bare.append(await bare_notifications(client, index, FEW_TAGS, seconds))
            ours.append(await adapter_notifications(plc, names, seconds))
        show("notifications for each second of processor time", bare, ours)
    async with adapter(url, LOAD_TAGS, FEW_TAGS) as (plc, names):
        found = await lost_steps(plc, peer, names, steps)
        print(
            f"| 5,000 tags at 1 Hz for {steps} s: changes told / lost | | "
            f"{found['told']:,} / {found['lost']:,} | | 0 lost |"
        )
    async with adapter(url, 100, FEW_TAGS) as (plc, names):
        told, grown = await grown_bytes(plc, peer, names, hour)
        print(
            f"| memory after {hour:,} changes of 100 tags ({told:,} samples told), MiB more "
            f"than after a tenth | | {grown / 2**20:+.2f} | | flat |"
        )


def show(what: str, bare: list[float], ours: list[float]) -> None:
    """Print one line of the table: medians over the rounds, and their ratio."""
    b, o = statistics.median(bare), statistics.median(ours)
    print(f"| {what} | {b:,.0f} | {o:,.0f} | {o / b:.3f} | 0.95 |", flush=True)


def main() -> None:
    """Read the command line and measure."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--seconds", type=float, default=2.0, help="of each measurement")
    parser.add_argument("--steps", type=int, default=30, help="seconds with 5,000 tags")
    parser.add_argument("--hour", type=int, default=3600, help="changes of each of 100 tags")
    parser.add_argument("--serve", type=int, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.serve is not None:
        asyncio.run(serve(options.serve))
        return
    logging.disable(logging.WARNING)
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(30))
    peer = PeerProcess(sys.executable, str(Path(__file__).resolve()), "--serve")
    try:
        peer.start()
        asyncio.run(
            measure(
                peer,
                rounds=options.rounds,
                seconds=options.seconds,
                steps=options.steps,
                hour=options.hour,
            )
        )
    finally:
        peer.kill()


if __name__ == "__main__":
    main()
