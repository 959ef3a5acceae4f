"""One thread for a device whose library blocks."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import Future
from contextlib import suppress
from queue import SimpleQueue
from threading import Thread
from typing import Generic, TypeVar

T = TypeVar("T")


class _Task(Generic[T]):
    """A call to make, and the future that waits for what it returns."""

    def __init__(self, call: Callable[[], T]) -> None:
        self.call = call
        self.future: Future[T] = Future()

    def run(self) -> None:
        if not self.future.set_running_or_notify_cancel():
            return
        try:
            outcome = self.call()
        except BaseException as error:
            self.future.set_exception(error)
            if not isinstance(error, Exception):
                raise
        else:
            self.future.set_result(outcome)


class DeviceThread:
    """Runs calls one after the other in a thread of its own.

    Unlike an executor's, the thread does not hold up the end of the program when a device never
    answers.
    """

    def __init__(self, name: str) -> None:
        self._tasks: SimpleQueue[_Task[object] | None] = SimpleQueue()
        self._thread = Thread(target=self._work, name=name, daemon=True)
        self._thread.start()

    def submit(self, call: Callable[[], T]) -> Future[T]:
        """Queue a call; returns at once."""
        task = _Task(call)
        self._tasks.put(task)  # type: ignore[arg-type]  # the queue does not look at the result
        return task.future

    def close(self, wait_s: float) -> bool:
        """End the thread after what is queued; say whether it ended within ``wait_s``."""
        self._tasks.put(None)
        self._thread.join(wait_s)
        return not self._thread.is_alive()

    def _work(self) -> None:
        with suppress(KeyboardInterrupt):
            while (task := self._tasks.get()) is not None:
                task.run()
