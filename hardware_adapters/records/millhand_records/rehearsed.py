"""Documents of a rehearsal: a folder's files are handed out by a timetable and stay where they are.

For simulated plants and demonstrations, so that one command runs a whole story again and again.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path
from types import TracebackType
from typing import ClassVar, Self

from pydantic import BaseModel, ConfigDict, Field

from millhand.contracts import DocumentRef, Link
from millhand.errors import ConfigError
from millhand.messages import tr
from millhand.scenario.units import Duration
from millhand_records.faces import ReceivesOnly, reference


class RehearsedConfig(BaseModel):
    """A folder and when its files come."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    path: Path = Field(description="The folder with the files.")
    at: dict[str, Duration] = Field(
        min_length=1, description="File to the time after the start at which it comes in."
    )
    max_file_mb: float = Field(default=20.0, gt=0, le=200, description="Larger ones are refused.")


class RehearsedAdapter(ReceivesOnly):
    """Hands out files by a timetable (:class:`millhand.contracts.Records`)."""

    Config: ClassVar[type[BaseModel]] = RehearsedConfig

    def __init__(self, name: str, config: RehearsedConfig) -> None:
        super().__init__(name)
        self._config = config
        self._files: list[tuple[float, str, bytes]] = []

    async def __aenter__(self) -> Self:
        """Read the files.

        Raises:
            ConfigError: one is missing or too large.
        """
        self._files = await asyncio.to_thread(self._load)
        self._report(Link.UP)
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._report(Link.DOWN)

    def _load(self) -> list[tuple[float, str, bytes]]:
        files = []
        for name, at in self._config.at.items():
            path = self._config.path / name
            try:
                if path.stat().st_size > self._config.max_file_mb * 2**20:
                    raise ConfigError(tr("{file} is too large.", file=path))
                files.append((at, name, path.read_bytes()))
            except OSError as error:
                raise ConfigError(
                    tr("{file} cannot be read: {error}.", file=path, error=error)
                ) from error
        return sorted(files)

    async def receive(self) -> AsyncIterator[tuple[DocumentRef, bytes]]:
        """Yield each file when its time has come, counted from the first call; then no more."""
        clock = asyncio.get_running_loop()
        start = clock.time()
        for at, name, content in self._files:
            await asyncio.sleep(max(start + at - clock.time(), 0.0))
            yield reference(content, name, self._name), content
        await asyncio.Event().wait()
