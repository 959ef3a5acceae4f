"""Compiling the builder where numba is installed; the same source is interpreted where it is not.

The machine code is cached beside the source, or in the user's cache where that cannot be written
to, so that only the first process of an installation compiles (some 20 s).
"""

from __future__ import annotations

import importlib
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

F = TypeVar("F", bound=Callable[..., Any])

numba: Any
try:
    numba = importlib.import_module("numba")
except ImportError:
    numba = None

COMPILED: bool = numba is not None and not numba.config.DISABLE_JIT
"""Whether builders are compiled: numba is there, and NUMBA_DISABLE_JIT is not set."""


def jit(function: F) -> F:
    """Compile a function of the flat tables, or leave it as it is.

    Nothing is allocated in it, so nothing is counted: with some sixty arrays in each call, numba's
    counting of references took four fifths of a build.
    """
    if not COMPILED:
        return function
    compiled: F = numba.njit(cache=True, error_model="numpy", _nrt=False)(function)
    index = compiled._cache._cache_file  # type: ignore[attr-defined]  # noqa: SLF001
    index._source_stamp = (index._source_stamp, _STAMP)  # noqa: SLF001
    return compiled


def _stamp() -> tuple[tuple[str, int, int], ...]:
    """Return name, time and size of all that is compiled.

    Compiled functions call each other across files, and numba's cache looks at the caller's file
    alone: it would go on with machine code of a callee that has changed.
    """
    folder = Path(__file__).parent
    found = []
    for name in ("tables", "placing", "choosing", "build", "changing"):
        file = (folder / f"{name}.py").stat()
        found.append((name, file.st_mtime_ns, file.st_size))
    return tuple(found)


_STAMP = _stamp()
