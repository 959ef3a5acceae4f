"""What is left of something that was closed: tasks, sockets, threads."""

from __future__ import annotations

import asyncio
import gc
import threading
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

_FDS = Path("/proc/self/fd")
OWN_THREADS = "millhand-peer"
"""Threads of the test's own devices begin with this and do not count."""


@dataclass(frozen=True, slots=True)
class Residue:
    """The tasks, sockets and threads of this process at one moment.

    Sockets are seen where the system lists them (Linux); elsewhere they are taken as none.
    """

    tasks: frozenset[asyncio.Task[Any]]
    sockets: frozenset[str]
    threads: frozenset[threading.Thread]

    @classmethod
    def now(cls) -> Self:
        """Look. Call it on the loop whose tasks count."""
        return cls(frozenset(_tasks()), frozenset(_sockets()), frozenset(_threads()))

    def added(self) -> list[str]:
        """Name what is there now and was not then."""
        now = Residue.now()
        return sorted(
            [
                *(f"task {task.get_name()}" for task in now.tasks - self.tasks),
                *(f"socket {name}" for name in now.sockets - self.sockets),
                *(f"thread {thread.name}" for thread in now.threads - self.threads),
            ]
        )

    async def wait_none_added(self, within_s: float = 3.0) -> list[str]:
        """Return what is still added after ``within_s``, as soon as nothing is: an empty list.

        The system closes sockets, and threads end, a little after they were told to.
        """
        until = time.monotonic() + within_s
        while True:
            gc.collect()
            left = self.added()
            if not left or time.monotonic() > until:
                return left
            await asyncio.sleep(0.02)


def _tasks() -> set[asyncio.Task[Any]]:
    try:
        return asyncio.all_tasks()
    except RuntimeError:
        return set()


def _sockets() -> set[str]:
    found = set()
    for entry in _FDS.iterdir() if _FDS.exists() else ():
        try:
            target = str(entry.readlink())
        except OSError:
            continue
        if target.startswith("socket:"):
            found.add(target)
    return found


def _threads() -> list[threading.Thread]:
    return [one for one in threading.enumerate() if not one.name.startswith(OWN_THREADS)]
