"""Relative paths of a configuration count from the scenario's folder, wherever they stand."""

from __future__ import annotations

from pathlib import Path

from pydantic import BaseModel

from millhand.plugins.paths import based_on


class Inner(BaseModel):
    file: Path


class Outer(BaseModel):
    inner: Inner
    files: tuple[Path, ...] = ()
    name: str = "a/b"


def test_paths_are_based_and_nothing_else() -> None:
    config = Outer(inner=Inner(file=Path("x.json")), files=(Path("y"), Path("/z")))
    based = based_on(config, Path("/cell"))
    assert based.inner.file == Path("/cell/x.json")
    assert based.files == (Path("/cell/y"), Path("/z"))
    assert based.name == "a/b"
    assert config.inner.file == Path("x.json")
