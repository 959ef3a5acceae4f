"""Try an accelerator in a process of its own: ``python -m millhand.models.probe``.

A fresh process tells what a run time costs in memory, and when a graph crashes the run time,
or asks for all the memory there is, only the probe dies. The request is JSON on standard
input, the answer JSON on standard output; whatever libraries print goes to standard error.
"""

from __future__ import annotations

import os
import sys
from pathlib import Path
from time import perf_counter
from typing import Any

import msgspec
from msgspec import Struct

from millhand.errors import MillhandError, PackageError
from millhand.models.arrays import read_arrays, write_arrays
from millhand.models.golden import golden_cases
from millhand.models.package import open_package
from millhand.models.sessions import open_model
from millhand.models.timing import Times, time_runs
from millhand.plugins.registrations import Registration


class Measure(Struct, frozen=True, kw_only=True, tag="measure"):
    """Load a package's graph, check its golden outputs, time it."""

    accelerator: str
    target: str
    settings: dict[str, Any]
    package: str
    precision: str
    seconds: float


class Compute(Struct, frozen=True, kw_only=True, tag="compute"):
    """Answer every ``.npz`` of the folder ``inputs`` with one of the same name in ``outputs``."""

    accelerator: str
    target: str
    settings: dict[str, Any]
    package: str
    precision: str
    inputs: str
    outputs: str


class Present(Struct, frozen=True, kw_only=True, tag="present"):
    """Ask an accelerator class which settings this machine has something for."""

    target: str


class Measured(Struct, frozen=True, kw_only=True):
    """What was measured, on what."""

    provider: str
    device: str
    runtime: str
    threads: int
    times: Times
    load_ms: float
    memory_mb: float | None
    golden_difference: float


class Failed(Struct, frozen=True, kw_only=True):
    """Why nothing was measured; ``fault`` as in PackageError, where the package is to blame."""

    message: str
    fault: str = ""


class Answer(Struct, frozen=True, kw_only=True):
    """One of the four."""

    measured: Measured | None = None
    computed: int = 0
    """How many inputs were answered."""
    present: list[dict[str, Any]] = []
    failed: Failed | None = None


Request = Measure | Compute | Present


def answer(request: Request) -> Answer:
    """Carry out a request in this process."""
    try:
        if isinstance(request, Present):
            return Answer(present=_present(request))
        if isinstance(request, Compute):
            return Answer(computed=_compute(request))
        return Answer(measured=_measure(request))
    except PackageError as error:
        return Answer(failed=Failed(message=str(error), fault=error.fault))
    except MillhandError as error:
        return Answer(failed=Failed(message=str(error)))


def _present(request: Present) -> list[dict[str, Any]]:
    found = getattr(_class(request.target), "present", None)
    return [dict(settings) for settings in found()] if found is not None else []


def _measure(request: Measure) -> Measured:
    package = open_package(Path(request.package))
    cases = golden_cases(package, request.precision)
    before, start = resident_mb(), perf_counter()
    adapter = _class(request.target)
    accelerator = adapter(request.accelerator, adapter.Config.model_validate(request.settings))
    with open_model(package, accelerator, request.precision) as model:
        load_ms = (perf_counter() - start) * 1e3
        times = time_runs(model.session, cases[0][1], request.seconds)
        after = resident_mb()
        used = model.used
        return Measured(
            provider=used.provider,
            device=used.device,
            runtime=used.runtime,
            threads=used.threads,
            times=times,
            load_ms=load_ms,
            memory_mb=None if before is None or after is None else after - before,
            golden_difference=model.golden.largest_difference,
        )


def _compute(request: Compute) -> int:
    """Answer without the golden check: whoever asks wants to see what comes out."""
    package = open_package(Path(request.package))
    graph = package.graph(request.precision)
    adapter = _class(request.target)
    accelerator = adapter(request.accelerator, adapter.Config.model_validate(request.settings))
    session = accelerator.load(package.path(graph), package.manifest)
    files = sorted(Path(request.inputs).iterdir())
    try:
        for file in files:
            outputs = session.run(read_arrays(file.read_bytes()))
            (Path(request.outputs) / file.name).write_bytes(write_arrays(outputs))
    finally:
        session.close()
    return len(files)


def _class(target: str) -> Any:
    return Registration(name=target, target=target, summary="").load()


def resident_mb() -> float | None:
    """Return this process's resident memory in MB (2^20 bytes), or None where none can tell."""
    try:
        pages = int(Path("/proc/self/statm").read_text(encoding="ascii").split()[1])
    except (OSError, IndexError, ValueError):
        return None
    return pages * os.sysconf("SC_PAGE_SIZE") / 2**20


def main() -> None:
    """Read one request, answer it."""
    quiet = os.dup(1)
    os.dup2(2, 1)
    request = msgspec.json.decode(sys.stdin.buffer.read(), type=Request)
    with os.fdopen(quiet, "wb") as out:
        out.write(msgspec.json.encode(answer(request)))


if __name__ == "__main__":
    main()
