"""The exported graph must answer as what was trained, here and on older processors.

That it does not is the most repeated fault of this field, and a package is refused for it.
"""

from __future__ import annotations

from millhand.contracts.adapters import Used
from millhand.errors import PackageError
from millhand.messages import tr
from millhand.models.bench import Candidate
from millhand.models.compute import compute, relative_difference
from millhand.models.golden import GoldenReport, golden_cases
from millhand.models.manifest import Parity
from millhand.models.older import OLDER, emulation
from millhand.models.package import Package

FP32 = 1e-4
"""Largest difference of an fp32 output, in units of that output's largest value above 1."""


def here(package: Package, used: Used, golden: GoldenReport) -> Parity:
    """Hold what the golden inputs gave on this machine to what was trained.

    Raises:
        PackageError: ``parity``, the fp32 graph answers otherwise.
    """
    return _held(
        package,
        Parity(
            processor=used.device,
            runtime=used.runtime,
            precision=golden.precision,
            difference=golden.relative_difference,
            items=len({case.path for case in golden.cases}),
        ),
    )


def on_older(package: Package, on: Candidate, name: str, used: Used) -> Parity:
    """Run the golden inputs of the fp32 graph on an emulated older processor. Blocks.

    Raises:
        PackageError: ``parity``, it answers otherwise there; or it cannot be run there.
        Unavailable: it cannot be emulated here.
    """
    under = emulation(name)
    cases = golden_cases(package, "fp32")
    got = compute(package, on, "fp32", [inputs for _, inputs, _ in cases], under)
    apart = max(
        relative_difference(outputs, wanted)
        for outputs, (_, _, wanted) in zip(got, cases, strict=True)
    )
    return _held(
        package,
        Parity(
            processor=f"{name} ({OLDER[name].lacks})",
            emulated=True,
            runtime=used.runtime,
            precision="fp32",
            difference=apart,
            items=len(cases),
        ),
    )


def _held(package: Package, seen: Parity) -> Parity:
    if seen.difference <= FP32:
        return seen
    raise PackageError(
        tr(
            "The exported graph of {id} answers otherwise than what was trained: on {processor} "
            "by {apart:.2g} of an output's largest value, {allowed:.2g} is allowed.",
            id=package.id,
            processor=seen.processor,
            apart=seen.difference,
            allowed=FP32,
        ),
        fault="parity",
        mend=tr("Mend the student's export; what differs here differs in every plant."),
    )
