from __future__ import annotations

import asyncio
import gc
import itertools
import logging
import signal
import socket
import threading
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from millhand import links
from millhand.contracts import Link, Quality, WriteStatus
from millhand.errors import Unavailable

TAGS = {"counter": {"node": "s=Counter", "type": "int32"}, "text": "s=Scalar.string"}


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def sockets() -> set[str]:
    """The sockets that this process has open."""
    found = set()
    for entry in Path("/proc/self/fd").iterdir():
        try:
            target = str(entry.readlink())
        except OSError:
            continue
        if target.startswith("socket:"):
            found.add(target)
    return found


async def test_a_server_away_at_start_is_said_and_found_when_it_comes(
    process, adapt, eventually
) -> None:
    process.kill()
    async with adapt(process.url, TAGS, connect=False) as plc:
        feed = plc.subscribe(["counter"], 0.02)
        (away,) = await anext(feed)
        assert (away.quality, away.initial) == (Quality.DISCONNECTED, True)
        samples = await plc.read(["counter", "text"])
        assert [sample.quality for sample in samples] == [Quality.DISCONNECTED] * 2
        await eventually(lambda: plc.health().link is Link.DOWN)
        assert plc.health().detail
        with pytest.raises(Unavailable):
            await plc.wait_connected(0.2)
        await process.start()
        await plc.wait_connected(15)
        (back,) = await asyncio.wait_for(anext(feed), 5)
        assert (back.value, back.initial, back.epoch) == (0, True, 1)
        await feed.aclose()


async def test_a_restart_with_reordered_namespaces_is_survived(
    process, adapt, permit, eventually
) -> None:
    async with adapt(process.url, TAGS) as plc:
        feed = plc.subscribe(["counter", "text"], 0.02)
        await anext(feed)
        process.kill()
        gone = await asyncio.wait_for(anext(feed), 5)
        assert {sample.quality for sample in gone} == {Quality.DISCONNECTED}
        assert plc.health().link is Link.DOWN
        assert (await plc.write(permit(("counter", 1)))).status is WriteStatus.NOT_SENT
        await process.start("--reordered")
        counter, text = await asyncio.wait_for(anext(feed), 15)
        assert (counter.value, text.value) == (0, "impeller")
        for sample in (counter, text):
            assert (sample.initial, sample.gap, sample.epoch) == (True, True, 2)
        assert (await plc.write(permit(("counter", 5)))).status is WriteStatus.SENT
        assert (await plc.read(["counter"]))[0].value == 5
        await feed.aclose()


async def test_a_freeze_in_the_middle_of_a_write_is_unknown(
    process, adapt, permit, eventually
) -> None:
    async with adapt(process.url, TAGS, request_timeout_s=0.5) as plc:
        feed = plc.subscribe(["text"], 0.1)
        await anext(feed)
        process.signal(signal.SIGSTOP)
        started = time.monotonic()
        result = await plc.write(permit(("counter", 77)))
        assert result.status is WriteStatus.UNKNOWN
        assert result.sent == (77,)
        assert 0.4 < time.monotonic() - started < 5
        (gone,) = await asyncio.wait_for(anext(feed), 5)
        assert gone.quality is Quality.DISCONNECTED
        assert plc.health().link is Link.DOWN
        assert (await plc.read(["text"]))[0].quality is Quality.DISCONNECTED
        process.signal(signal.SIGCONT)
        (back,) = await asyncio.wait_for(anext(feed), 15)
        assert (back.initial, back.gap, back.epoch) == (True, True, 2)
        (counter,) = await plc.read(["counter"])
        assert counter.value in {0, 77}
        await feed.aclose()


async def test_a_frozen_server_is_noticed_without_being_asked(process, adapt, eventually) -> None:
    async with adapt(process.url, TAGS, request_timeout_s=0.3, keepalive_s=0.2) as plc:
        process.signal(signal.SIGSTOP)
        await eventually(lambda: plc.health().link is Link.DOWN)
        process.signal(signal.SIGCONT)
        await plc.wait_connected(15)
        assert plc.health().epoch == 2


