"""Read and write ``.npz`` archives of plain arrays: no pickle, no surprise sizes.

A foreign archive is never handed to ``numpy.load``: its members' sizes are bounded before
they are unpacked, and each array's header must account for exactly the bytes that follow it.
"""

from __future__ import annotations

import io
import lzma
import struct
import zipfile
import zlib
from collections.abc import Mapping
from math import prod
from typing import Any

import numpy as np
from numpy.lib import format as npy
from numpy.typing import NDArray

from millhand.messages import tr

ARRAY_LIMIT = 64
"""Most arrays in one archive."""
BYTES_LIMIT = 64 * 2**20
"""Most bytes in one archive, unpacked."""

_FIRST_DAY = (1980, 1, 1, 0, 0, 0)
_DAMAGE = (
    zipfile.BadZipFile,
    zlib.error,
    lzma.LZMAError,
    struct.error,
    ArithmeticError,
    EOFError,
    LookupError,
    OSError,
    RuntimeError,
    ValueError,
)
"""What zipfile raises on damaged archives; only the first is its own."""


class BadArrays(ValueError):
    """The archive is damaged or too large; ``pickle`` is set where it holds Python objects."""

    def __init__(self, why: str, *, pickle: bool = False) -> None:
        super().__init__(why)
        self.pickle = pickle


def read_arrays(data: bytes) -> dict[str, NDArray[Any]]:
    """Return the arrays of an ``.npz`` archive by name, read-only.

    Raises:
        BadArrays: damaged, too large, or not plain arrays.
    """
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            return _members(archive)
    except BadArrays:
        raise
    except _DAMAGE as error:
        raise BadArrays(tr("it is not a whole archive of arrays ({error})", error=error)) from error


def _members(archive: zipfile.ZipFile) -> dict[str, NDArray[Any]]:
    members = archive.infolist()
    if len(members) > ARRAY_LIMIT or sum(member.file_size for member in members) > BYTES_LIMIT:
        raise BadArrays(tr("it is larger than an archive of arrays may be"))
    return {m.filename.removesuffix(".npy"): _array(archive, m) for m in members}


def _array(archive: zipfile.ZipFile, member: zipfile.ZipInfo) -> NDArray[Any]:
    if not member.filename.endswith(".npy"):
        raise BadArrays(tr("{name} is not an array", name=member.filename))
    with archive.open(member) as stream:
        data = stream.read(BYTES_LIMIT + 1)
    shape, fortran, dtype, start = array_header(data, member.filename)
    if prod(shape) * dtype.itemsize != len(data) - start:
        raise BadArrays(tr("{name} does not hold what its header says", name=member.filename))
    flat: NDArray[Any] = np.frombuffer(data, dtype=dtype, offset=start)
    return flat.reshape(shape[::-1]).T if fortran else flat.reshape(shape)


def array_header(data: bytes, name: str) -> tuple[tuple[int, ...], bool, np.dtype[Any], int]:
    """Return shape, Fortran order, dtype and the offset of the data of ``.npy`` bytes.

    Raises:
        BadArrays: no such header, or one that asks for Python objects.
    """
    stream = io.BytesIO(data)
    try:
        version = npy.read_magic(stream)
        read = npy.read_array_header_1_0 if version == (1, 0) else npy.read_array_header_2_0
        shape, fortran, dtype = read(stream)
    except (ValueError, TypeError, SyntaxError, MemoryError, RecursionError) as error:
        raise BadArrays(tr("{name} has no readable header", name=name)) from error
    if dtype.hasobject:
        raise BadArrays(tr("{name} holds Python objects", name=name), pickle=True)
    if any(size < 0 for size in shape):
        raise BadArrays(tr("{name} has a negative size", name=name))
    return shape, fortran, dtype, stream.tell()


def write_arrays(arrays: Mapping[str, NDArray[Any]]) -> bytes:
    """Return an ``.npz`` archive; equal arrays give equal bytes."""
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        for name in sorted(arrays):
            member = io.BytesIO()
            npy.write_array(member, np.asarray(arrays[name], order="C"), allow_pickle=False)
            info = zipfile.ZipInfo(f"{name}.npy", _FIRST_DAY)
            info.compress_type = zipfile.ZIP_DEFLATED
            archive.writestr(info, member.getvalue())
    return out.getvalue()
