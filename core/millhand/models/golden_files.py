"""A golden file: inputs of a graph and the outputs that belong to them, as arrays."""

from __future__ import annotations

from typing import Any

from numpy.typing import NDArray

from millhand.errors import PackageError
from millhand.messages import tr
from millhand.models.arrays import BadArrays, read_arrays
from millhand.models.manifest import Golden, Manifest, TensorSpec
from millhand.models.shapes import misfit

Arrays = dict[str, NDArray[Any]]


def read_golden(data: bytes, golden: Golden, manifest: Manifest) -> tuple[Arrays, Arrays]:
    """Return inputs and outputs of a golden file whose hash has been checked.

    Raises:
        PackageError: ``pickle`` for Python objects, ``golden`` for anything else wrong.
    """
    try:
        arrays = read_arrays(data)
    except BadArrays as error:
        raise PackageError(
            tr("{path} cannot be read: {why}.", path=golden.path, why=error),
            fault="pickle" if error.pickle else "golden",
            mend=tr("Build the package again."),
        ) from error
    sides: dict[str, Arrays] = {"input": {}, "output": {}}
    for name, array in arrays.items():
        side, _, tensor = name.partition(".")
        if side not in sides:
            raise _unfit(golden, tr("{name} is neither input nor output", name=name))
        sides[side][tensor] = array
    _check_side(golden, manifest.inputs, sides["input"], tr("inputs"))
    _check_side(golden, manifest.outputs, sides["output"], tr("outputs"))
    return sides["input"], sides["output"]


def _check_side(golden: Golden, specs: tuple[TensorSpec, ...], arrays: Arrays, side: str) -> None:
    if set(arrays) != {spec.name for spec in specs}:
        raise _unfit(golden, tr("its {side} are not those of the manifest", side=side))
    wrong = misfit(specs, arrays)
    if wrong:
        raise _unfit(golden, wrong)


def _unfit(golden: Golden, why: str) -> PackageError:
    return PackageError(
        tr("The golden file {path} does not fit: {why}.", path=golden.path, why=why),
        fault="golden",
        mend=tr("Build the package again."),
    )
