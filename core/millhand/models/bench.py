"""Measure a package on every accelerator that is present: ``millhand bench``."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Any

import msgspec
from msgspec import Struct

from millhand.errors import Unavailable
from millhand.messages import tr
from millhand.models.package import Package
from millhand.models.probe import Answer, Failed, Measure, Measured, Present, Request
from millhand.plugins.registrations import AdapterType, Face

_PROBE_SECONDS = 120
_LAST_WORDS = 300


class Candidate(Struct, frozen=True, kw_only=True):
    """An accelerator to measure, with its settings."""

    accelerator: str
    target: str
    settings: dict[str, Any] = {}

    @property
    def label(self) -> str:
        """``onnxruntime cpu``."""
        words = [str(word) for value in self.settings.values() for word in _listed(value)]
        return " ".join([self.accelerator, *words])


class BenchRow(Struct, frozen=True, kw_only=True):
    """One accelerator, precision and number of threads: figures, or why there are none."""

    candidate: Candidate
    precision: str
    threads: int
    measured: Measured | None = None
    failed: Failed | None = None


def candidates(adapters: Iterable[AdapterType]) -> tuple[Candidate, ...]:
    """Ask every registered accelerator what it finds on this machine.

    An accelerator is asked through its class method ``present()``, which returns settings,
    one mapping for each device or provider; one without it is not measured.
    """
    return tuple(
        Candidate(accelerator=adapter.name, target=adapter.target, settings=settings)
        for adapter in adapters
        if Face.ACCELERATOR in adapter.faces
        for settings in probe(Present(target=adapter.target)).present
    )


def bench(
    package: Package,
    among: Sequence[Candidate],
    seconds: float = 2.0,
    *,
    threads: Sequence[int] = (),
    precisions: Sequence[str] = (),
    report: Callable[[BenchRow], None] | None = None,
    under: Sequence[str] = (),
) -> tuple[BenchRow, ...]:
    """Measure every candidate × precision × number of threads, each in a fresh process.

    Args:
        package: a verified package; its golden inputs are what is run.
        among: what to measure.
        seconds: how long each is timed; loading comes on top.
        threads: numbers of threads; by default one, and all processors of this process.
        precisions: by default all that the package has.
        report: told of each row as it is there.
        under: words before each command: an emulator, for instance; times then say nothing.
    """
    rows = []
    for request, candidate in _requests(package, among, seconds, threads, precisions):
        found = probe(request, under=under)
        row = BenchRow(
            candidate=candidate,
            precision=request.precision,
            threads=request.settings["threads"],
            measured=found.measured,
            failed=found.failed,
        )
        rows.append(row)
        if report is not None:
            report(row)
    return tuple(rows)


def _requests(
    package: Package,
    among: Sequence[Candidate],
    seconds: float,
    threads: Sequence[int],
    precisions: Sequence[str],
) -> Iterator[tuple[Measure, Candidate]]:
    for precision in precisions or package.precisions:
        for count in threads or sorted({1, processors()}):
            for candidate in among:
                request = Measure(
                    accelerator=candidate.accelerator,
                    target=candidate.target,
                    settings={**candidate.settings, "threads": count},
                    package=str(package.folder),
                    precision=precision,
                    seconds=seconds,
                )
                yield request, candidate


def probe(
    request: Request, limit_s: float = _PROBE_SECONDS, *, under: Sequence[str] = ()
) -> Answer:
    """Carry out a request in a fresh process, whatever happens there.

    Args:
        request: what to do.
        limit_s: how long it may take.
        under: words before the command: an emulator, for instance.

    Raises:
        Unavailable: no Python can be started from here.
    """
    if not sys.executable:
        raise Unavailable(tr("Millhand is embedded and knows no Python to measure in."))
    try:
        done = subprocess.run(  # noqa: S603  nothing of it comes from outside
            [*under, sys.executable, "-P", "-m", "millhand.models.probe"],
            input=msgspec.json.encode(request),
            capture_output=True,
            timeout=limit_s,
            check=False,
            env={**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, sys.path))},
        )
    except subprocess.TimeoutExpired:
        why = tr("It did not answer within {limit} s.", limit=limit_s)
        return Answer(failed=Failed(message=why, fault="timeout"))
    if done.returncode != 0:
        return Answer(failed=Failed(message=_cause(done.returncode, done.stderr), fault="crash"))
    return msgspec.json.decode(done.stdout, type=Answer)


def _cause(code: int, stderr: bytes) -> str:
    if code < 0:
        name = signal.Signals(-code).name
        return tr("The run time crashed while it was tried ({signal}).", signal=name)
    last = stderr.decode(errors="replace").strip().splitlines()[-1:]
    return tr("It failed: {why}", why="".join(last)[:_LAST_WORDS])


def processors() -> int:
    """Return how many processors this process may use."""
    affinity = getattr(os, "sched_getaffinity", None)
    return len(affinity(0)) if affinity is not None else os.cpu_count() or 1


def _listed(value: object) -> Sequence[object]:
    if isinstance(value, Mapping):
        return tuple(value.values())
    return value if isinstance(value, list | tuple) else (value,)
