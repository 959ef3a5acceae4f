"""The built-in types of OPC UA under the names that scenarios use."""

from __future__ import annotations

from millhand.messages import tr

BUILT_IN: dict[str, int] = {
    "boolean": 1,
    "sbyte": 2,
    "byte": 3,
    "int16": 4,
    "uint16": 5,
    "int32": 6,
    "uint32": 7,
    "int64": 8,
    "uint64": 9,
    "float": 10,
    "double": 11,
    "string": 12,
    "datetime": 13,
    "guid": 14,
    "bytestring": 15,
    "xmlelement": 16,
    "nodeid": 17,
    "expandednodeid": 18,
    "statuscode": 19,
    "qualifiedname": 20,
    "localizedtext": 21,
}
"""Name to number, which is at once the VariantType and the DataType's node in namespace 0."""

NAMES = {number: name for name, number in BUILT_IN.items()}

INTEGERS: dict[str, tuple[int, int]] = {
    "sbyte": (-(2**7), 2**7 - 1),
    "byte": (0, 2**8 - 1),
    "int16": (-(2**15), 2**15 - 1),
    "uint16": (0, 2**16 - 1),
    "int32": (-(2**31), 2**31 - 1),
    "uint32": (0, 2**32 - 1),
    "int64": (-(2**63), 2**63 - 1),
    "uint64": (0, 2**64 - 1),
}
"""Least and greatest value of each integer type."""

NUMBERS = frozenset(INTEGERS) | {"float", "double"}


def check_type_name(text: str) -> str:
    """Return the name of a built-in type, with ``[]`` for an array, in lower case.

    Raises:
        ValueError: no such type.
    """
    name = text.lower()
    if name and name.removesuffix("[]") not in BUILT_IN:
        raise ValueError(
            tr("{text} is not a type; known are {names}", text=text, names=", ".join(BUILT_IN))
        )
    return name
