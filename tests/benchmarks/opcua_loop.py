"""Measure the OPC UA adapter against a bare asyncua client, interleaved in one run.

Two questions, each put to both in turn, against one asyncua server in a process of its own:

- *tag change to acknowledged write*: the server changes a tag at random moments, the client polls
  every 5 ms and answers with one write; from the change until the write's acknowledgement.
- *read*: one request for 1, 10 and 100 tags.

Run it alone on the machine: ``python tests/benchmarks/opcua_loop.py``. Goals: change to write
at most 1.15 times the bare loop, reads at most 1.05 times.
"""

from __future__ import annotations

import argparse
import asyncio
import platform
import random
import statistics
import sys
import tempfile
import time
from collections.abc import AsyncIterator, Callable, Coroutine
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from pathlib import Path

import structlog
from asyncua import Client, Server, ua

from millhand.contracts import Write
from millhand_opcua.adapter import OpcUa

NAMESPACE = "urn:millhand:benchmark"
INTERVAL_S = 0.005
TAGS = 100


async def serve(ready: Path) -> None:
    """Serve a trigger that tells in its value when it changed, and an answer to be written."""
    server = Server()
    await server.init()
    server.socket_address = ("127.0.0.1", 0)
    index = await server.register_namespace(NAMESPACE)
    objects = server.nodes.objects
    zero = ua.Variant(0, ua.VariantType.Int64)
    trigger_id = ua.NodeId("Trigger", index)
    await objects.add_variable(trigger_id, "Trigger", zero)
    answer = await objects.add_variable(ua.NodeId("Answer", index), "Answer", zero)
    await answer.set_writable()
    for number in range(TAGS):
        value = ua.Variant(number / 7, ua.VariantType.Double)
        await objects.add_variable(ua.NodeId(f"Tag{number}", index), f"Tag{number}", value)
    async with server:
        ready.write_text(str(server.bserver.port))  # noqa: ASYNC240  nothing else runs yet
        while True:
            await asyncio.sleep(random.uniform(0.02, 0.04))
            now = ua.Variant(time.monotonic_ns(), ua.VariantType.Int64)
            await server.write_attribute_value(trigger_id, ua.DataValue(now))


@asynccontextmanager
async def server_process() -> AsyncIterator[str]:
    """Run :func:`serve` in a process of its own and yield its URL."""
    with tempfile.TemporaryDirectory() as folder:
        ready = Path(folder) / "port"
        process = await asyncio.create_subprocess_exec(
            sys.executable, __file__, "--serve", str(ready), stderr=asyncio.subprocess.DEVNULL
        )
        try:
            while not (ready.exists() and ready.read_text()):
                await asyncio.sleep(0.05)
            yield f"opc.tcp://127.0.0.1:{ready.read_text()}"
        finally:
            process.kill()
            await process.wait()


class Leave:
    """A permit for one write."""

    device = "plc"

    def __init__(self, value: int) -> None:
        self.writes = (Write(tag="answer", value=value),)

    def redeem(self, device: str) -> tuple[Write, ...]:
        """Return the writes."""
        return self.writes


async def bare_changes(client: Client, index: int, count: int) -> list[float]:
    """Poll and answer with a bare client; return the seconds from change to acknowledgement."""
    trigger = client.get_node(ua.NodeId("Trigger", index))
    answer = client.get_node(ua.NodeId("Answer", index))
    seconds: list[float] = []
    last = await trigger.read_value()
    due = time.monotonic()
    while len(seconds) < count:
        due = max(due + INTERVAL_S, time.monotonic())
        await asyncio.sleep(due - time.monotonic())
        value = await trigger.read_value()
        if value != last:
            last = value
            await answer.write_value(ua.DataValue(ua.Variant(value, ua.VariantType.Int64)))
            seconds.append((time.monotonic_ns() - value) / 1e9)
    return seconds


async def adapter_changes(plc: OpcUa, count: int) -> list[float]:
    """Do the same through the adapter."""
    seconds: list[float] = []
    feed = plc.subscribe(["trigger"], INTERVAL_S)
    await anext(feed)
    async for (sample,) in feed:
        assert isinstance(sample.value, int)
        await plc.write(Leave(sample.value))
        seconds.append((time.monotonic_ns() - sample.value) / 1e9)
        if len(seconds) == count:
            break
    await feed.aclose()  # type: ignore[attr-defined]
    return seconds


async def timed_reads(read: Callable[[], Coroutine[object, object, object]]) -> list[float]:
    """Return the seconds of each of 50 reads."""
    seconds = []
    for _ in range(50):
        started = time.perf_counter()
        await read()
        seconds.append(time.perf_counter() - started)
    return seconds


def show(what: str, bare: list[float], adapter: list[float], goal: float) -> None:
    """Print one line of the table."""

    def p(seconds: list[float], percent: int) -> float:
        return statistics.quantiles(seconds, n=100)[percent - 1] * 1000

    ratio = statistics.median(adapter) / statistics.median(bare)
    print(
        f"| {what} | {p(bare, 50):.2f} / {p(bare, 99):.2f} | "
        f"{p(adapter, 50):.2f} / {p(adapter, 99):.2f} | {ratio:.3f} | {goal} |"
    )


async def measure(changes: int, rounds: int) -> None:
    """Ask both in turn, ``rounds`` times, and print the table."""
    names = [f"Tag{number}" for number in range(TAGS)]
    tags = {name: OpcUa.Tag(node=f"s={name}") for name in names}
    tags |= {"trigger": OpcUa.Tag(node="s=Trigger"), "answer": OpcUa.Tag(node="s=Answer")}
    async with server_process() as url:
        config = OpcUa.Config(url=url, namespace=NAMESPACE)
        async with OpcUa("plc", config, tags) as plc, Client(url) as client:
            await plc.wait_connected(10)
            index = await client.get_namespace_index(NAMESPACE)
            print(f"{datetime.now(UTC):%Y-%m-%d}, {platform.processor() or platform.machine()}, ")
            print(f"Python {platform.python_version()}, {rounds} interleaved rounds\n")
            print("| what | asyncua p50 / p99 ms | adapter p50 / p99 ms | p50 ratio | goal |")
            print("|---|---|---|---|---|")
            bare: list[float] = []
            ours: list[float] = []
            for _ in range(rounds):
                bare += await bare_changes(client, index, changes)
                ours += await adapter_changes(plc, changes)
            show("tag change to acknowledged write, 5 ms poll", bare, ours, 1.15)
            for count in (1, 10, TAGS):
                some = names[:count]
                nodes = [client.get_node(ua.NodeId(name, index)) for name in some]
                bare, ours = [], []
                for _ in range(rounds):
                    bare += await timed_reads(lambda nodes=nodes: client.read_attributes(nodes))
                    ours += await timed_reads(lambda some=some: plc.read(some))
                show(f"read {count} tags", bare, ours, 1.05)


def main() -> None:
    """Read the command line and measure."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--changes", type=int, default=25, help="tag changes in one round")
    parser.add_argument("--rounds", type=int, default=20)
    parser.add_argument("--serve", type=Path, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.serve is not None:
        asyncio.run(serve(options.serve))
        return
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(30))
    asyncio.run(measure(options.changes, options.rounds))


if __name__ == "__main__":
    main()
