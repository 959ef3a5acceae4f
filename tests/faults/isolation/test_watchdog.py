"""The loop watchdog names who holds the loop, and tells of a loop that stands for ever."""

from __future__ import annotations

import asyncio
import linecache
import time
from threading import Event

from millhand.engine.watchdog import Blocked, LoopWatchdog


async def test_who_blocks_the_loop_is_named_with_the_line() -> None:
    told: asyncio.Queue[Blocked] = asyncio.Queue()
    linecache.clearcache()
    watchdog = LoopWatchdog(told.put_nowait)
    watchdog.start()
    try:
        blocking = asyncio.create_task(_block(), name="scale.poll")
        blocked = await asyncio.wait_for(told.get(), 10)
        await blocking
    finally:
        watchdog.stop()
    assert blocked.task == "scale.poll"
    assert "test_watchdog.py" in blocked.where
    assert "_block" in blocked.where
    assert blocked.seconds >= 0.25
    assert linecache.cache == {}, "no source was read, and kept for good, to say so"


async def test_one_that_stands_for_ever_is_told_while_it_stands() -> None:
    stuck = Event()
    watchdog = LoopWatchdog(lambda _: None, on_stuck=lambda _: stuck.set(), stuck_s=0.5)
    watchdog.start()
    try:
        await asyncio.sleep(0)
        stuck.wait(10)  # in the loop, on purpose
    finally:
        watchdog.stop()
    assert stuck.is_set()


async def _block() -> None:
    await asyncio.sleep(0)
    time.sleep(1.0)  # noqa: ASYNC251  that is what it does wrong
