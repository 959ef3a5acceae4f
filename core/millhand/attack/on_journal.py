"""Attacks on the record: each on a copy of the attacked cell's journal, as an intruder would."""

from __future__ import annotations

import contextlib
import sqlite3
from pathlib import Path
from typing import ClassVar

from millhand.attack.arena import Arena
from millhand.attack.attack import Finding, judged
from millhand.journal.chain import GENESIS, ChainHead, entry_hash
from millhand.journal.entries import NewEntry
from millhand.journal.journal import Journal
from millhand.journal.verifying import FaultKind
from millhand.messages import tr

_FEW = 5


class _OnCopy:
    """Changes a copy of the journal and lets `millhand journal verify` look at it."""

    title: str
    promise = 10
    expected: ClassVar[frozenset[FaultKind]]

    async def run(self, arena: Arena) -> Finding:
        """Copy, change, verify against the head that was kept."""
        await arena.settled_parts(1)
        copy = arena.folder / f"{type(self).__name__}.sqlite"
        head = _copied(arena.journal_file, copy, arena.scenario.name)
        with contextlib.closing(sqlite3.connect(copy)) as database:
            for (name,) in database.execute(
                "SELECT name FROM sqlite_master WHERE type = 'trigger'"
            ).fetchall():
                database.execute(f'DROP TRIGGER "{name}"')
            self.change(database, arena.scenario.name)
            database.commit()
        with Journal.open_readonly(copy, cell=arena.scenario.name) as journal:
            report = journal.verify(head)
        for beside in ("", "-wal", "-shm"):
            copy.with_name(copy.name + beside).unlink(missing_ok=True)
        found = {fault.kind for fault in report.faults}
        return judged(
            bool(found & self.expected),
            tr("journal: hash chain"),
            tr("verify: {text}", text=report.faults[0].text if report.faults else tr("nothing")),
        )

    def change(self, database: sqlite3.Connection, cell: str) -> None:
        """Do what an intruder would."""
        raise NotImplementedError


class EditEntry(_OnCopy):
    """One word of one old entry is changed."""

    title = tr("An entry of the journal is edited")
    expected = frozenset({FaultKind.EDITED})

    def change(self, database: sqlite3.Connection, cell: str) -> None:
        """Change a body."""
        database.execute(
            "UPDATE entry SET body = replace(CAST(body AS TEXT), 'a', 'b') WHERE seq = "
            "(SELECT min(seq) + 3 FROM entry WHERE cell = ?) AND cell = ?",
            (cell, cell),
        )


class DeleteEntry(_OnCopy):
    """One entry is taken out of the middle."""

    title = tr("An entry of the journal is deleted")
    expected = frozenset({FaultKind.MISSING, FaultKind.BROKEN})

    def change(self, database: sqlite3.Connection, cell: str) -> None:
        """Delete a row."""
        database.execute(
            "DELETE FROM entry WHERE cell = ? AND seq = (SELECT max(seq) - ? FROM entry "
            "WHERE cell = ?)",
            (cell, _FEW, cell),
        )


class SwapEntries(_OnCopy):
    """Two entries change places."""

    title = tr("Two entries of the journal change places")
    expected = frozenset({FaultKind.EDITED, FaultKind.BROKEN})

    def change(self, database: sqlite3.Connection, cell: str) -> None:
        """Swap two rows' numbers."""
        (last,) = database.execute("SELECT max(seq) FROM entry WHERE cell = ?", (cell,)).fetchone()
        for before, after in (
            (last - 3, last + 1000),
            (last - 2, last - 3),
            (last + 1000, last - 2),
        ):
            database.execute(
                "UPDATE entry SET seq = ? WHERE seq = ? AND cell = ?", (after, before, cell)
            )


class CutTail(_OnCopy):
    """The newest entries are cut off."""

    title = tr("The journal's tail is cut off")
    expected = frozenset({FaultKind.CUT_OFF})

    def change(self, database: sqlite3.Connection, cell: str) -> None:
        """Delete the newest rows."""
        database.execute(
            "DELETE FROM entry WHERE cell = ? AND seq > (SELECT max(seq) - ? FROM entry "
            "WHERE cell = ?)",
            (cell, _FEW, cell),
        )


class RewriteChain(_OnCopy):
    """An entry is edited and every hash after it is computed anew."""

    title = tr("The journal is edited and its whole chain written anew")
    expected = frozenset({FaultKind.REPLACED})

    def change(self, database: sqlite3.Connection, cell: str) -> None:
        """Edit, then chain everything again, as somebody who knows how."""
        rows = database.execute(
            "SELECT boot, seq, id, kind, subject, part, at, body FROM entry WHERE cell = ? "
            "ORDER BY seq",
            (cell,),
        ).fetchall()
        prev = GENESIS
        for number, (boot, seq, entry_id, kind, subject, part, at, stored) in enumerate(rows):
            body = stored if isinstance(stored, bytes) else str(stored).encode()
            if number == 1:
                body += b" "
            new = NewEntry(
                id=entry_id, kind=kind, subject=subject, part=part, at_utc_ns=at, body=body
            )
            digest = entry_hash(cell, boot, seq, new, prev)
            database.execute(
                "UPDATE entry SET body = ?, prev = ?, hash = ? WHERE cell = ? AND seq = ?",
                (body, prev, digest, cell, seq),
            )
            prev = digest


class CorruptDatabase:
    """The journal's file is damaged while the engine is away."""

    title = tr("The journal's file is damaged")
    promise = 9

    async def run(self, arena: Arena) -> Finding:
        """Damage a copy, start on it, and go back to the cell's own afterwards."""
        await arena.end_engine()
        place = arena.folder / "damaged"
        place.mkdir()
        copy = place / arena.journal_file.name
        _copied(arena.journal_file, copy, arena.scenario.name)
        data = bytearray(copy.read_bytes())
        data[4096 : 4096 * 3] = bytes(range(256)) * 32
        copy.write_bytes(data)
        said = await arena.start_engine(journal=copy)
        await arena.end_engine()
        aside = sorted(path.name for path in place.glob("*.corrupt-*"))
        raised = False
        if said == "up":
            with Journal.open_readonly(copy, cell=arena.scenario.name) as journal:
                names = [getattr(one.record, "name", "") for one in journal.read(kinds=("alarm",))]
            raised = "journal_recovered" in names
        await arena.start_engine()
        arena.begin()
        await arena.recovered()
        return judged(
            said == "up" and bool(aside) and raised,
            tr("journal: damage is moved aside"),
            tr("started anew; kept: {name}; alarm: {raised}",
               name=aside[0] if aside else "-", raised=tr("yes") if raised else tr("no")),
        )  # fmt: skip


def _copied(source: Path, target: Path, cell: str) -> ChainHead:
    """Copy a journal as it stands; return the head that an auditor would have kept."""
    uri = f"{source.absolute().as_uri()}?mode=ro"
    with (
        contextlib.closing(sqlite3.connect(uri, uri=True, timeout=10)) as live,
        contextlib.closing(sqlite3.connect(target)) as still,
    ):
        live.backup(still)
        still.execute("PRAGMA journal_mode=DELETE")
    with Journal.open_readonly(target, cell=cell) as journal:
        return journal.chain_head()
