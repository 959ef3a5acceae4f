"""A cell's journal as it is stored: read, counted, proven and exported."""

from __future__ import annotations

from collections.abc import Collection
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO

from millhand.errors import ConfigError, Unavailable
from millhand.journal.chain import ChainHead
from millhand.journal.entries import Entry
from millhand.messages import tr

if TYPE_CHECKING:
    from millhand.journal.store import Size, Store
    from millhand.journal.verifying import Proof, VerifyReport

_PAGE = 1000


class StoredJournal:
    """What can be asked of a journal, whoever writes it; from any thread."""

    def __init__(self, cell: str) -> None:
        self._cell = cell
        self._store: Store | None = None
        self._closed = False

    @property
    def cell(self) -> str:
        """Whose journal it is."""
        return self._cell

    @property
    def head(self) -> int:
        """Sequence number of the last durable entry, 0 for none. Reads the store."""
        return self.chain_head().seq

    @property
    def live(self) -> bool:
        """Whether this process writes it, so that listeners are woken."""
        return False

    @property
    def closed(self) -> bool:
        """Whether it was closed."""
        return self._closed

    def read(
        self,
        after: int = 0,
        *,
        before: int | None = None,
        kinds: Collection[str] | None = None,
        subject: str | None = None,
        part: str | None = None,
        id: str | None = None,  # noqa: A002  # the column's name
        limit: int | None = 1000,
        newest_first: bool = False,
    ) -> list[Entry]:
        """Return the entries with ``after < seq < before`` that match all that is given.

        Blocks for the database, some 0.1 ms for a few entries.

        Raises:
            Unavailable: it cannot be read now.
        """
        from millhand.journal.store import Filter

        return self._stored().select(
            Filter(after, before, None if kinds is None else tuple(set(kinds)), subject, part, id),
            limit=limit,
            newest_first=newest_first,
        )

    def last(self, kind: str, subject: str | None = None) -> Entry | None:
        """Return the newest entry of a kind (and subject), or None."""
        found = self.read(kinds=(kind,), subject=subject, limit=1, newest_first=True)
        return found[0] if found else None

    def count(self, kind: str | None = None, subject: str | None = None) -> int:
        """Count entries; reads an index once over, some 0.1 s a million."""
        from millhand.journal.store import Filter

        kinds = None if kind is None else (kind,)
        return self._stored().count(Filter(kinds=kinds, subject=subject))

    # --- proof ---

    def chain_head(self) -> ChainHead:
        """Return the chain's end, to be kept outside this machine."""
        from millhand.journal.store import Filter, head_of

        return head_of(self._cell, self._stored().select(Filter(), limit=1, newest_first=True))

    def verify(
        self, against: ChainHead | None = None, *, proof: Proof | None = None
    ) -> VerifyReport:
        """Walk the whole chain up to now and report every edit, deletion and reordering.

        Args:
            against: a head exported earlier. Without one, a tail that was cut off cannot be
                found: the chain before it is whole.
            proof: signatures to hold it against
                (:class:`~millhand.journal.proof.SignedProof`). Without a signature or a head,
                a chain that somebody has written anew, every hash, is whole.

        Raises:
            ConfigError: ``against`` is another cell's.
        """
        if against is not None and against.cell != self._cell:
            raise ConfigError(
                tr(
                    "The exported head is of cell {other}, the journal of cell {cell}.",
                    other=against.cell,
                    cell=self._cell,
                )
            )
        from millhand.journal.verifying import Verifier

        verifier = Verifier(self._cell, against, proof)
        position = 0
        try:
            end = self.chain_head().seq + 1
            while page := self.read(position, before=end, limit=_PAGE):
                verifier.walk(page)
                position = page[-1].seq
        except Unavailable as error:
            verifier.unreadable(error.message)
        return verifier.report()

    def export(
        self,
        target: Path | str | BinaryIO,
        after: int = 0,
        format: str = "jsonl",  # noqa: A002
    ) -> ChainHead:
        """Write entries after ``after`` to a file (whole or not at all) or a binary stream.

        Returns:
            The last entry written, which proves all before it.

        Raises:
            ConfigError: the format is not known.
            Unavailable: the target cannot be written, or the journal not be read.
        """
        from millhand.journal.export import export

        return export(self, target, after=after, form=format)

    def size(self) -> Size:
        """Say how much room the journal takes and has."""
        return self._stored().size()

    def _stored(self) -> Store:
        if self._store is None or self._closed:
            raise Unavailable(tr("The journal is not open."))
        return self._store
