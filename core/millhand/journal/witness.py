"""Exports signed heads of the chain as it grows, so that a cut-off tail can be found later."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path
from threading import Condition, Thread
from time import monotonic

import msgspec
from structlog import get_logger

from millhand.journal.chain import ChainHead
from millhand.journal.entries import Entry
from millhand.journal.signing import SignedHead, SigningKey

log = get_logger(__name__)

EVERY_ENTRIES = 1000
EVERY_S = 60.0
_LAST_WORD_S = 5.0
"""How long closing waits for a file on a network that has gone."""


class Witness:
    """A listener of the journal with a thread of its own: a slow or lost share delays no commit.

    Args:
        key: signs.
        file: gets a line for each head; may lie on another machine's share.
        every_entries, every_s: a head is exported after so many entries, or so long after the first
            that no exported head covers; and when the journal is closed.
    """

    def __init__(
        self,
        key: SigningKey,
        file: Path,
        *,
        every_entries: int = EVERY_ENTRIES,
        every_s: float = EVERY_S,
    ) -> None:
        self.fault = ""
        """Why the last export failed; empty while all is well."""
        self._key = key
        self._file = file
        self._every_entries = every_entries
        self._every_s = every_s
        self._changed = Condition()
        self._newest: Entry | None = None
        self._covered = 0
        self._uncovered_since = 0.0
        self._ending = False
        self._line_begins = False
        self._thread = Thread(target=self._run, name="millhand-witness", daemon=True)
        self._thread.start()

    def hear(self, entries: Sequence[Entry]) -> None:
        """Take note of a commit; see :class:`~millhand.journal.cursors.Listener`."""
        with self._changed:
            if self._newest is None or self._newest.seq == self._covered:
                self._uncovered_since = monotonic()
                self._covered = self._covered or entries[0].seq - 1
            self._newest = entries[-1]
            self._changed.notify()

    def end(self) -> None:
        """Export the last head and let go; waits a little, not for ever."""
        with self._changed:
            self._ending = True
            self._changed.notify()
        self._thread.join(_LAST_WORD_S)

    def _run(self) -> None:
        while (newest := self._due()) is not None:
            self._export(newest)

    def _due(self) -> Entry | None:
        """Wait until a head is to be exported; None when there is no more to come."""
        with self._changed:
            while True:
                newest = self._newest
                waiting = newest is not None and newest.seq > self._covered
                if self._ending:
                    return newest if waiting else None
                left_s = None
                if waiting and newest is not None:
                    left_s = self._uncovered_since + self._every_s - monotonic()
                    if left_s <= 0 or newest.seq - self._covered >= self._every_entries:
                        return newest
                self._changed.wait(left_s)

    def _export(self, newest: Entry) -> None:
        head = ChainHead(cell=newest.cell, seq=newest.seq, hash=newest.hash)
        signed = SignedHead(
            cell=head.cell, seq=head.seq, hash=head.hash, signature=self._key.sign(head)
        )
        try:
            with self._file.open("ab+") as file:
                if not self._line_begins and file.tell():
                    file.seek(-1, os.SEEK_END)
                    if file.read(1) != b"\n":  # a power cut has torn the line before
                        file.write(b"\n")
                self._line_begins = False
                file.write(msgspec.json.encode(signed) + b"\n")
                file.flush()
                os.fsync(file.fileno())
                self._line_begins = True
        except OSError as error:
            if not self.fault:
                log.warning("checkpoint_not_exported", file=str(self._file), reason=str(error))
            self.fault = str(error)
        else:
            self.fault = ""
        with self._changed:
            # A head that could not be written is followed by a newer one, in the usual time.
            self._covered, self._uncovered_since = newest.seq, monotonic()
