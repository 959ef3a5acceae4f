"""What cursors, exports and proofs need of a journal, and what listens to one."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import Protocol

from millhand.journal.entries import Entry


class Readable(Protocol):
    """A journal, as its readers see it."""

    @property
    def cell(self) -> str:
        """Whose it is."""
        ...

    @property
    def head(self) -> int:
        """Sequence number of the last durable entry."""
        ...

    def read(
        self,
        after: int = 0,
        *,
        before: int | None = None,
        kinds: Collection[str] | None = None,
        limit: int | None = 1000,
        newest_first: bool = False,
    ) -> list[Entry]:
        """Return stored entries in order of their numbers."""
        ...


class Watched(Readable, Protocol):
    """A journal that may grow while it is read."""

    @property
    def live(self) -> bool:
        """Whether this process writes it, so that listeners are woken."""
        ...

    @property
    def closed(self) -> bool:
        """Whether nothing more will come."""
        ...

    def listen(self, listener: Listener) -> int:
        """Tell ``listener`` of everything after the sequence number returned."""
        ...


class Listener(Protocol):
    """Somebody who is told of commits, from the writer's thread; must not block or raise."""

    def hear(self, entries: Sequence[Entry]) -> None:
        """Take note of entries just committed."""
        ...

    def end(self) -> None:
        """Nothing more will come."""
        ...
