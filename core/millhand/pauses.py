"""Pauses of the garbage collector, and how the processes that are ours avoid the long ones."""

from __future__ import annotations

import gc


def freeze_start() -> None:
    """Take all that starting up has made out of the garbage collector's sight, for good.

    A full collection looks at every object that was ever imported, for 50 ms and more with a
    protocol library loaded, and whatever is due waits. Call it once, when all is opened, in a
    process whose only business is Millhand; whoever embeds the engine decides for their own.
    """
    gc.collect()
    gc.freeze()
