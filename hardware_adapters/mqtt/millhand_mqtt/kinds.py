"""The types that a tag may declare."""

from __future__ import annotations

from millhand.messages import tr

INTEGERS: dict[str, tuple[int, int]] = {
    **{f"int{bits}": (-(2 ** (bits - 1)), 2 ** (bits - 1) - 1) for bits in (8, 16, 32, 64)},
    **{f"uint{bits}": (0, 2**bits - 1) for bits in (8, 16, 32, 64)},
}
"""Least and greatest value of each integer type."""
FLOATS = frozenset({"float", "double"})
NAMES = frozenset({"bool", "string"}) | FLOATS | INTEGERS.keys()


def check_type_name(name: str) -> str:
    """Return ``name`` if it is a type, with or without ``[]``.

    Raises:
        ValueError: it is none.
    """
    if name and name.removesuffix("[]") not in NAMES:
        raise ValueError(
            tr("{name} is no type; there are: {names}", name=name, names=", ".join(sorted(NAMES)))
        )
    return name
