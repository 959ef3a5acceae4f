"""Pictures and documents by their hash, beside the journal whose entries name them.

A picture lies under ``<first two>/<sha256>.png``, where the hash is that of its raw pixels; a
document under ``<first two>/<sha256>.bin``. What is there is never changed, only deleted when its
time is up or room is needed.
"""

from __future__ import annotations

import contextlib
import os
import shutil
import sqlite3
import time
from collections.abc import Callable, Mapping
from concurrent.futures import Future
from functools import partial
from hashlib import sha256
from pathlib import Path
from queue import Full, Queue
from threading import Lock, Thread, get_ident
from types import TracebackType
from typing import TYPE_CHECKING, NamedTuple, Self

from structlog import get_logger

from millhand.contracts.frames import FrameRef
from millhand.errors import InternalError, PackageError, Unavailable
from millhand.journal import png
from millhand.journal.blob_index import Blob, BlobIndex
from millhand.messages import tr

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

log = get_logger(__name__)

DOCUMENT = "document"
"""What documents go by in ``keep``."""

_DAY_NS = 86_400 * 10**9
_SWEEP_EVERY_NS = 60 * 10**9
_ROOM_AFTER_SWEEP = 0.95
"""Fraction of the quota that is left filled, so that not every picture has to make room."""
_MAX_FILE_BYTES = 4 * png.MAX_PIXELS
_HEX = frozenset("0123456789abcdef")


def frame_hash(pixels: NDArray[np.uint8]) -> str:
    """Return a picture's name: SHA-256 over a line naming its shape, then its pixels row by row.

    Args:
        pixels: ``(height, width)`` or ``(height, width, channels)`` uint8; ``(h, w)`` and
            ``(h, w, 1)`` with the same values are the same picture, however they lie in memory.
    """
    if pixels.dtype.str != "|u1" or pixels.ndim not in {2, 3}:
        raise InternalError(f"a frame must be (h, w, c) uint8, not {pixels.shape} {pixels.dtype}")
    height, width = pixels.shape[:2]
    channels = pixels.shape[2] if pixels.ndim == 3 else 1
    digest = sha256(b"millhand-frame/1 uint8 %d %d %d\n" % (height, width, channels))
    digest.update(pixels.data if pixels.flags.c_contiguous else pixels.copy(order="C").data)
    return digest.hexdigest()


