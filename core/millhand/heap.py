"""What the C library keeps of freed memory, in the processes that are ours."""

from __future__ import annotations

import ctypes
import sys
from collections.abc import Callable
from threading import Thread
from time import sleep

_EVERY_S = 60.0


def keep_heap_small(every_s: float = _EVERY_S) -> bool:
    """Have freed memory given back from now on: a busy minute does not leave a process bigger.

    glibc gives each thread a heap of its own and returns only what lies free at a heap's end, where
    one small block that lives on holds all below it. A cell handles pictures of all sizes in a few
    threads for months. So every page that is free is given back now and then (``malloc_trim``, man
    page malloc_trim(3)), by a thread that needs the interpreter's lock for a moment only. Lower
    thresholds of ``mallopt`` would keep the process smaller still, but make each picture a mapping
    of its own: a sum over 500 x 500 pixels then takes ten times as long.

    Meant for processes whose only business is Millhand; whoever embeds the engine decides for their
    own.

    Args:
        every_s: seconds between two times.

    Returns:
        Whether the C library can do it; others are left as they are.
    """
    if not sys.platform.startswith("linux"):
        return False
    trim = getattr(ctypes.CDLL(None), "malloc_trim", None)
    if trim is None:  # musl
        return False
    Thread(target=_give_back, args=(trim, every_s), name="heap", daemon=True).start()
    return True


def _give_back(trim: Callable[[int], int], every_s: float) -> None:
    while True:
        sleep(every_s)
        trim(0)
