"""Golden outputs: what a graph must reproduce before it may decide anything."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from millhand.contracts.adapters import Session
from millhand.errors import PackageError
from millhand.messages import tr
from millhand.models.files import read_part
from millhand.models.golden_files import Arrays, read_golden
from millhand.models.manifest import Golden
from millhand.models.package import Package
from millhand.models.shapes import misfit


@dataclass(frozen=True, slots=True)
class GoldenCase:
    """One output of one golden file: the largest absolute difference met and the one allowed."""

    path: str
    output: str
    largest_difference: float
    absolute: float
    largest_value: float
    """Of the golden output, without its sign."""

    @property
    def relative_difference(self) -> float:
        """The difference in units of the output's largest value, or as it is where that is < 1."""
        return self.largest_difference / max(1.0, self.largest_value)


@dataclass(frozen=True, slots=True)
class GoldenReport:
    """All golden cases of one precision, each within its bounds."""

    precision: str
    cases: tuple[GoldenCase, ...]

    @property
    def largest_difference(self) -> float:
        """The largest absolute difference of all cases."""
        return max((case.largest_difference for case in self.cases), default=0.0)

    @property
    def relative_difference(self) -> float:
        """The largest relative difference of all cases."""
        return max((case.relative_difference for case in self.cases), default=0.0)


def golden_cases(package: Package, precision: str) -> list[tuple[Golden, Arrays, Arrays]]:
    """Read the golden files for ``precision`` with their inputs and outputs.

    Raises:
        PackageError: ``golden``, there is none; ``hash``, a file changed since it was opened.
    """
    cases = [
        (golden, *read_golden(read_part(package.path(golden), golden), golden, package.manifest))
        for golden in package.manifest.golden
        if golden.precision == precision
    ]
    if not cases:
        raise PackageError(
            tr(
                "The package {id} has no golden outputs for {precision}.",
                id=package.id,
                precision=precision,
            ),
            fault="golden",
            mend=tr("Build the package again; a graph that cannot be checked is not run."),
        )
    return cases


def check_golden(session: Session, package: Package, precision: str) -> GoldenReport:
    """Run every golden input of ``precision`` and compare.

    Raises:
        PackageError: ``golden`` where an output differs by more than its bounds, ``shape``
            where it is not of the manifest's form.
    """
    cases: list[GoldenCase] = []
    for golden, inputs, wanted in golden_cases(package, precision):
        got = session.run(inputs)
        wrong = misfit(package.manifest.outputs, got)
        if wrong:
            raise PackageError(
                tr("The outputs of {id} do not fit its manifest: {why}.", id=package.id, why=wrong),
                fault="shape",
                mend=tr("Build the package again."),
            )
        cases.extend(
            _compare(package.id, golden, name, got[name], array) for name, array in wanted.items()
        )
    return GoldenReport(precision, tuple(cases))


def _compare(
    package_id: str, golden: Golden, name: str, got: NDArray[Any], wanted: NDArray[Any]
) -> GoldenCase:
    difference = largest_difference(got, wanted)
    near = got.shape == wanted.shape and np.allclose(
        got.astype(np.float64),
        wanted.astype(np.float64),
        rtol=golden.relative,
        atol=golden.absolute,
        equal_nan=True,
    )
    if not near:
        raise PackageError(
            tr(
                "{id} does not reproduce {path}: {output} differs by {difference:.4g}, "
                "{allowed:.4g} is allowed.",
                id=package_id,
                path=golden.path,
                output=name,
                difference=difference,
                allowed=golden.absolute,
            ),
            fault="golden",
            mend=tr("Run it on another accelerator or precision, or build the package again."),
        )
    return GoldenCase(golden.path, name, difference, golden.absolute, largest_value(wanted))


def largest_value(array: NDArray[Any]) -> float:
    """Largest absolute value; 0 where there is none."""
    return float(np.abs(array.astype(np.float64)).max(initial=0.0))


def largest_difference(got: NDArray[Any], wanted: NDArray[Any]) -> float:
    """Largest absolute difference; infinite for another shape, or NaN on one side only."""
    if got.shape != wanted.shape:
        return float("inf")
    left, right = got.astype(np.float64), wanted.astype(np.float64)
    apart = np.where(left == right, 0.0, np.abs(left - right))
    apart[np.isnan(left) & np.isnan(right)] = 0.0
    return float(np.nan_to_num(apart, nan=np.inf, posinf=np.inf).max(initial=0.0))
