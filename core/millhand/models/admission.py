"""May this package be run here? Every check that stands between a folder and a shadow run.

In this order, and the first fault ends it: signature, hashes, schema (all three by
:func:`millhand.models.package.open_package`), then on each accelerator of this machine parity (the
golden outputs) and the latency budget. Only what has passed them all is eligible for shadow.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

from msgspec import Struct
from msgspec.structs import replace

from millhand.messages import tr
from millhand.models.bench import BenchRow, Candidate, bench
from millhand.models.older import emulation
from millhand.models.package import Package, listed_files, open_package

PARITY, LATENCY = "golden", "latency"
"""Faults that a package has on a target, not by itself."""


class OnTarget(Struct, frozen=True, kw_only=True):
    """How one accelerator of this machine took one graph of the package."""

    accelerator: str
    precision: str
    fault: str = ""
    """Empty, or the fault's name: ``golden``, ``latency``, or what the run time made of it."""
    text: str
    """For a person: why not, or with what figures."""
    p50_ms: float | None = None
    difference: float | None = None
    """Largest absolute difference from the golden outputs."""


class Admission(Struct, frozen=True, kw_only=True):
    """A package that is whole, and what it does on this machine."""

    id: str
    files: int
    signed: bool
    """Whether a trusted key's signature was asked for and found."""
    budget_ms: float | None
    """Median time of one run that was allowed; None where nobody states one."""
    targets: tuple[OnTarget, ...]

    @property
    def eligible(self) -> bool:
        """Whether it may be run beside the live model: some accelerator here takes it."""
        return any(not target.fault for target in self.targets)


def admit(
    folder: Path,
    among: Sequence[Candidate],
    *,
    trusted_keys: Sequence[bytes] = (),
    expected_id: str | None = None,
    within_ms: float | None = None,
    processors: Sequence[str] = (),
    seconds: float = 0.3,
) -> Admission:
    """Check a package from its signature to its time on this machine. Blocks for seconds.

    Args:
        folder: the package's.
        among: the accelerators of this machine, from :func:`millhand.models.bench.candidates`.
        trusted_keys: public keys in PEM; with any, what none of their owners signed is refused.
        expected_id: the id that is asked for, if one is.
        within_ms: longest median time of one run on one thread; the manifest's budget by default.
        processors: older ones, emulated, that must reproduce the golden outputs too, by the names
            of :data:`millhand.models.older.OLDER`.
        seconds: how long each accelerator is timed.

    Raises:
        PackageError: the package itself has a fault, wherever it is run.
        Unavailable: an older processor cannot be emulated here.
    """
    package = open_package(folder, expected_id=expected_id, trusted_keys=trusted_keys)
    budget = package.manifest.budget_p50_ms if within_ms is None else within_ms
    return Admission(
        id=package.id,
        files=sum(1 for _ in listed_files(package.manifest)),
        signed=bool(trusted_keys),
        budget_ms=budget,
        targets=(
            *_on_targets(package, among, budget, seconds),
            *(target for name in processors for target in _on_older(package, among, name)),
        ),
    )


def _on_targets(
    package: Package, among: Sequence[Candidate], budget_ms: float | None, seconds: float
) -> tuple[OnTarget, ...]:
    rows = bench(package, among, seconds, threads=(1,)) if among else ()
    return tuple(_judged(row, budget_ms) for row in rows)


def _on_older(package: Package, among: Sequence[Candidate], name: str) -> Iterator[OnTarget]:
    """Ask an emulated processor for the golden outputs; its time says nothing and is not judged."""
    for row in bench(package, among, 0.0, threads=(1,), under=emulation(name)):
        judged = _judged(row, None)
        fine = tr("reproduces its golden outputs to {difference:.2g}",
                  difference=judged.difference or 0.0)  # fmt: skip
        yield replace(
            judged,
            accelerator=f"{judged.accelerator} on {name}",
            text=judged.text if judged.fault else fine,
            p50_ms=None,
        )


def _judged(row: BenchRow, budget_ms: float | None) -> OnTarget:
    label, measured = row.candidate.label, row.measured
    if measured is None:
        failed = row.failed
        return OnTarget(
            accelerator=label,
            precision=row.precision,
            fault=(failed.fault if failed else "") or PARITY,
            text=failed.message if failed else "",
        )
    took = measured.times.p50_ms
    late = budget_ms is not None and took > budget_ms
    figures = tr(
        "reproduces its golden outputs to {difference:.2g}; {took:.3g} ms a run",
        difference=measured.golden_difference,
        took=took,
    )
    late_text = tr("{took:.3g} ms a run, {allowed:.3g} ms are allowed", took=took,
                   allowed=budget_ms or 0.0)  # fmt: skip
    return OnTarget(
        accelerator=label,
        precision=row.precision,
        fault=LATENCY if late else "",
        text=late_text if late else figures,
        p50_ms=took,
        difference=measured.golden_difference,
    )
