"""A controller in memory: the ``Tags`` face over a dictionary, for tests and examples."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from time import monotonic_ns, time_ns
from types import TracebackType
from typing import Any, ClassVar, Self

from pydantic import BaseModel, ConfigDict, model_validator

from millhand.contracts import (
    Health,
    Link,
    Permit,
    Quality,
    Sample,
    TagInfo,
    Value,
    Write,
    WriteResult,
    WriteStatus,
)


class MemoryConfig(BaseModel):
    """Nothing to configure."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class MemoryTag(BaseModel):
    """Any address does; a bare string is one."""

    model_config = ConfigDict(extra="forbid", frozen=True)
    address: str

    @model_validator(mode="before")
    @classmethod
    def _short(cls, value: Any) -> Any:
        return {"address": value} if isinstance(value, str) else value


class MemoryTags:
    """Holds values by tag name; whoever holds the object sees and sets them.

    ``values`` may be changed from the engine's loop at any time with :meth:`set`; ``on_write`` is
    called with each write that arrives, so that a test can play the PLC.
    """

    Config: ClassVar[type[BaseModel]] = MemoryConfig
    Tag: ClassVar[type[BaseModel]] = MemoryTag

    def __init__(
        self,
        name: str,
        config: BaseModel | None = None,
        tags: Mapping[str, BaseModel] | None = None,
        *,
        values: Mapping[str, Value] | None = None,
        on_write: Callable[[Write], None] | None = None,
    ) -> None:
        del config
        self.name = name
        self.values: dict[str, Value] = {**dict.fromkeys(tags or {}), **(values or {})}
        self.quality: dict[str, Quality] = {}
        self.written: list[Write] = []
        self.link = Link.UP
        self.epoch = 1
        self._on_write = on_write
        self._changed = asyncio.Condition()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.link = Link.DOWN

    def health(self) -> Health:
        """Say the link as it was set."""
        return Health(link=self.link, epoch=self.epoch)

    async def set(self, **values: Value) -> None:
        """Set tags; ``__`` in a name stands for a dot (``trigger__seq``). Wakes subscribers."""
        async with self._changed:
            self.values.update({name.replace("__", "."): value for name, value in values.items()})
            self._changed.notify_all()

    async def browse(self) -> Sequence[TagInfo]:
        """List the tags."""
        return [TagInfo(address=name, type="any", writable=True) for name in self.values]

    async def read(self, tags: Sequence[str]) -> Sequence[Sample]:
        """Read tags; see :class:`millhand.contracts.Tags`."""
        return [self._sample(tag) for tag in tags]

    async def write(self, permit: Permit) -> WriteResult:
        """Take the writes; see :class:`millhand.contracts.Tags`."""
        if self.link is not Link.UP:
            return WriteResult(status=WriteStatus.NOT_SENT, detail="down")
        writes = permit.redeem(self.name)
        for write in writes:
            self.written.append(write)
            self.values[write.tag] = write.value
            if self._on_write is not None:
                self._on_write(write)
        async with self._changed:
            self._changed.notify_all()
        return WriteResult(
            status=WriteStatus.SENT,
            sent=tuple(write.value for write in writes),
            finished_monotonic_ns=monotonic_ns(),
        )

    async def subscribe(
        self, tags: Sequence[str], interval_s: float
    ) -> AsyncIterator[Sequence[Sample]]:
        """Yield what changes; see :class:`millhand.contracts.Tags`."""
        del interval_s
        seen = {tag: self.values.get(tag) for tag in tags}
        yield [self._sample(tag, initial=True) for tag in tags]
        while True:
            async with self._changed:
                await self._changed.wait_for(lambda: bool(self._differing(seen)))
                changed = self._differing(seen)
                seen.update({tag: self.values.get(tag) for tag in changed})
            yield [self._sample(tag) for tag in changed]

    def _differing(self, seen: Mapping[str, Value]) -> list[str]:
        return [tag for tag, value in seen.items() if self.values.get(tag) != value]

    def effective_interval_s(self, interval_s: float) -> float:
        """Changes are seen at once."""
        del interval_s
        return 0.0

    def _sample(self, tag: str, *, initial: bool = False) -> Sample:
        if self.link is not Link.UP:
            quality = Quality.DISCONNECTED
        else:
            unknown = Quality.GOOD if tag in self.values else Quality.BAD
            quality = self.quality.get(tag, unknown)
        return Sample(
            tag=tag,
            value=self.values.get(tag),
            quality=quality,
            received_utc_ns=time_ns(),
            received_monotonic_ns=monotonic_ns(),
            initial=initial,
            epoch=self.epoch,
        )
