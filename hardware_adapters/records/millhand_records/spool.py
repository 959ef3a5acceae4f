"""A folder of documents that wait: what is whole is taken, what was decided is put aside.

Nothing is ever deleted: a file goes to ``taking/`` while it is decided, so that nobody puts
another one in its place, then to ``done/<day>/``, or to ``refused/`` with a note beside it. What is
found in ``taking/`` was never acknowledged and comes first. All of it blocks.
"""

from __future__ import annotations

import fnmatch
import os
import time
from datetime import UTC, datetime
from pathlib import Path

from millhand.errors import ConfigError
from millhand.messages import tr

TAKING, DONE, REFUSED = "taking", "done", "refused"
_UNFINISHED = (".part", ".tmp", ".crdownload", ".filepart", ".partial")


class Spool:
    """The folder.

    Args:
        folder: made when missing.
        pattern: which files.
        settle_s: how long a file must have been left alone.
        most_bytes: larger ones are refused unread.
    """

    def __init__(self, folder: Path, pattern: str, settle_s: float, most_bytes: int) -> None:
        self.folder = folder
        self._pattern = pattern
        self._settle_s = settle_s
        self._most_bytes = most_bytes
        self._looked: dict[Path, tuple[int, int]] = {}

    def open(self) -> None:
        """Make the folders.

        Raises:
            ConfigError: they cannot be made or written.
        """
        try:
            for folder in (self.folder, *(self.folder / one for one in (TAKING, DONE, REFUSED))):
                folder.mkdir(parents=True, exist_ok=True)
            if not os.access(self.folder, os.W_OK):
                raise PermissionError(self.folder)
        except OSError as error:
            raise ConfigError(
                tr("The folder {folder} cannot be used: {error}.", folder=self.folder, error=error),
                mend=tr("Let the engine's user write there."),
            ) from error

    def ready(self) -> tuple[list[Path], bool]:
        """Return the files that are whole, the oldest first, and whether others are still written.

        A file is whole when its size and time are those of the look before and are old enough.
        """
        left = sorted(path for path in (self.folder / TAKING).iterdir() if path.is_file())
        found: dict[Path, tuple[int, int]] = {}
        whole: list[tuple[int, str, Path]] = []
        now = time.time_ns()
        for entry in os.scandir(self.folder):
            if not self._wanted(entry):
                continue
            facts = entry.stat(follow_symlinks=False)
            path = Path(entry.path)
            found[path] = (facts.st_size, facts.st_mtime_ns)
            alone = now - facts.st_mtime_ns >= self._settle_s * 1e9
            if self._settle_s == 0 or (alone and self._looked.get(path) == found[path]):
                whole.append((facts.st_mtime_ns, entry.name, path))
        self._looked = found
        return [*left, *(path for _, _, path in sorted(whole))], len(whole) < len(found)

    def _wanted(self, entry: os.DirEntry[str]) -> bool:
        return (
            entry.is_file(follow_symlinks=False)
            and not entry.name.startswith((".", "~"))
            and not entry.name.casefold().endswith(_UNFINISHED)
            and fnmatch.fnmatch(entry.name, self._pattern)
        )

    def take(self, path: Path) -> tuple[Path, bytes] | None:
        """Take a file: where it lies now, and its content; None where it is refused or has gone."""
        moved = path if path.parent.name == TAKING else self._move(path, self.folder / TAKING)
        if moved is None:
            return None
        path = moved
        try:
            descriptor = os.open(path, os.O_RDONLY | getattr(os, "O_NOFOLLOW", 0))
        except FileNotFoundError:
            return None
        except OSError as error:
            self.refuse(path, str(error))
            return None
        with os.fdopen(descriptor, "rb") as stream:
            content = stream.read(self._most_bytes + 1)
        if len(content) > self._most_bytes:
            limit = self._most_bytes / 2**20
            self.refuse(path, tr("It is larger than {limit:.0f} MB.", limit=limit))
            return None
        return path, content

    def done(self, path: Path) -> None:
        """Put a file aside whose decision is journalled."""
        day = datetime.now(UTC).date().isoformat()
        self._move(path, self.folder / DONE / day)

    def refuse(self, path: Path, reason: str) -> None:
        """Put a file aside that is not taken, with the reason beside it."""
        moved = self._move(path, self.folder / REFUSED)
        if moved is not None:
            moved.with_name(f"{moved.name}.reason.txt").write_text(reason + "\n", encoding="utf-8")

    def _move(self, path: Path, folder: Path) -> Path | None:
        folder.mkdir(parents=True, exist_ok=True)
        target = folder / path.name
        number = 1
        while target.exists():
            number += 1
            target = folder / f"{path.stem}~{number}{path.suffix}"
        try:
            path.rename(target)
        except FileNotFoundError:
            return None
        return target


def write_durably(path: Path, content: bytes) -> None:
    """Write a file so that it is there whole or not at all, also after a power cut."""
    fresh = path.with_name(f".{path.name}.{os.getpid()}.{time.monotonic_ns()}.tmp")
    try:
        with fresh.open("xb") as stream:
            stream.write(content)
            stream.flush()
            os.fsync(stream.fileno())
        fresh.replace(path)
    finally:
        fresh.unlink(missing_ok=True)
    if os.name == "posix":
        descriptor = os.open(path.parent, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)
