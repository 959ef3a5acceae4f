"""The book of starts: several that ended badly soon after another lead to safe mode.

It lies in a file beside the journal and is opened before any plugin is, because a plugin can crash
the interpreter while it is being imported, before anything could be journalled.
"""

from __future__ import annotations

import contextlib
from pathlib import Path

FILE_NAME = "unfinished-starts"
CRASHES = 3
"""So many starts in a row that ended within :data:`SOON_S` without saying so: safe mode."""
SOON_S = 60.0


class StartBook:
    """Counts the starts that have not ended well.

    A disk that cannot be written is no reason not to start; then nothing is counted.
    """

    def __init__(self, folder: Path) -> None:
        self._file = folder / FILE_NAME

    def begin(self) -> int:
        """Note a start and return how many before it, without a good end between, ended badly."""
        before = self._read()
        self._write(before + 1)
        return before

    def well(self) -> None:
        """Note that it runs well, or has ended as it should: the count begins anew."""
        with contextlib.suppress(OSError):
            self._file.unlink(missing_ok=True)

    def _read(self) -> int:
        try:
            return int(self._file.read_text("ascii"))
        except (OSError, ValueError):
            return 0

    def _write(self, count: int) -> None:
        with contextlib.suppress(OSError):
            self._file.parent.mkdir(parents=True, exist_ok=True)
            self._file.write_text(str(count), "ascii")
