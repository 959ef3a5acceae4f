"""Do arrays have the form that a manifest says? The one place that knows."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from numpy.typing import NDArray

from millhand.messages import tr
from millhand.models.manifest import TensorSpec


def misfit(specs: Sequence[TensorSpec], arrays: Mapping[str, NDArray[Any]]) -> str:
    """Say in words how ``arrays`` differ from ``specs``; empty where they fit.

    A named size may be any, but the same everywhere it is named.
    """
    sizes: dict[str, int] = {}
    for spec in specs:
        array = arrays.get(spec.name)
        if array is None:
            return tr("{name} is missing", name=spec.name)
        if array.dtype != spec.dtype:
            return tr(
                "{name} should be {stated} but is {found}",
                name=spec.name,
                stated=spec.dtype,
                found=array.dtype,
            )
        if not _fits(spec.shape, array.shape, sizes):
            return tr(
                "{name} should have the shape {stated} but has {found}",
                name=spec.name,
                stated=_words(spec.shape),
                found=_words(array.shape),
            )
    names = {spec.name for spec in specs}
    unknown = sorted(set(arrays) - names)
    return tr("{name} is unknown", name=unknown[0]) if unknown else ""


def _fits(stated: tuple[int | str, ...], found: tuple[int, ...], sizes: dict[str, int]) -> bool:
    if len(stated) != len(found):
        return False
    for size, there in zip(stated, found, strict=True):
        wanted = sizes.setdefault(size, there) if isinstance(size, str) else size
        if wanted != there:
            return False
    return True


def _words(shape: Sequence[int | str]) -> str:
    return "(" + ", ".join(str(size) for size in shape) + ")"
