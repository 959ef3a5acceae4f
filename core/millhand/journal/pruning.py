"""Removes old sealed segments: first the chain says so, then they go, a few rows at a time."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import TYPE_CHECKING

from millhand.journal.entries import Entry
from millhand.journal.records import Checkpoint, Pruned

if TYPE_CHECKING:
    from millhand.journal.store import Store
    from millhand.journal.stored import StoredJournal

_PAGE = 100
_ROWS = 200
"""Removed in one transaction: some milliseconds, in which a decision may wait."""
_PAUSE_S = 0.02


def prune(
    journal: StoredJournal,
    store: Store,
    say: Callable[[Pruned], None],
    older_than_utc_ns: int,
    keep_from: int | None,
) -> Pruned | None:
    """See :meth:`~millhand.journal.journal.Journal.prune`; ``say`` puts it on disk first."""
    first = journal.read(limit=1)
    if not first:
        return None
    seal = _newest_seal(journal, older_than_utc_ns, keep_from)
    if seal is not None and seal.seq > first[0].seq:
        pruned = Pruned(
            first_seq=first[0].seq,
            last_seq=seal.seq - 1,
            head=seal.prev,
            older_than_utc_ns=older_than_utc_ns,
        )
        say(pruned)
    else:
        pruned = None
    last = journal.last("pruned")
    if last is not None and isinstance(last.record, Pruned):
        while not journal.closed and store.remove_before(last.record.last_seq + 1, _ROWS):
            time.sleep(_PAUSE_S)
    return pruned


def _newest_seal(
    journal: StoredJournal, older_than_utc_ns: int, keep_from: int | None
) -> Entry | None:
    """Return the newest checkpoint that seals nothing that is to be kept."""
    before = None if keep_from is None else keep_from + 1
    while page := journal.read(
        kinds=("checkpoint",), before=before, limit=_PAGE, newest_first=True
    ):
        for entry in page:
            if entry.at_utc_ns < older_than_utc_ns and isinstance(entry.record, Checkpoint):
                return entry
        before = page[-1].seq
    return None
