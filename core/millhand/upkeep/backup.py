"""A whole cell in one file, made while its engine runs or stands."""

from __future__ import annotations

import contextlib
import os
import sqlite3
import tempfile
import time
import zipfile
from collections.abc import Iterator
from hashlib import sha256
from pathlib import Path
from typing import IO, BinaryIO

import msgspec

from millhand import __version__
from millhand.errors import Unavailable
from millhand.journal.chain import ChainHead
from millhand.journal.journal import Journal
from millhand.journal.places import BLOBS, CHECKPOINTS, FILE_NAME, INBOX, journal_folder
from millhand.messages import tr
from millhand.scenario.load import Scenario
from millhand.upkeep.archive import (
    FORMAT,
    MANIFEST,
    SCENARIO,
    STATE,
    LeftOut,
    Manifest,
    Packed,
    Why,
)
from millhand.upkeep.selection import Selection, secret_references

_COPY = 1 << 20
_COMPACT = frozenset({".png", ".jpg", ".npz", ".zip", ".gz", ".zst"})
"""Suffixes of files that compressing makes no smaller."""


def back_up(
    scenario: Scenario, target: Path, *, state: Path | None = None, pictures: bool = True
) -> Manifest:
    """Write scenario, models, journal and pictures of a cell to ``target``, whole or not at all.

    The journal is copied by SQLite's online backup in one read transaction: it is consistent,
    and the engine goes on writing meanwhile. Secrets and private keys are never taken along;
    the manifest names what was left out.

    Args:
        scenario: the cell.
        target: the file to write.
        state: the folder of journal and pictures, where it is not the scenario's own.
        pictures: whether pictures and documents are taken along.

    Raises:
        Unavailable: something cannot be read or written now.
    """
    try:
        with tempfile.TemporaryDirectory(dir=target.absolute().parent, prefix=".backup-") as work:
            unfinished = Path(work) / "backup.zip"
            writer = _Writer(scenario, state or journal_folder(scenario), Path(work))
            manifest = writer.write(unfinished, pictures=pictures)
            with unfinished.open("rb") as file:
                os.fsync(file.fileno())
            unfinished.replace(target)
    except (OSError, sqlite3.Error) as error:
        raise Unavailable(
            tr("The backup {target} cannot be made: {reason}.", target=target, reason=error),
            mend=tr("Look whether there is room and whether you may read everything."),
        ) from error
    return manifest


class _Writer:
    def __init__(self, scenario: Scenario, state: Path, work: Path) -> None:
        self._scenario = scenario
        self._state = state
        self._work = work
        self._files: dict[str, Packed] = {}
        self._gone = 0

    def write(self, target: Path, *, pictures: bool) -> Manifest:
        with zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED, compresslevel=6) as archive:
            selection = Selection(self._scenario, self._state)
            for path in selection.files():
                name = path.relative_to(self._scenario.folder).as_posix()
                self._add(archive, SCENARIO + name, path)
            # Before the journal: no exported head may be newer than the chain that goes with it.
            for path in _ordinary(self._state.glob(CHECKPOINTS)):
                self._add(archive, STATE + path.name, path)
            head, elsewhere = self._journal(archive)
            for path in self._state_files(pictures=pictures):
                name = path.relative_to(self._state).as_posix()
                try:
                    self._add(archive, STATE + name, path)
                except FileNotFoundError:  # its time was up; its entry stays
                    self._gone += 1
            manifest = self._manifest(head, (*selection.left_out, *elsewhere))
            archive.writestr(MANIFEST, msgspec.json.format(msgspec.json.encode(manifest), indent=1))
        return manifest

    def _manifest(self, head: ChainHead | None, left_out: tuple[LeftOut, ...]) -> Manifest:
        references = [
            LeftOut(name=reference, why=Why.SECRET)
            for reference in secret_references(self._scenario)
        ]
        named = {one.name: one for one in (*references, *left_out)}
        return Manifest(
            format=FORMAT,
            cell=self._scenario.name,
            scenario_file=self._scenario.path.name,
            journal_folder=self._scenario.file.journal.folder,
            millhand=__version__,
            made_utc_ns=time.time_ns(),
            head=head,
            files=self._files,
            left_out=tuple(named.values()),
            gone=self._gone,
        )

    def _journal(self, archive: zipfile.ZipFile) -> tuple[ChainHead | None, list[LeftOut]]:
        """Copy the journal as it stands now; return its head, and what lies elsewhere."""
        if self._scenario.file.journal.url is not None:
            return None, [LeftOut(name="journal.url", why=Why.ELSEWHERE)]
        source = self._state / FILE_NAME
        if not source.is_file():
            return None, []
        copy = self._work / FILE_NAME
        with (
            contextlib.closing(_read_only(source)) as live,
            contextlib.closing(sqlite3.connect(copy)) as still,
        ):
            live.backup(still)  # all pages in one step: one read transaction
            still.execute("PRAGMA journal_mode=DELETE")
        with Journal.open_readonly(copy, cell=self._scenario.name) as journal:
            head = journal.chain_head()
        self._add(archive, STATE + FILE_NAME, copy)
        return head, []

    def _state_files(self, *, pictures: bool) -> Iterator[Path]:
        """Yield pictures, documents and waiting answers; what is unfinished begins with a dot."""
        blobs = self._state / BLOBS
        if pictures:
            yield from _ordinary(blobs.glob("??/*"))
        yield from _ordinary((self._state / INBOX).glob("*.json"))

    def _add(self, archive: zipfile.ZipFile, name: str, path: Path) -> None:
        info = zipfile.ZipInfo(name, time.gmtime(max(path.stat().st_mtime, 315_532_800))[:6])
        compact = path.suffix.lower() in _COMPACT
        info.compress_type = zipfile.ZIP_STORED if compact else zipfile.ZIP_DEFLATED
        info.external_attr = 0o600 << 16
        with path.open("rb") as source, archive.open(info, "w", force_zip64=True) as target:
            self._files[name] = _copy(source, target)


def _ordinary(paths: Iterator[Path]) -> Iterator[Path]:
    return (
        path
        for path in sorted(paths)
        if path.is_file() and not path.is_symlink() and not path.name.startswith(".")
    )


def _copy(source: BinaryIO, target: IO[bytes]) -> Packed:
    digest, size = sha256(), 0
    while chunk := source.read(_COPY):
        digest.update(chunk)
        size += len(chunk)
        target.write(chunk)
    return Packed(size=size, sha256=digest.hexdigest())


def _read_only(path: Path) -> sqlite3.Connection:
    return sqlite3.connect(f"{path.absolute().as_uri()}?mode=ro", uri=True, timeout=10)
