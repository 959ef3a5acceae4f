"""A cell out of a backup: checked byte by byte before it takes its place."""

from __future__ import annotations

import errno
import shutil
import struct
import tempfile
import zipfile
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from hashlib import sha256
from pathlib import Path
from typing import BinaryIO

from msgspec import Struct

from millhand.errors import ConfigError, NotAllowed, Unavailable
from millhand.journal.journal import Journal
from millhand.journal.places import FILE_NAME
from millhand.journal.verifying import VerifyReport
from millhand.messages import tr
from millhand.scenario.load import load
from millhand.upkeep.archive import (
    LARGEST_MANIFEST,
    MANIFEST,
    SCENARIO,
    STATE,
    LeftOut,
    Manifest,
    Why,
    damaged,
    read_manifest,
)

_COPY = 1 << 20
_ROOM_KEPT = 64 * 2**20
_KNOWN = (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED)
_BROKEN = (
    zipfile.BadZipFile,
    zlib.error,
    struct.error,
    EOFError,
    LookupError,
    NotImplementedError,
    OverflowError,
    RuntimeError,
    ValueError,
)
"""What the standard library's reader raises for an archive that somebody damaged."""
_NEEDED = frozenset({Why.SECRET, Why.KEY, Why.ELSEWHERE})


class Restored(Struct, frozen=True, kw_only=True):
    """What came out of a backup."""

    cell: str
    millhand: str
    made_utc_ns: int
    files: int
    bytes: int
    entries: int
    """Entries of the journal, whose chain is whole up to the backup's head."""
    to_put_back: tuple[LeftOut, ...]
    """Secrets, keys and databases that the cell needs and the backup does not hold."""


def examine(source: Path) -> Restored:
    """Check a backup without restoring it: every hash, and the journal's chain.

    Raises:
        PackageError: it is damaged or was changed.
        Unavailable: it cannot be read, or there is no room to unpack its journal.
    """
    with _opened(source) as archive:
        manifest = _manifest_of(archive)
        with tempfile.TemporaryDirectory(prefix="millhand-restore-") as work:
            for name in manifest.files:
                wanted = Path(work) / FILE_NAME if name == STATE + FILE_NAME else None
                _unpack(archive, manifest, name, wanted)
            return _said(manifest, _proved(manifest, Path(work)))


def restore(source: Path, target: Path, *, state: Path | None = None) -> Restored:
    """Unpack a backup into an empty or new folder, whole or not at all.

    Args:
        source: the backup.
        target: gets the scenario's folder.
        state: gets journal and pictures, where they are not to lie in the scenario's folder.

    Raises:
        NotAllowed: something is there already.
        PackageError: the backup is damaged or was changed.
        Unavailable: it cannot be read, or there is no room.
    """
    for folder in filter(None, (target, state)):
        _require_empty(folder)
    with _opened(source) as archive:
        manifest = _manifest_of(archive)
        _require_room(target, sum(packed.size for packed in manifest.files.values()))
        try:
            with _beside(target) as scenario, _beside(state or target) as kept:
                for name in manifest.files:
                    base = scenario if name.startswith(SCENARIO) else kept
                    _unpack(archive, manifest, name, base / name.partition("/")[2])
                report = _proved(manifest, kept)
                _check_scenario(scenario / manifest.scenario_file, manifest)
                _move(scenario, target)
                _move(kept, state or target / manifest.journal_folder)
        except OSError as error:
            if error.errno == errno.EINVAL:
                raise
            raise Unavailable(
                tr("{target} cannot be written: {reason}.", target=target, reason=error)
            ) from error
    return _said(manifest, report)


@contextmanager
def _opened(source: Path) -> Iterator[zipfile.ZipFile]:
    """Open an archive of which every byte may be wrong."""
    try:
        with zipfile.ZipFile(source) as archive:
            yield archive
    except _BROKEN as error:
        raise damaged(str(error) or type(error).__name__) from error
    except OSError as error:
        if error.errno == errno.EINVAL:  # an offset that leads out of the file
            raise damaged(str(error)) from error
        raise Unavailable(
            tr("The backup {source} cannot be read: {reason}.", source=source, reason=error)
        ) from error


