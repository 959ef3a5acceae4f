"""Fuzzes a reader of foreign bytes by coverage.

``python fuzz_readers.py graph|manifest|scenario CORPUS``: what it reads may be refused by an error
of ours, and by nothing else.
"""

from __future__ import annotations

import shutil
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path

import atheris

with atheris.instrument_imports(include=["millhand.models", "millhand.scenario"]):
    from millhand.errors import ConfigError, PackageError
    from millhand.models.graph import read_facts
    from millhand.models.package import open_package
    from millhand.scenario.load import load

PACKAGE = Path(__file__).parents[2] / "scenarios" / "casting_cell" / "models" / "impeller"


def graph(data: bytes) -> None:
    """Read an ONNX graph."""
    try:
        read_facts(data, "fuzz")
    except PackageError:
        return


def manifest(folder: Path) -> Callable[[bytes], None]:
    """Open a whole package whose manifest is the fuzzer's."""
    package = folder / "impeller"
    shutil.copytree(PACKAGE, package)

    def one(data: bytes) -> None:
        (package / "manifest.json").write_bytes(data)
        try:
            open_package(package)
        except PackageError:
            return

    return one


def scenario(folder: Path) -> Callable[[bytes], None]:
    """Load a scenario's file."""
    file = folder / "scenario.yaml"

    def one(data: bytes) -> None:
        file.write_bytes(data)
        try:
            load(file)
        except ConfigError:
            return

    return one


if __name__ == "__main__":
    what = sys.argv.pop(1)
    place = Path(tempfile.mkdtemp(prefix="fuzz-", dir=Path.cwd()))
    readers = {"graph": lambda _: graph, "manifest": manifest, "scenario": scenario}
    atheris.Setup(sys.argv, readers[what](place))
    atheris.Fuzz()
