"""Weights that come with the plugin: read whole, and only as they were shipped."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from millhand.errors import PackageError
from millhand.messages import tr


def read_shipped(
    file: Path, sha256: str, names: Iterable[str], *, net: str
) -> dict[str, NDArray[np.float32]]:
    """Read arrays of a file by their names.

    Args:
        file: an ``.npz`` below ``weights``.
        sha256: what the file's SHA-256 must be.
        names: of the arrays that are wanted.
        net: whose weights they are, for errors.

    Raises:
        PackageError: the file is missing or is not the one that was shipped.
    """
    try:
        data = file.read_bytes()
    except OSError as error:
        raise PackageError(
            tr("The {net}'s weights cannot be read: {error}.", net=net, error=error),
            fault="missing",
            mend=tr("Install millhand-quality again."),
        ) from error
    if hashlib.sha256(data).hexdigest() != sha256:
        raise PackageError(
            tr("The {net}'s weights in {path} are not those shipped.", net=net, path=file),
            fault="hash",
            mend=tr("Install millhand-quality again."),
        )
    with np.load(file, allow_pickle=False) as arrays:
        return {name: np.asarray(arrays[name], np.float32) for name in names}
