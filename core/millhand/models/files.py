"""Read the files of a package without trusting what lies there."""

from __future__ import annotations

import hashlib
import os
import stat
from pathlib import Path
from typing import NoReturn, Protocol

from millhand.errors import PackageError
from millhand.messages import tr
from millhand.models.graph import check_facts, read_facts
from millhand.models.manifest import ExtraFile, Golden, GraphFile, Manifest

Part = GraphFile | Golden | ExtraFile
"""Anything that a manifest lists by path and hash."""


class Listed(Protocol):
    """A file by path and hash."""

    @property
    def path(self) -> str:
        """Inside the package."""
        ...

    @property
    def sha256(self) -> str:
        """Hexadecimal."""
        ...


FILE_LIMIT = 512 * 2**20
"""Most bytes in one file."""

_FLAGS = (
    os.O_RDONLY
    | getattr(os, "O_NOFOLLOW", 0)
    | getattr(os, "O_NONBLOCK", 0)
    | getattr(os, "O_BINARY", 0)
)


def refuse(fault: str, message: str, mend: str = "") -> NoReturn:
    """Raise the PackageError of this fault."""
    raise PackageError(message, fault=fault, mend=mend)


def read_regular(path: Path, limit: int) -> bytes:
    """Read a regular file of at most ``limit`` bytes, following no link.

    Raises:
        PackageError: ``missing``, ``path`` or ``size``.
    """
    try:
        descriptor = os.open(path, _FLAGS)
    except FileNotFoundError:
        refuse("missing", tr("{path} is missing.", path=path))
    except OSError as error:
        refuse("path", tr("{path} cannot be read: {error}.", path=path, error=error.strerror))
    with os.fdopen(descriptor, "rb") as file:
        status = os.fstat(descriptor)
        if not stat.S_ISREG(status.st_mode):
            refuse("path", tr("{path} is not a regular file.", path=path))
        if status.st_size > limit:
            refuse("size", tr("{path} is larger than {limit} bytes.", path=path, limit=limit))
        data = file.read(limit + 1)
    if len(data) > limit:
        refuse("size", tr("{path} is larger than {limit} bytes.", path=path, limit=limit))
    return data


def read_part(path: Path, part: Listed) -> bytes:
    """Return the bytes of a listed file, checked against its hash as they were read.

    Raises:
        PackageError: ``missing``, ``path``, ``size``, ``truncated`` or ``hash``.
    """
    return verify(read_regular(path, FILE_LIMIT), part)


def read_graph(path: Path, manifest: Manifest) -> tuple[bytes, GraphFile]:
    """Return one graph's bytes and entry, for an accelerator: what is run is what was hashed.

    Raises:
        PackageError: the file is none of the manifest's graphs, or does not match its entry.
    """
    data = read_regular(path, FILE_LIMIT)
    digest = hashlib.sha256(data).hexdigest()
    for graph in manifest.graphs:
        if graph.sha256 == digest and path.as_posix().endswith(f"/{graph.path}"):
            check_facts(read_facts(data, graph.path), graph, manifest)
            return data, graph
    return refuse(
        "hash",
        tr("{path} is none of the graphs that the manifest lists.", path=path),
        tr("Copy the package again from where it was made."),
    )


def verify(data: bytes, part: Listed) -> bytes:
    """Return ``data`` where it is what the manifest lists.

    Raises:
        PackageError: ``truncated`` or ``hash``.
    """
    if not data:
        refuse("truncated", tr("{name} is empty.", name=part.path))
    if hashlib.sha256(data).hexdigest() != part.sha256:
        refuse(
            "hash",
            tr("{name} is not the file that the manifest lists.", name=part.path),
            tr("Copy the package again from where it was made."),
        )
    return data
