"""How callers of the journal learn that their entries are on disk, or are not."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Callable
from typing import Protocol

from millhand.journal.entries import Entry


class Answer(Protocol):
    """How a caller learns how its call ended: a :class:`concurrent.futures.Future`, or less."""

    def set_running_or_notify_cancel(self) -> bool:
        """Say whether it is still wanted; from here on it cannot be cancelled."""
        ...

    def set_result(self, entries: list[Entry], /) -> None:
        """The entries are on disk."""
        ...

    def set_exception(self, error: BaseException, /) -> None:
        """They are not."""
        ...


class LoopAnswer:
    """An answer to a coroutine, at half the price of wrapping a thread's future."""

    __slots__ = ("future", "loop")

    def __init__(self) -> None:
        self.loop = asyncio.get_running_loop()
        self.future: asyncio.Future[list[Entry]] = self.loop.create_future()

    def set_running_or_notify_cancel(self) -> bool:
        """See :class:`Answer`."""
        return not self.future.cancelled()

    def set_result(self, entries: list[Entry], /) -> None:
        """See :class:`Answer`."""
        hand_over(self.loop, [(self, entries)])

    def set_exception(self, error: BaseException, /) -> None:
        """See :class:`Answer`."""
        with contextlib.suppress(RuntimeError):  # the loop is closed: nobody waits any more
            self.loop.call_soon_threadsafe(self._fail, error)

    def _fail(self, error: BaseException) -> None:
        if not self.future.done():
            self.future.set_exception(error)


class Unattended:
    """The answer of a call that nobody waits for; only a failure is told, by the writer's thread.

    It has no lock and wakes nobody, which is most of the price of a small call.
    """

    __slots__ = ("_on_failure",)

    def __init__(self, on_failure: Callable[[BaseException], None]) -> None:
        self._on_failure = on_failure

    def set_running_or_notify_cancel(self) -> bool:
        """See :class:`Answer`."""
        return True

    def set_result(self, entries: list[Entry], /) -> None:
        """See :class:`Answer`."""

    def set_exception(self, error: BaseException, /) -> None:
        """See :class:`Answer`."""
        self._on_failure(error)


Ended = list[tuple[LoopAnswer, list[Entry]]]


def hand_over(loop: asyncio.AbstractEventLoop, ended: Ended) -> None:
    """Wake the coroutines of one loop whose calls one commit has ended: one wake-up for all."""
    with contextlib.suppress(RuntimeError):  # the loop is closed: nobody waits any more
        loop.call_soon_threadsafe(_succeed_all, ended)


def _succeed_all(ended: Ended) -> None:
    for answer, entries in ended:
        if not answer.future.done():
            answer.future.set_result(entries)