def _manifest_of(archive: zipfile.ZipFile) -> Manifest:
    entries = {info.filename: info for info in archive.infolist()}
    if len(entries) != len(archive.infolist()):
        raise damaged(tr("it holds a file twice"))
    if any(info.compress_type not in _KNOWN for info in entries.values()):
        raise damaged(tr("it is compressed in a way that is not ours"))
    if MANIFEST not in entries:
        raise damaged(tr("it has no manifest"))
    if entries[MANIFEST].file_size > LARGEST_MANIFEST:
        raise damaged(tr("its manifest is too large"))
    manifest = read_manifest(archive.read(MANIFEST))
    if manifest.files.keys() | {MANIFEST} != entries.keys():
        raise damaged(tr("its files are not those that its manifest names"))
    inner = Path(manifest.journal_folder)
    if inner.is_absolute() or ".." in inner.parts or "/" in manifest.scenario_file:
        raise damaged(tr("it names a place outside of itself"))
    return manifest


def _unpack(archive: zipfile.ZipFile, manifest: Manifest, name: str, target: Path | None) -> None:
    """Read one file to its end, no further than its size, and hold it against its hash."""
    packed, digest, size = manifest.files[name], sha256(), 0
    if target is not None:
        target.parent.mkdir(parents=True, exist_ok=True)
    with archive.open(name) as source, _written(target) as out:
        while chunk := source.read(_COPY):
            size += len(chunk)
            if size > packed.size:
                break
            digest.update(chunk)
            if out is not None:
                out.write(chunk)
    if size != packed.size or digest.hexdigest() != packed.sha256:
        raise damaged(tr("{name} is not what the manifest says", name=name))


@contextmanager
def _written(target: Path | None) -> Iterator[BinaryIO | None]:
    if target is None:
        yield None
        return
    with target.open("xb") as file:
        yield file


def _proved(manifest: Manifest, state: Path) -> VerifyReport | None:
    """Walk the journal's chain and hold its end against the manifest."""
    file = state / FILE_NAME
    if manifest.head is None:
        return None
    if not file.is_file():
        raise damaged(tr("its journal is missing"))
    with Journal.open_readonly(file, cell=manifest.cell) as journal:
        report = journal.verify(manifest.head)
    for beside in ("-wal", "-shm"):
        file.with_name(file.name + beside).unlink(missing_ok=True)
    if not report.ok:
        raise damaged(report.faults[0].text)
    return report


def _check_scenario(file: Path, manifest: Manifest) -> None:
    try:
        name = load(file).name
    except ConfigError as error:
        raise damaged(error.message) from error
    if name != manifest.cell:
        raise damaged(tr("it holds the cell {met}, not {named}", met=name, named=manifest.cell))


def _require_empty(folder: Path) -> None:
    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        raise NotAllowed(
            tr("Something is in {folder} already.", folder=folder),
            mend=tr("Name a new folder; nothing is ever overwritten."),
        )


def _require_room(target: Path, needed: int) -> None:
    there = next(parent for parent in target.absolute().parents if parent.exists())
    free = shutil.disk_usage(there).free
    if needed + _ROOM_KEPT > free:
        raise Unavailable(
            tr(
                "The backup unpacks to {needed:.0f} MB, and the disk has {free:.0f} MB free.",
                needed=needed / 1e6,
                free=free / 1e6,
            )
        )


@contextmanager
def _beside(target: Path) -> Iterator[Path]:
    """Yield a folder on the same disk, gone afterwards unless it was moved to its place."""
    target.absolute().parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(
        dir=target.absolute().parent, prefix=f".{target.name}-", ignore_cleanup_errors=True
    ) as folder:
        yield Path(folder) / "unpacked"


def _move(folder: Path, target: Path) -> None:
    if not folder.exists():
        return
    if target.exists():
        target.rmdir()
    target.parent.mkdir(parents=True, exist_ok=True)
    folder.rename(target)
    target.chmod(0o700)


def _said(manifest: Manifest, report: VerifyReport | None) -> Restored:
    return Restored(
        cell=manifest.cell,
        millhand=manifest.millhand,
        made_utc_ns=manifest.made_utc_ns,
        files=len(manifest.files),
        bytes=sum(packed.size for packed in manifest.files.values()),
        entries=0 if report is None else report.entries,
        to_put_back=tuple(one for one in manifest.left_out if one.why in _NEEDED),
    )
