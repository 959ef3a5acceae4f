"""A bounded queue of batches between a feed and its reader, which loses history, never state."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Sequence

from msgspec.structs import replace

from millhand.contracts import Sample


class BatchQueue:
    """Holds at most ``limit`` batches.

    When it is full the two oldest are merged: of a tag in both the newer sample stays, marked
    ``gap``, and the older is counted in :attr:`dropped`. So memory is bounded, and a slow
    reader still ends with the present value of every tag.
    """

    def __init__(self, limit: int) -> None:
        self.dropped = 0
        self._limit = limit
        self._batches: deque[Sequence[Sample]] = deque()
        self._filled = asyncio.Event()
        self._closed = False
        self._error: BaseException | None = None

    def put(self, batch: Sequence[Sample]) -> None:
        """Append a batch; never waits."""
        if not batch or self._closed:
            return
        self._batches.append(batch)
        if len(self._batches) > self._limit:
            oldest, second = self._batches.popleft(), self._batches.popleft()
            self._batches.appendleft(self._merge(oldest, second))
        self._filled.set()

    def _merge(self, older: Sequence[Sample], newer: Sequence[Sample]) -> list[Sample]:
        merged = {sample.tag: sample for sample in older}
        for sample in newer:
            before = merged.get(sample.tag)
            if before is not None:
                self.dropped += 1
                sample = replace(sample, gap=True, initial=sample.initial or before.initial)
            merged[sample.tag] = sample
        return list(merged.values())

    def close(self, error: BaseException | None = None) -> None:
        """Let the reader end once it has taken what is there; ``error`` is raised to it."""
        self._closed = True
        self._error = error
        self._filled.set()

    async def get(self) -> Sequence[Sample] | None:
        """Return the oldest batch, or None when closed and empty."""
        while not self._batches:
            if self._error is not None:
                raise self._error
            if self._closed:
                return None
            self._filled.clear()
            await self._filled.wait()
        return self._batches.popleft()
