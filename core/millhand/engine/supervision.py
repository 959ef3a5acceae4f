"""Supervision: the one place where the engine creates tasks.

Children are described by a :class:`Child`: what to run, how often it may fail within how long
before it is given up (the restart intensity of OTP supervisors), and what to do then. A child
that fails is restarted after a short, growing, jittered pause; its failure is told once.
"""

from __future__ import annotations

import asyncio
import random
from collections import deque
from collections.abc import Awaitable, Callable, Coroutine
from dataclasses import dataclass
from time import monotonic
from typing import Any, Self

import structlog

from millhand.errors import MillhandError, NeedsPerson

log = structlog.get_logger(__name__)

_CANCEL_AGAIN_S = 1.0

FailureHandler = Callable[[str, BaseException, bool], None]
"""Name of the child, what it raised, and whether it was given up."""


@dataclass(frozen=True, slots=True)
class Child:
    """A long-running activity. Returning normally means that it is finished."""

    name: str
    run: Callable[[], Awaitable[None]]
    restarts: int = 5
    within_s: float = 60.0
    on_given_up: Callable[[], None] | None = None


class Supervisor:
    """Runs children in a task group, and short jobs beside it; nothing outlives it."""

    def __init__(self, on_failure: FailureHandler) -> None:
        self._on_failure = on_failure
        self._group = asyncio.TaskGroup()
        self._children: set[asyncio.Task[None]] = set()
        self._jobs: set[asyncio.Task[Any]] = set()

    async def __aenter__(self) -> Self:
        await self._group.__aenter__()
        return self

    async def __aexit__(self, *error: object) -> None:
        await asyncio.sleep(0)  # so that what was just created has begun and can clean up
        jobs = [*self._jobs]
        pending = {*self._children, *jobs}
        while pending:
            for task in pending:
                task.cancel()
            # Before Python 3.12 asyncio.wait_for may swallow a cancellation: ask again.
            _, pending = await asyncio.wait(pending, timeout=_CANCEL_AGAIN_S)
        await self._group.__aexit__(None, None, None)

    def start(self, child: Child) -> asyncio.Task[None]:
        """Start a child; it runs until it returns, is given up, or the supervisor closes."""
        task = self._group.create_task(self._supervise(child), name=child.name)
        self._children.add(task)
        task.add_done_callback(self._children.discard)
        return task

    def job(self, work: Coroutine[Any, Any, None], name: str) -> asyncio.Task[None]:
        """Run a short job once; a failure is told, never raised.

        Jobs are many, one for each decision, so they are kept without callbacks of the loop.
        """
        task = asyncio.get_running_loop().create_task(self._once(work, name), name=name)
        self._jobs.add(task)
        return task

    async def drain(self, timeout_s: float) -> None:
        """Wait for the jobs under way, at most ``timeout_s``."""
        if self._jobs:
            await asyncio.wait(self._jobs, timeout=timeout_s)

    async def _once(self, work: Coroutine[Any, Any, None], name: str) -> None:
        try:
            await work
        except Exception as error:  # noqa: BLE001  a job's failure must not end its neighbours
            self.tell(name, error, given_up=True)
        finally:
            task = asyncio.current_task()
            assert task is not None
            self._jobs.discard(task)

    async def _supervise(self, child: Child) -> None:
        failures: deque[float] = deque(maxlen=child.restarts)
        while True:
            try:
                await child.run()
            except Exception as error:  # noqa: BLE001  a child's failure must not end its neighbours
                now = monotonic()
                exhausted = len(failures) == child.restarts and now - failures[0] < child.within_s
                given_up = exhausted or isinstance(error, NeedsPerson)
                failures.append(now)
                self.tell(child.name, error, given_up=given_up)
                if given_up:
                    if child.on_given_up is not None:
                        child.on_given_up()
                    return
                await asyncio.sleep(back_off_s(len(failures) - 1))
            else:
                return

    def tell(self, name: str, error: BaseException, *, given_up: bool) -> None:
        """Log a failure and tell whoever made this supervisor."""
        expected = isinstance(error, MillhandError)
        log.warning(
            "child_failed",
            child=name,
            error=str(error) or type(error).__name__,
            given_up=given_up,
            exc_info=None if expected else error,
        )
        self._on_failure(name, error, given_up)


def back_off_s(attempt: int, *, first_s: float = 0.05, cap_s: float = 5.0) -> float:
    """Pause before attempt number ``attempt`` + 1: exponential with full jitter, capped."""
    return random.uniform(0.5, 1.0) * min(cap_s, first_s * 2.0**attempt)  # noqa: S311
