"""Where a file camera's pictures come from, and how they fail."""

from __future__ import annotations

from typing import NamedTuple, Protocol

import numpy as np
from numpy.typing import NDArray

from millhand.errors import Unavailable
from millhand.messages import tr


class Picture(NamedTuple):
    """One picture out of a file."""

    pixels: NDArray[np.uint8]
    """``(height, width, 3 or 1)``, read-only."""
    sha256: str
    origin: str
    exposed_utc_ns: int


class Ended(Unavailable):
    """There are no more pictures, and none will come by asking again."""


class Source(Protocol):
    """A row of pictures. Used from one thread only; all methods block."""

    def next(self) -> Picture:
        """Read the next picture.

        Raises:
            Ended: there is none.
            Unavailable: this one cannot be read; the one after it may.
        """
        ...

    def close(self) -> None:
        """Let go of files."""
        ...


def unreadable(origin: str, reason: object) -> Unavailable:
    """Return the error for one picture that cannot be used."""
    return Unavailable(
        tr("{file} cannot be read as a picture: {reason}.", file=origin, reason=reason),
        mend=tr("Remove the file, or save it again as PNG."),
    )
