"""A cancellation that a library swallows must reach whoever set the time limit."""

from __future__ import annotations

import asyncio
from contextlib import suppress

import pytest

from millhand_opcua.cancelling import cancellation_kept


async def swallow() -> str:
    """Answer, as ``asyncio.wait_for`` does when answer and cancellation come together."""
    try:
        await asyncio.Event().wait()
    except asyncio.CancelledError:
        return "the answer"
    return ""


async def limited() -> None:
    async with asyncio.timeout(0.01):
        with cancellation_kept():
            await swallow()
        await asyncio.Event().wait()  # where it would hang for ever


async def test_a_swallowed_cancellation_is_raised_again() -> None:
    with pytest.raises(TimeoutError):
        await limited()


async def fail() -> None:
    """Fail, as ``asyncio.wait_for`` does when a lost connection and a cancellation meet."""
    try:
        await asyncio.Event().wait()
    except asyncio.CancelledError:
        raise ConnectionError from None


async def test_a_cancellation_that_an_error_hid_is_raised_all_the_same() -> None:
    async def try_twice() -> None:
        for _ in range(2):
            with suppress(OSError), cancellation_kept():
                await fail()

    task = asyncio.create_task(try_twice())
    await asyncio.sleep(0)
    task.cancel()
    done, _ = await asyncio.wait([task], timeout=1)
    assert done == {task}
    assert task.cancelled()


async def test_an_error_without_a_cancellation_stays_what_it_is() -> None:
    with pytest.raises(ConnectionError), cancellation_kept():
        raise ConnectionError


class WithResult(asyncio.CancelledError):
    """As wait_for2 raises it."""


async def with_result() -> None:
    async with asyncio.timeout(0.01):
        with cancellation_kept():
            try:
                await asyncio.Event().wait()
            except asyncio.CancelledError:
                raise WithResult from None


async def test_a_cancellation_of_another_class_ends_the_time_limit_too() -> None:
    with pytest.raises(TimeoutError):
        await with_result()


async def test_cleaning_up_after_a_cancellation_is_not_cancelled_again() -> None:
    cleaned = asyncio.Event()

    async def work() -> None:
        try:
            await asyncio.Event().wait()
        finally:
            with cancellation_kept():
                await asyncio.sleep(0)
            cleaned.set()

    task = asyncio.create_task(work())
    await asyncio.sleep(0)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert cleaned.is_set()