class BlobReader:
    """Reads a blob store; needs nothing but its folder."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def frame_path(self, digest: str) -> Path:
        """Return where a picture lies, if it is there."""
        return self._path(digest, ".png")

    def load_frame(self, ref: FrameRef) -> NDArray[np.uint8]:
        """Return a picture's pixels, ``(height, width, channels) uint8``, read-only. Blocks.

        Raises:
            Unavailable: it is not there: never stored, or no longer kept.
            PackageError: it is damaged, or not the picture that ``ref`` names.
        """
        data = self._read(self.frame_path(ref.sha256))
        pixels = png.decode(data, height=ref.height, width=ref.width, channels=ref.channels)
        if frame_hash(pixels) != ref.sha256:
            raise _not_itself(ref.sha256)
        return pixels

    def load_document(self, digest: str) -> bytes:
        """Return a document's bytes. Blocks.

        Raises:
            Unavailable: it is not there.
            PackageError: it is damaged.
        """
        data = self._read(self._path(digest, ".bin"))
        if sha256(data).hexdigest() != digest:
            raise _not_itself(digest)
        return data

    def _read(self, path: Path) -> bytes:
        try:
            if path.stat().st_size > _MAX_FILE_BYTES:
                raise _not_itself(path.stem)
            return path.read_bytes()
        except FileNotFoundError as error:
            raise Unavailable(
                tr("{name} is not in the store {folder}.", name=path.name, folder=self.folder),
                mend=tr("It was not kept, or its time was up: see how long the scenario keeps it."),
            ) from error
        except OSError as error:
            raise Unavailable(
                tr("{path} cannot be read: {reason}.", path=path, reason=error)
            ) from error

    def _path(self, digest: str, suffix: str) -> Path:
        if len(digest) != 64 or not _HEX.issuperset(digest):
            raise PackageError(tr("{text} is no hash.", text=repr(digest)), fault="damaged")
        return self.folder / digest[:2] / (digest + suffix)


class _Picture(NamedTuple):
    ref: FrameRef
    pixels: NDArray[np.uint8]
    disposition: str


class BlobStore(BlobReader):
    """Keeps pictures and documents within a quota. A context manager; one process writes.

    Args:
        folder: made when missing.
        quota_bytes: all blobs together; what is kept shortest goes first, oldest first.
        keep: days by disposition (and for ``document``); 0 does not store at all. What is not
            named is kept until room is needed and everything named is gone.
        capacity: pictures that may wait to be written.
        reserve_bytes: room left free on the disk, so that pictures never stop the journal.
    """

    def __init__(
        self,
        folder: Path,
        quota_bytes: int,
        keep: Mapping[str, float],
        *,
        capacity: int = 32,
        reserve_bytes: int = 256 * 2**20,
    ) -> None:
        super().__init__(folder)
        self.dropped = 0
        """Pictures not stored because too many waited or the disk had no room."""
        self.failed = 0
        """Pictures that could not be written."""
        self.fault = ""
        """Why the last picture was not stored, for a person; empty while all is well."""
        self._quota_bytes = quota_bytes
        self._keep = dict(keep)
        self._reserve_bytes = reserve_bytes
        self._queue: Queue[_Picture | Future[None] | None] = Queue(capacity)
        self._lock = Lock()
        self._index: BlobIndex | None = None
        self._thread: Thread | None = None
        self._swept_utc_ns = 0
        self._token = os.urandom(6).hex()
        """Marks our unfinished files."""

    # --- life ---

    def open(self) -> Self:
        """Open the index and start the writing thread, which first looks what is there.

        Raises:
            Unavailable: the folder cannot be written.
        """
        try:
            self.folder.mkdir(parents=True, exist_ok=True)
            self._index = BlobIndex(self.folder / "index.db")
        except (OSError, sqlite3.Error) as error:
            raise self._unavailable(error) from error
        self._thread = Thread(target=self._run, name="millhand-blobs", daemon=True)
        self._thread.start()
        return self

    def close(self) -> None:
        """Write what waits and let go. Blocks; may be repeated."""
        if self._thread is None:
            return
        self._queue.put(None)
        self._thread.join()
        self._thread = None
        if self._index is not None:
            self._index.close()
            self._index = None

    def __enter__(self) -> Self:
        return self if self._thread is not None else self.open()

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    # --- putting ---

    def put_frame(self, ref: FrameRef, pixels: NDArray[np.uint8], disposition: str) -> bool:
        """Hand over a picture to be written soon; never blocks.

        The pixels must stay as they are until then: a picture that no longer matches its hash is
        not stored.

        Returns:
            Whether it will be written: False where it is not to be kept, or was dropped.

        Raises:
            InternalError: the pixels are not of the size that ``ref`` says.
        """
        if pixels.shape != (ref.height, ref.width, ref.channels) or ref.channels not in {1, 3}:
            raise InternalError(
                f"frame {ref.sha256[:12]} is not of the size that its reference says"
            )
        if self._keep.get(disposition) == 0:
            return False
        if ref.height * ref.width > png.MAX_PIXELS:
            self._drop(tr("the picture is too large"))
            return False
        try:
            self._queue.put_nowait(_Picture(ref, pixels, disposition))
        except Full:
            self._drop(tr("too many pictures wait to be written"))
            return False
        return True

    def put_document(self, data: bytes) -> str:
        """Store a document and return its hash when it is on disk. Blocks.

        Raises:
            Unavailable: it cannot be written now.
        """
        digest = sha256(data).hexdigest()
        path = self._path(digest, ".bin")
        try:
            if not path.exists():
                _write_durably(path, data, self._token)
            self._note(Blob(path.name, DOCUMENT, len(data), time.time_ns()))
        except (OSError, sqlite3.Error) as error:
            raise self._unavailable(error) from error
        return digest

    def flush(self, timeout_s: float = 30.0) -> None:
        """Return when all pictures handed over so far are dealt with.

        Raises:
            TimeoutError: they were not, in time.
        """
        done: Future[None] = Future()
        self._queue.put(done, timeout=timeout_s)
        done.result(timeout_s)

    def sweep(self, now_utc_ns: int | None = None) -> int:
        """Delete what is no longer kept and what exceeds the quota; return the bytes freed.

        Called by the writing thread once a minute and when the quota is exceeded.
        """
        now = time.time_ns() if now_utc_ns is None else now_utc_ns
        with self._lock:
            index = self._opened()
            before = index.total_bytes
            self._swept_utc_ns = now
            for keeping, days in self._keep.items():
                for blob in index.oldest(keeping, before_utc_ns=now - int(days * _DAY_NS)):
                    self._delete(index, blob)
            if index.total_bytes > self._quota_bytes:
                self._make_room(index, int(self._quota_bytes * _ROOM_AFTER_SWEEP))
            return before - index.total_bytes

    @property
    def total_bytes(self) -> int:
        """What all blobs together take."""
        with self._lock:
            return self._opened().total_bytes

    # --- the writing thread ---

    def _run(self) -> None:
        self._guarded(self._reconcile)
        while (item := self._queue.get()) is not None:
            if isinstance(item, Future):
                item.set_result(None)
            else:
                self._guarded(partial(self._store, item))

    def _guarded(self, work: Callable[[], None]) -> None:
        try:
            work()
        except Exception as error:  # noqa: BLE001  # the next picture must be written
            self.failed += 1
            self._complain(str(self._unavailable(error)))

    def _store(self, picture: _Picture) -> None:
        if shutil.disk_usage(self.folder).free < self._reserve_bytes:
            self._drop(tr("the disk is nearly full"))
            return
        ref = picture.ref
        path = self.frame_path(ref.sha256)
        keeping = picture.disposition
        size = 0
        if path.exists():
            size = path.stat().st_size
            keeping = self._kept_longer(path.name, keeping)
        else:
            if frame_hash(picture.pixels) != ref.sha256:
                raise InternalError(
                    tr("picture {name} changed before it was written", name=ref.sha256[:12])
                )
            data = png.encode(picture.pixels, keeping)
            _write_durably(path, data, self._token)
            size = len(data)
        now = time.time_ns()
        self._note(Blob(path.name, keeping, size, now))
        self.fault = ""
        with self._lock:
            due = self._opened().total_bytes > self._quota_bytes
        if due or now - self._swept_utc_ns >= _SWEEP_EVERY_NS:
            self.sweep()

    def _kept_longer(self, name: str, disposition: str) -> str:
        """Return under which disposition a picture stays that comes a second time."""
        with self._lock:
            known = self._opened().get(name)
        if known is None or self._days(known.keeping) < self._days(disposition):
            return disposition
        return known.keeping

    def _days(self, keeping: str) -> float:
        return self._keep.get(keeping, float("inf"))

    def _make_room(self, index: BlobIndex, goal_bytes: int) -> None:
        for keeping in sorted(index.classes(), key=lambda name: (self._days(name), name)):
            for blob in index.oldest(keeping):
                if index.total_bytes <= goal_bytes:
                    return
                self._delete(index, blob)

    def _delete(self, index: BlobIndex, blob: Blob) -> None:
        with contextlib.suppress(FileNotFoundError):
            (self.folder / blob.name[:2] / blob.name).unlink()
        index.remove(blob)

    def _reconcile(self) -> None:
        """Make the index agree with the files, after a crash or the loss of either."""
        there: dict[str, os.DirEntry[str]] = {}
        for drawer in _drawers(self.folder):
            for entry in os.scandir(drawer):
                if entry.name.endswith(".part"):
                    if self._token not in entry.name:  # of a process that died while writing
                        Path(entry.path).unlink(missing_ok=True)
                elif entry.name.endswith((".png", ".bin")):
                    there[entry.name] = entry
        with self._lock:
            index = self._opened()
            known = index.names()
            found = [_blob_of(entry) for name, entry in there.items() if name not in known]
            gone = [
                name  # a document may have come since we looked
                for name in known - there.keys()
                if not (self.folder / name[:2] / name).exists()
            ]
            if found or gone:
                index.replace(gone, found)

    # --- common ---

    def _note(self, blob: Blob) -> None:
        with self._lock:
            self._opened().add(blob)

    def _opened(self) -> BlobIndex:
        if self._index is None:
            raise Unavailable(tr("The store {folder} is not open.", folder=self.folder))
        return self._index

    def _drop(self, reason: str) -> None:
        self.dropped += 1
        self._complain(reason)

    def _complain(self, reason: str) -> None:
        if not self.fault:
            log.warning("blobs.not_stored", folder=str(self.folder), reason=reason)
        self.fault = reason

    def _unavailable(self, error: BaseException) -> Unavailable:
        return Unavailable(
            tr("The store {folder} cannot be written: {reason}.", folder=self.folder, reason=error)
        )


def _write_durably(path: Path, data: bytes, token: str) -> None:
    """Write a file so that it is there whole, also after a power cut, or not at all."""
    path.parent.mkdir(exist_ok=True)
    unfinished = path.with_name(f"{path.name}.{token}.{get_ident()}.part")
    try:
        with unfinished.open("wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        unfinished.replace(path)
    except BaseException:
        unfinished.unlink(missing_ok=True)
        raise
    if os.name == "posix":
        drawer = os.open(path.parent, os.O_RDONLY)
        try:
            os.fsync(drawer)
        finally:
            os.close(drawer)


def _drawers(folder: Path) -> list[Path]:
    return [
        Path(entry.path)
        for entry in os.scandir(folder)
        if len(entry.name) == 2 and _HEX.issuperset(entry.name) and entry.is_dir()
    ]


def _blob_of(entry: os.DirEntry[str]) -> Blob:
    facts = entry.stat()
    document = entry.name.endswith(".bin")
    keeping = DOCUMENT if document else png.disposition_of(Path(entry.path))
    return Blob(entry.name, keeping, facts.st_size, facts.st_mtime_ns)


def _not_itself(digest: str) -> PackageError:
    return PackageError(
        tr("{name} in the store is damaged: it does not match its name.", name=digest[:12]),
        fault="damaged",
        mend=tr("Restore it from a backup; the journal still holds its hash."),
    )
