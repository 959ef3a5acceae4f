"""Keeps a cancellation that a library has swallowed."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def cancellation_kept() -> Iterator[None]:
    """Raise the cancellation of the current task that came, and was lost, inside the block.

    asyncua awaits by ``asyncio.wait_for``, which before Python 3.12 forgets a cancellation that
    comes together with the answer: whoever had set a time limit would then wait for ever.
    """
    task = asyncio.current_task()
    before = 0 if task is None else task.cancelling()
    yield
    if task is not None and task.cancelling() > before:
        raise asyncio.CancelledError
