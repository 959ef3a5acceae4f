"""Keeps fresh what the guard must know: the tags of the interlocks, read again and again."""

from __future__ import annotations

import asyncio
from collections.abc import MutableMapping, Sequence

from millhand.contracts import Sample, Tags


class TagMonitor:
    """Reads some tags of one device every ``every_s`` and puts the samples into ``latest``.

    A subscription would tell only of changes; the age of an unchanged value is what an interlock
    needs, so the tags are read.
    """

    def __init__(
        self,
        name: str,
        device: Tags,
        tags: Sequence[str],
        every_s: float,
        latest: MutableMapping[str, Sample],
    ) -> None:
        self.name = name
        self._device = device
        self._tags = tuple(tags)
        self._every_s = every_s
        self._latest = latest

    async def refresh(self) -> None:
        """Read all tags once."""
        for sample in await self._device.read(self._tags):
            self._latest[f"{self.name}.{sample.tag}"] = sample

    async def run(self) -> None:
        """Read for ever."""
        while True:
            await self.refresh()
            await asyncio.sleep(self._every_s)