async def test_something_else_on_the_port_is_no_server_but_no_crash(adapt, eventually) -> None:
    async def babble(_reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"HTTP/1.1 400 Bad Request\r\n\r\n")
        await writer.drain()
        writer.close()

    server = await asyncio.start_server(babble, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    async with adapt(f"opc.tcp://127.0.0.1:{port}", TAGS, connect=False) as plc:
        await eventually(lambda: plc.health().link is Link.DOWN)
        assert plc.health().detail
    server.close()
    await server.wait_closed()


async def test_closing_leaves_no_task_socket_or_thread(process, adapt) -> None:
    async def use() -> None:
        async with adapt(process.url, TAGS) as plc:
            polled = plc.subscribe(["counter"], 0.01)
            subscribed = plc.subscribe(["counter"], 0.2)
            await anext(polled)
            await anext(subscribed)
            await asyncio.sleep(0.1)
            await polled.aclose()

    await use()
    gc.collect()
    before = (asyncio.all_tasks(), sockets(), threading.active_count())
    await use()
    assert (asyncio.all_tasks(), sockets(), threading.active_count()) == before


@pytest.mark.parametrize("after_s", [0.0, 0.005, 0.02, 0.1, 0.3])
async def test_cancelling_at_any_moment_leaves_nothing(process, adapt, permit, after_s) -> None:
    tasks, open_sockets = asyncio.all_tasks(), sockets()

    async def use() -> None:
        async with adapt(process.url, TAGS) as plc:
            async for _ in plc.subscribe(["counter"], 0.001):
                await plc.write(permit(("counter", time.monotonic_ns() % 1000)))

    using = asyncio.create_task(use())
    await asyncio.sleep(after_s)
    using.cancel()
    with pytest.raises(asyncio.CancelledError):
        await using
    del using
    gc.collect()
    await asyncio.sleep(0)
    assert asyncio.all_tasks() == tasks
    assert sockets() == open_sockets


async def test_leaving_while_frozen_does_not_hang(process, adapt) -> None:
    started = 0.0
    open_sockets = sockets()
    async with adapt(process.url, TAGS, request_timeout_s=0.5):
        process.signal(signal.SIGSTOP)
        started = time.monotonic()
    assert time.monotonic() - started < 3
    assert sockets() == open_sockets
    process.signal(signal.SIGCONT)


async def test_a_lost_link_is_logged_once_and_asyncua_stays_quiet(
    process, adapt, eventually, caplog, logged
) -> None:
    told = logged(links)
    caplog.set_level(logging.INFO)
    async with adapt(process.url, TAGS) as plc:
        feed = plc.subscribe(["counter"], 0.2)
        await anext(feed)
        told.clear()
        process.kill()
        await eventually(lambda: plc.health().link is Link.DOWN)
        for _ in range(20):
            await plc.read(["counter"])
            await asyncio.sleep(0.02)
        await process.start()
        await plc.wait_connected(15)
        await feed.aclose()
        states = [entry["link"] for entry in told if entry["event"] == "link changed"]
    assert states == ["down", "up"]
    assert [record for record in caplog.records if record.name.startswith("asyncua")] == []


async def test_another_user_of_asyncua_keeps_its_log(caplog) -> None:
    from asyncua import Client

    caplog.set_level(logging.INFO)
    with pytest.raises(OSError, match=r"\S"):
        await Client(f"opc.tcp://127.0.0.1:{free_port()}").connect()
    assert [record for record in caplog.records if record.name.startswith("asyncua")]


@asynccontextmanager
async def one_that_hangs_up(came: Callable[[], None]) -> AsyncIterator[str]:
    """A server that closes each connection at once; gives its address."""

    async def hang_up(_reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        came()
        writer.close()

    async with await asyncio.start_server(hang_up, "127.0.0.1", 0) as server:
        yield f"opc.tcp://127.0.0.1:{server.sockets[0].getsockname()[1]}"


async def test_the_pause_between_attempts_stays_short(adapt, eventually) -> None:
    times: list[float] = []
    async with (
        one_that_hangs_up(lambda: times.append(time.monotonic())) as url,
        adapt(url, TAGS, connect=False),
    ):
        await eventually(lambda: len(times) >= 4)
    pauses = [later - earlier for earlier, later in itertools.pairwise(times)]
    assert all(pause < 1.5 for pause in pauses)
    assert pauses[-1] > 0.1


async def test_leaving_ends_whenever_the_server_hangs_up(adapt) -> None:
    async with one_that_hangs_up(lambda: None) as url, asyncio.timeout(60):
        for steps in range(150):
            async with adapt(url, TAGS, connect=False):
                for _ in range(steps % 25):
                    await asyncio.sleep(0)
