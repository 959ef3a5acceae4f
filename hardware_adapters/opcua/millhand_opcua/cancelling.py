"""Keeps a cancellation that a library has swallowed."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def cancellation_kept() -> Iterator[None]:
    """Raise the cancellation that came inside the block, as asyncio's own and never lost.

    asyncua awaits by a ``wait_for`` that, where a cancellation comes together with the answer or
    with the end of the connection, forgets it (asyncio's before Python 3.12) or raises a class of
    its own (wait_for2), which ``asyncio.timeout`` does not take for its own: whoever had set a
    time limit or stopped the link would wait for ever, or end as if cancelled.
    """
    task = asyncio.current_task()
    before = 0 if task is None else task.cancelling()
    try:
        yield
    except asyncio.CancelledError as error:
        if type(error) is asyncio.CancelledError:
            raise
        raise asyncio.CancelledError from error
    except Exception as error:
        if _cancelled_since(task, before):
            raise asyncio.CancelledError from error
        raise
    if _cancelled_since(task, before):
        raise asyncio.CancelledError


def _cancelled_since(task: asyncio.Task[object] | None, before: int) -> bool:
    return task is not None and task.cancelling() > before
