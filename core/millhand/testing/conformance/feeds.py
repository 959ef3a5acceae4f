"""Reading a subscription in a test: with time-outs, and by what has been seen so far."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from typing import Any

from millhand.contracts import Health, Link, Sample


class Feed:
    """A subscription under test; ``latest`` is the newest sample of each tag."""

    def __init__(self, batches: AsyncIterator[Sequence[Sample]], patience_s: float) -> None:
        self.latest: dict[str, Sample] = {}
        self.seen: list[Sample] = []
        self._batches = batches
        self._patience_s = patience_s

    async def next(self) -> list[Sample]:
        """Return the next batch; a TimeoutError tells what was seen last."""
        try:
            async with asyncio.timeout(self._patience_s):
                batch = list(await anext(self._batches))
        except TimeoutError:
            raise TimeoutError(f"no batch came; seen last: {self.latest}") from None
        self.seen += batch
        self.latest.update({sample.tag: sample for sample in batch})
        return batch

    async def until(self, holds: Callable[[dict[str, Sample]], Any]) -> list[Sample]:
        """Read on until the latest samples fit; return the batch with which they did."""
        async with asyncio.timeout(self._patience_s):
            while True:
                batch = await self.next()
                if holds(self.latest):
                    return batch


@asynccontextmanager
async def following(
    adapter: Any, tags: Sequence[str], interval_s: float, patience_s: float
) -> AsyncIterator[Feed]:
    """Subscribe for the block."""
    batches = adapter.subscribe(tags, interval_s)
    try:
        yield Feed(batches, patience_s)
    finally:
        await batches.aclose()


async def until_link(adapter: Any, link: Link, patience_s: float) -> Health:
    """Wait until ``health`` says ``link``."""
    try:
        async with asyncio.timeout(patience_s):
            while adapter.health().link is not link:  # noqa: ASYNC110
                await asyncio.sleep(0.01)  # health has no event to wait for
    except TimeoutError:
        raise TimeoutError(f"the link is not {link} but {adapter.health()}") from None
    health: Health = adapter.health()
    return health
