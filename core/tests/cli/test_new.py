"""Skeletons: written where there is room, and nowhere else."""

from __future__ import annotations

import tomllib
from pathlib import Path

import pytest


@pytest.mark.parametrize("kind", ["plugin", "adapter"])
def test_a_distribution_is_named_throughout(run, tmp_path: Path, kind: str) -> None:
    folder = tmp_path / "made"
    done = run("new", kind, "acme-box", "--folder", folder)
    assert done.exit_code == 0, done.output
    project = tomllib.loads((folder / "pyproject.toml").read_text())["project"]
    assert project["name"] == "millhand-acme-box"
    assert project["entry-points"]["millhand"] == {"acme_box": "millhand_acme_box"}
    assert (folder / "millhand_acme_box" / "py.typed").exists()
    texts = [file.read_text() for file in folder.rglob("*") if file.is_file()]
    assert not [text for text in texts if "{{" in text or "MODULE" in text]
    assert [line for line in done.stdout.splitlines() if line.endswith("pyproject.toml")]


@pytest.mark.parametrize(
    "name", ["Acme", "acme_box", "-box", "acme--box", "../box", "a b", "ä", "1box"]
)
def test_what_cannot_be_a_name_is_refused(run, tmp_path: Path, name: str) -> None:
    done = run("new", "scenario", "--folder", tmp_path / "made", "--", name)
    assert done.exit_code == 3
    assert not (tmp_path / "made").exists()


def test_nothing_is_written_over(run, tmp_path: Path) -> None:
    mine = tmp_path / "mine.txt"
    mine.write_text("mine")
    done = run("new", "scenario", "my-cell", "--folder", tmp_path)
    assert done.exit_code == 3
    assert [file.name for file in tmp_path.iterdir()] == ["mine.txt"]
