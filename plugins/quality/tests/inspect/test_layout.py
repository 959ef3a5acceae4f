"""Reading folders and pictures: what is wrong is named, nothing is fooled."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from millhand.errors import ConfigError
from millhand_quality.inspect.layout import read_layout
from millhand_quality.inspect.pictures import (
    Shape,
    UnreadablePicture,
    commonest_shape,
    open_all,
    open_picture,
    require_shape,
)

from .conftest import make_part, save, write_folder


def test_layout_is_read(folder: Path) -> None:
    layout = read_layout(folder)
    assert len(layout.good) == 30
    assert len(layout.test_good) == 10
    assert {kind: len(found) for kind, found in layout.test_defects.items()} == {"scratch": 6}
    mask = layout.mask_of("scratch", layout.test_defects["scratch"][0].path)
    assert mask is not None
    assert mask.name == "000_mask.png"


def test_pictures_alone_are_good_ones(tmp_path: Path) -> None:
    save(tmp_path / "a.png", make_part(0))
    assert [one.part for one in read_layout(tmp_path).good] == ["a"]


def test_missing_and_empty_folders_are_said(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="no folder"):
        read_layout(tmp_path / "nowhere")
    with pytest.raises(ConfigError, match="No good pictures") as raised:
        read_layout(tmp_path)
    assert "train/good" in raised.value.mend


def test_parts_are_read_from_names(tmp_path: Path) -> None:
    for name in ("p1_a.png", "p1_b.png", "p2_a.png"):
        save(tmp_path / name, make_part(0))
    assert [one.part for one in read_layout(tmp_path, r"^(p\d+)_").good] == ["p1", "p1", "p2"]
    with pytest.raises(ConfigError, match="does not match"):
        read_layout(tmp_path, r"^(q\d+)_")
    with pytest.raises(ConfigError, match="no group"):
        read_layout(tmp_path, r"^p")
    with pytest.raises(ConfigError, match="no regular expression"):
        read_layout(tmp_path, r"(")


def broken_files(folder: Path) -> dict[str, bytes]:
    whole = save(folder / "whole.png", make_part(0)).read_bytes()
    return {
        "truncated.png": whole[: len(whole) // 2],
        "text.png": b"this is no picture",
        "empty.jpg": b"",
        "header.png": whole[:20],
    }


def test_broken_pictures_are_named_and_left_out(tmp_path: Path) -> None:
    for name, data in broken_files(tmp_path).items():
        (tmp_path / name).write_bytes(data)
        with pytest.raises(UnreadablePicture, match=name):
            open_picture(tmp_path / name)
    skipped: list[UnreadablePicture] = []
    opened = open_all(read_layout(tmp_path).good, skipped)
    assert [one.path.name for one in opened] == ["whole.png"]
    assert len(skipped) == 4


def test_a_bomb_is_not_unpacked(tmp_path: Path) -> None:
    path = tmp_path / "bomb.png"
    Image.new("1", (20_000, 20_000)).save(path)
    with pytest.raises(UnreadablePicture, match="pixels"):
        open_picture(path)


@pytest.mark.parametrize(
    ("mode", "channels"), [("L", 1), ("RGB", 3), ("RGBA", 3), ("P", 3), ("1", 1), ("LA", 1)]
)
def test_modes_become_grey_or_rgb(tmp_path: Path, mode: str, channels: int) -> None:
    path = tmp_path / "x.png"
    Image.new(mode, (70, 80)).save(path)
    assert open_picture(path).shape == Shape(80, 70, channels)


def test_sixteen_bits_are_scaled(tmp_path: Path) -> None:
    path = tmp_path / "deep.png"
    Image.fromarray(np.full((70, 70), 40_000, np.uint16)).save(path)
    pixels = open_picture(path).pixels()
    assert pixels.shape == (70, 70, 1)
    assert int(pixels[0, 0, 0]) == 40_000 >> 8


def test_another_size_is_refused_by_name(tmp_path: Path) -> None:
    save(tmp_path / "a.png", make_part(0))
    save(tmp_path / "b.png", make_part(1))
    save(tmp_path / "odd.png", make_part(2, size=80))
    pictures = open_all(read_layout(tmp_path).good, [])
    shape = commonest_shape(pictures)
    assert shape == Shape(96, 96, 3)
    with pytest.raises(ConfigError, match=r"odd\.png.*80x80"):
        require_shape(pictures, shape)
    assert pictures[2].pixels(shape).shape == (96, 96, 3)


def test_test_pictures_are_optional(tmp_path: Path) -> None:
    layout = read_layout(write_folder(tmp_path, 2))
    assert layout.test_good == ()
    assert layout.test_defects == {}
