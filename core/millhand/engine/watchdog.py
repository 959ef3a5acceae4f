"""Notices from a thread of its own that the engine's loop stands still, and says who holds it."""

from __future__ import annotations

import asyncio
import sys
import traceback
from collections.abc import Callable
from threading import Event, Thread, get_ident
from time import monotonic

from msgspec import Struct

BLOCKED_S = 0.25
"""The loop is expected to come round within this time."""
_EVERY_S = 0.25


class Blocked(Struct, frozen=True):
    """The loop stood still."""

    task: str
    """Name of the task that held it, as far as is known."""
    where: str
    """The innermost line outside the standard library: file, line and function."""
    seconds: float


class LoopWatchdog:
    """Watches the loop that starts it.

    Args:
        on_blocked: told in the loop, once it goes round again.
        on_stuck: told in the watchdog's thread when the loop has stood for ``stuck_s``; for a
            program that would rather end than stand.
        stuck_s: seconds after which a loop is stuck.
    """

    def __init__(
        self,
        on_blocked: Callable[[Blocked], None],
        *,
        on_stuck: Callable[[Blocked], None] | None = None,
        stuck_s: float = 10.0,
    ) -> None:
        self._on_blocked = on_blocked
        self._on_stuck = on_stuck
        self._stuck_s = stuck_s
        self._loop = asyncio.get_running_loop()
        self._loops_thread = get_ident()
        self._round = Event()
        self._ended = Event()
        self._thread = Thread(target=self._watch, name="millhand-watchdog", daemon=True)

    def start(self) -> None:
        """Begin to watch."""
        self._thread.start()

    def stop(self) -> None:
        """End the thread."""
        self._ended.set()
        self._round.set()
        self._thread.join()

    def _watch(self) -> None:
        while not self._ended.wait(_EVERY_S):
            self._round.clear()
            asked = monotonic()
            try:
                self._loop.call_soon_threadsafe(self._round.set)
            except RuntimeError:  # the loop is closed
                return
            if not self._round.wait(BLOCKED_S):
                self._follow(asked)

    def _follow(self, asked: float) -> None:
        """Say who holds the loop, then wait for it to go round."""
        task, where = self._culprit()
        told = False
        while not self._round.wait(0.1):
            seconds = monotonic() - asked
            if seconds > self._stuck_s and self._on_stuck is not None and not told:
                told = True
                self._on_stuck(Blocked(task, where, seconds))
        if self._ended.is_set():
            return
        blocked = Blocked(task, where, monotonic() - asked)
        try:
            self._loop.call_soon_threadsafe(self._on_blocked, blocked)
        except RuntimeError:
            return

    def _culprit(self) -> tuple[str, str]:
        task = asyncio.current_task(self._loop)
        # The one way to see another thread; documented for exactly this.
        frame = sys._current_frames().get(self._loops_thread)  # noqa: SLF001
        library = sys.prefix, sys.base_prefix
        name = "" if task is None else task.get_name()
        # Innermost first, and without the lines of source that a traceback would read and keep.
        for one, line in traceback.walk_stack(frame) if frame is not None else ():
            code = one.f_code
            if "site-packages" in code.co_filename or not _within(code.co_filename, library):
                return name, f"{code.co_filename}:{line}, {code.co_name}"
        return name, ""


def _within(file: str, folders: tuple[str, ...]) -> bool:
    return file.startswith(("<", *folders))
