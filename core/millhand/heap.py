"""What the C library keeps of freed memory, in the processes that are ours."""

from __future__ import annotations

import ctypes
import sys

_M_TRIM_THRESHOLD, _M_MMAP_THRESHOLD, _M_ARENA_MAX = -1, -3, -8
_PICTURE_BYTES = 128 * 1024
"""From this size on an allocation is a mapping of its own, which goes when it is freed."""


def keep_heap_small() -> bool:
    """Have freed memory given back, so that a busy minute does not leave the process bigger.

    glibc gives each thread a heap of its own, and after the first big block was freed it takes the
    next ones from those heaps too, where one small block that lives on holds all below it. A cell
    handles pictures of all sizes in a few threads for months: one heap, and pictures apart. Call it
    before threads are started, in a process whose only business is Millhand; whoever embeds the
    engine decides for their own.

    Returns:
        Whether the C library has such settings; others are left as they are.
    """
    if not sys.platform.startswith("linux"):
        return False
    mallopt = getattr(ctypes.CDLL(None), "mallopt", None)
    if mallopt is None:  # musl
        return False
    settings = {
        _M_ARENA_MAX: 1,
        _M_MMAP_THRESHOLD: _PICTURE_BYTES,
        _M_TRIM_THRESHOLD: 2 * _PICTURE_BYTES,
    }
    return all(mallopt(name, value) == 1 for name, value in settings.items())
