"""``millhand simulated pictures``, as a person calls it."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from click.testing import CliRunner

from millhand.errors import ConfigError
from millhand_simulated.parts.command import pictures

FEW = ["--good", "3", "--test-good", "1", "--defective", "1", "--size", "64"]


def write(folder: Path, *options: str) -> dict[str, dict[str, object]]:
    done = CliRunner().invoke(pictures, ["impeller", "--out", str(folder), *FEW, *options])
    if done.exception is not None:
        raise done.exception
    manifest = json.loads((folder / "manifest.json").read_text(encoding="utf-8"))
    return {entry["file"]: entry for entry in manifest["pictures"]}


def test_it_writes_the_layout_that_inspectors_are_fitted_on(tmp_path: Path) -> None:
    written = write(tmp_path / "a")
    assert len(written) == 3 + 1 + 6
    assert all((tmp_path / "a" / file).is_file() for file in written)
    families: dict[str, set[object]] = {"train": set(), "test": set()}
    for file, entry in written.items():
        families[file.partition("/")[0]].add(entry["family_seed"])
    assert len(families["train"]) == 3, "each has light and finish of its own"
    assert families["train"].isdisjoint(families["test"])


def test_a_seed_gives_the_same_pictures_and_another_seed_gives_others(tmp_path: Path) -> None:
    first, again, other = (write(tmp_path / name, "--seed", name) for name in ("1", "01", "2"))
    assert first == again
    hashes = [{entry["sha256"] for entry in written.values()} for written in (first, other)]
    assert hashes[0].isdisjoint(hashes[1])


def test_a_folder_in_use_is_refused(tmp_path: Path) -> None:
    (tmp_path / "mine.txt").write_text("mine", encoding="utf-8")
    with pytest.raises(ConfigError, match="not empty"):
        write(tmp_path)
