"""A data set on disk: the layout, the manifest, and that the files are what it says."""

from __future__ import annotations

import json
from hashlib import sha256
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from millhand.errors import ConfigError
from millhand_simulated.parts import DEFECTS, RENDERER_VERSION, Defect, render
from millhand_simulated.parts.dataset import contact_sheet, write_dataset


def test_layout_manifest_and_files_agree(tmp_path: Path) -> None:
    folder = tmp_path / "impeller"
    manifest_path = write_dataset(
        folder,
        "impeller",
        good=3,
        test_good=2,
        defective_per_kind=1,
        first_seed=100,
        family_seeds=[1, 2],
        test_family_seeds=[50],
        size=96,
    )
    manifest = json.loads(manifest_path.read_text())
    assert manifest["licence"] == "CC0-1.0"
    assert manifest["renderer_version"] == RENDERER_VERSION
    entries = manifest["pictures"]
    assert [e["part_seed"] for e in entries] == list(range(100, 100 + 3 + 2 + len(DEFECTS)))
    assert {e["family_seed"] for e in entries if e["file"].startswith("train")} == {1, 2}
    assert {e["family_seed"] for e in entries if e["file"].startswith("test")} == {50}
    on_disk = {str(p.relative_to(folder).as_posix()) for p in folder.rglob("*.png")}
    named = {e["file"] for e in entries} | {e["mask"] for e in entries if "mask" in e}
    assert on_disk == named
    for entry in entries:
        data = (folder / entry["file"]).read_bytes()
        assert sha256(data).hexdigest() == entry["sha256"]
    worst = next(e for e in entries if e["defect"] == "stain")
    assert worst["file"] == "test/stain/000000.png"
    with Image.open(folder / worst["mask"]) as mask:
        assert np.count_nonzero(np.asarray(mask)) == worst["area_px2"]
    again = render(
        "impeller", part_seed=worst["part_seed"], family_seed=50, defect="stain", size=96
    )
    with Image.open(folder / worst["file"]) as picture:
        assert np.array_equal(np.asarray(picture), again.pixels)


def test_a_folder_that_holds_something_is_refused(tmp_path: Path) -> None:
    (tmp_path / "mine.txt").write_text("mine")
    with pytest.raises(ConfigError, match="not empty"):
        write_dataset(tmp_path, "housing", good=1, first_seed=0, family_seeds=[1])
    assert [p.name for p in tmp_path.iterdir()] == ["mine.txt"]


def test_no_family_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="family"):
        write_dataset(tmp_path / "new", "housing", good=1, first_seed=0, family_seeds=[])


def test_contact_sheet_frames_the_defects() -> None:
    kinds: tuple[Defect | None, ...] = (None, "stain", "chip")
    parts = [
        render("housing", part_seed=seed, family_seed=1, defect=kind, size=64)
        for seed, kind in enumerate(kinds)
    ]
    sheet = np.asarray(contact_sheet(parts, columns=2))
    assert sheet.shape == (128, 128, 3)
    assert np.array_equal(sheet[:64, :64], parts[0].pixels)
    red = (sheet == (220, 40, 40)).all(axis=2)
    assert not red[:64, :64].any()
    assert red[:64, 64:].any()
    assert red[64:, :64].any()
