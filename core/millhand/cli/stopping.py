"""Stopping in good order on Ctrl-C or a service manager's request."""

from __future__ import annotations

import asyncio
import contextlib
import signal
from collections.abc import Iterator


@contextlib.contextmanager
def stop_requested() -> Iterator[asyncio.Event]:
    """Yield an event that Ctrl-C and SIGTERM set; a second Ctrl-C interrupts as usual.

    Use it in a running event loop, in the main thread. Where the system cannot hand signals to
    the loop (Windows), Ctrl-C interrupts at once.
    """
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    handled = []

    def ask(number: int) -> None:
        stop.set()
        loop.remove_signal_handler(number)

    for number in (signal.SIGINT, signal.SIGTERM):
        with contextlib.suppress(NotImplementedError, RuntimeError, ValueError):
            loop.add_signal_handler(number, ask, number)
            handled.append(number)
    try:
        yield stop
    finally:
        for number in handled:
            loop.remove_signal_handler(number)
