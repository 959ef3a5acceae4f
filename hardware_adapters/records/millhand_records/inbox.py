"""A watched folder: whatever is put there is a document."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path
from types import TracebackType
from typing import ClassVar, Self

import structlog
from pydantic import BaseModel, ConfigDict, Field
from watchfiles import awatch

from millhand.contracts import DocumentRef, Link
from millhand_records.faces import ReceivesOnly, reference
from millhand_records.spool import Spool

log = structlog.get_logger(__name__)

_LOOK_AGAIN_S = 30.0
"""Network drives tell of no change; the folder is looked at this often anyway."""


class InboxConfig(BaseModel):
    """A folder to watch."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    path: Path = Field(description="The folder; made when missing.")
    pattern: str = Field(default="*", description="Which files, by name.")
    settle_s: float = Field(
        default=1.0, ge=0, le=600, description="A file must have been left alone so long, in s."
    )
    max_file_mb: float = Field(default=20.0, gt=0, le=200, description="Larger ones are refused.")


class InboxAdapter(ReceivesOnly):
    """Takes the files that somebody puts into a folder (:class:`millhand.contracts.Records`)."""

    Config: ClassVar[type[BaseModel]] = InboxConfig

    def __init__(self, name: str, config: InboxConfig) -> None:
        super().__init__(name)
        self._config = config
        self._spool = Spool(
            config.path, config.pattern, config.settle_s, int(config.max_file_mb * 2**20)
        )
        self._changed = asyncio.Event()
        self._closing = asyncio.Event()
        self._watching: asyncio.Task[None] | None = None

    async def __aenter__(self) -> Self:
        """Make the folder and watch it.

        Raises:
            ConfigError: it cannot be used.
        """
        await asyncio.to_thread(self._spool.open)
        self._watching = asyncio.create_task(self._watch())
        self._report(Link.UP)
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._closing.set()
        if self._watching is not None:
            await asyncio.wait([self._watching])
        self._report(Link.DOWN)

    async def _watch(self) -> None:
        try:
            async for _ in awatch(
                self._spool.folder, stop_event=self._closing, recursive=False, debounce=100,
                step=50, rust_timeout=500,
            ):  # fmt: skip
                self._changed.set()
        except (OSError, RuntimeError) as error:
            log.warning("folder_not_watched", folder=str(self._spool.folder), error=str(error))

    async def receive(self) -> AsyncIterator[tuple[DocumentRef, bytes]]:
        """Yield whole files, the oldest first; each is put aside when the next is asked for."""
        while True:
            self._changed.clear()
            try:
                files, more = await asyncio.to_thread(self._spool.ready)
                self._report(Link.UP)
            except OSError as error:
                files, more = [], False
                self._report(Link.DOWN, str(error))
            for path in files:
                taken = await asyncio.to_thread(self._spool.take, path)
                if taken is not None:
                    yield reference(taken[1], path.name, self._name), taken[1]
                    await asyncio.to_thread(self._spool.done, taken[0])
            await self._wait(max(self._config.settle_s, 0.05) if more else _LOOK_AGAIN_S)

    async def _wait(self, at_most_s: float) -> None:
        try:
            async with asyncio.timeout(at_most_s):
                await self._changed.wait()
        except TimeoutError:
            return
