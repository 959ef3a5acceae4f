"""Let a package's graph answer given inputs, in a process of its own, perhaps an emulated one."""

from __future__ import annotations

import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from numpy.typing import NDArray

from millhand.errors import PackageError
from millhand.models.arrays import read_arrays, write_arrays
from millhand.models.bench import Candidate, probe
from millhand.models.golden import largest_difference, largest_value
from millhand.models.package import Package
from millhand.models.probe import Compute

Arrays = Mapping[str, NDArray[Any]]

_SECONDS_AT_LEAST = 300.0


def compute(
    package: Package,
    on: Candidate,
    precision: str,
    inputs: Sequence[Arrays],
    under: Sequence[str] = (),
) -> list[Arrays]:
    """Return the outputs for each of the inputs. Blocks; a crash there is an error here.

    Args:
        package: a verified package.
        on: the accelerator.
        precision: which graph.
        inputs: the arrays of each run by the inputs' names.
        under: words before the command, from :func:`millhand.models.older.emulation`.

    Raises:
        PackageError: it could not be run there; ``fault`` names why.
    """
    with tempfile.TemporaryDirectory(prefix="millhand-") as name:
        asked, told = Path(name) / "asked", Path(name) / "told"
        asked.mkdir()
        told.mkdir()
        for number, arrays in enumerate(inputs):
            (asked / _file(number)).write_bytes(write_arrays(arrays))
        request = Compute(
            accelerator=on.accelerator,
            target=on.target,
            settings={**on.settings, "threads": 1},
            package=str(package.folder),
            precision=precision,
            inputs=str(asked),
            outputs=str(told),
        )
        answer = probe(request, limit_s=_SECONDS_AT_LEAST + len(inputs), under=under)
        if answer.failed is not None:
            raise PackageError(answer.failed.message, fault=answer.failed.fault or "crash")
        return [read_arrays((told / _file(n)).read_bytes()) for n in range(len(inputs))]


def _file(number: int) -> str:
    return f"{number:06}.npz"


def relative_difference(got: Arrays, wanted: Arrays) -> float:
    """Return the largest difference of any output, in units of that output's largest value.

    Outputs that never exceed 1 are compared as they are; infinite where shapes differ.
    """
    return max(
        (
            largest_difference(got[name], array) / max(1.0, largest_value(array))
            for name, array in wanted.items()
        ),
        default=0.0,
    )
