"""Fuzzes the reader of foreign ONNX graphs by coverage: ``python fuzz_graph.py CORPUS``."""

from __future__ import annotations

import sys

import atheris

with atheris.instrument_imports(include=["millhand.models.graph", "millhand.models.protobuf"]):
    from millhand.errors import PackageError
    from millhand.models.graph import read_facts


def one(data: bytes) -> None:
    """Read, and let nothing but our own error out."""
    try:
        read_facts(data, "fuzz")
    except PackageError:
        return


if __name__ == "__main__":
    atheris.Setup(sys.argv, one)
    atheris.Fuzz()
