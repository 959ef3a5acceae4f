"""A name for what an item holds, so that its label can be found again."""

from __future__ import annotations

import hashlib

import numpy as np

from millhand.distil.dataset import Arrays


def content_key(arrays: Arrays) -> str:
    """Return SHA-256 over names, types, shapes and values, whatever the order of names."""
    digest = hashlib.sha256()
    for name in sorted(arrays):
        array = np.ascontiguousarray(arrays[name])
        digest.update(f"{name}\0{array.dtype.str}\0{array.shape}\0".encode())
        digest.update(array.tobytes())
    return digest.hexdigest()
