"""Pictures of every mode within limits; hostile files end as an error that names them."""

from __future__ import annotations

import os
import struct
import zlib
from datetime import UTC, datetime
from io import BytesIO
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from PIL import ExifTags, Image

from millhand.errors import Unavailable
from millhand_cameras.config import FolderConfig
from millhand_cameras.decode import read_picture
from millhand_cameras.source import Picture


def read(path: Path, **options: object) -> Picture:
    config = FolderConfig.model_validate({"path": path.parent, **options})
    return read_picture(path, path.name, config)


def gradient(width: int, height: int) -> Image.Image:
    x = np.linspace(0, 255, width)[None, :, None]
    y = np.linspace(0, 255, height)[:, None, None]
    planes = np.concatenate([x + 0 * y, y + 0 * x, (x + y) / 2], axis=2)
    return Image.fromarray(planes.astype(np.uint8))


@pytest.mark.parametrize("suffix", ["png", "bmp", "tif"])
def test_lossless_formats_give_the_very_pixels(tmp_path: Path, suffix: str) -> None:
    image = gradient(40, 30)
    image.save(tmp_path / f"x.{suffix}")
    assert np.array_equal(read(tmp_path / f"x.{suffix}").pixels, np.asarray(image))


@pytest.mark.parametrize("suffix", ["jpg", "webp"])
def test_lossy_formats_come_near(tmp_path: Path, suffix: str) -> None:
    image = gradient(64, 48)
    image.save(tmp_path / f"x.{suffix}", quality=95)
    difference = read(tmp_path / f"x.{suffix}").pixels.astype(int) - np.asarray(image)
    assert np.abs(difference).mean() < 3


@pytest.mark.parametrize("mode", ["1", "L", "LA", "P", "RGB", "RGBA", "I;16"])
@pytest.mark.parametrize(("colour", "channels"), [("rgb", 3), ("grey", 1)])
def test_every_mode_ends_in_eight_bits(
    tmp_path: Path, mode: str, colour: str, channels: int
) -> None:
    if mode == "I;16":
        image = Image.fromarray(np.full((6, 8), 0x80FF, np.uint16))
    else:
        image = Image.new("L", (8, 6), 128).convert(mode)
    image.save(tmp_path / "x.png")
    pixels = read(tmp_path / "x.png", colour=colour).pixels
    assert pixels.shape == (6, 8, channels)
    assert pixels.dtype == np.uint8
    if mode != "1":
        assert np.all(pixels == 128)


def test_floating_pixels_have_no_known_range(tmp_path: Path) -> None:
    Image.fromarray(np.ones((4, 4), np.float32)).save(tmp_path / "x.tif")
    with pytest.raises(Unavailable, match=r"x\.tif.*without a known range"):
        read(tmp_path / "x.tif")


def test_crop_and_size(tmp_path: Path) -> None:
    image = gradient(200, 100)
    image.save(tmp_path / "x.png")
    whole = np.asarray(image)
    cut = read(tmp_path / "x.png", crop=(20, 10, 60, 40)).pixels
    assert np.array_equal(cut, whole[10:50, 20:80])
    small = read(tmp_path / "x.png", crop=(20, 10, 60, 40), size=(30, 20)).pixels
    assert small.shape == (20, 30, 3)
    assert np.abs(small.astype(float) - cut.reshape(20, 2, 30, 2, 3).mean(axis=(1, 3))).max() < 3


def test_a_crop_beyond_the_picture_is_refused(tmp_path: Path) -> None:
    gradient(50, 40).save(tmp_path / "x.png")
    with pytest.raises(Unavailable, match=r"x\.png.*within its 50x40"):
        read(tmp_path / "x.png", crop=(20, 10, 60, 10))


@pytest.mark.parametrize("crop", [None, (400, 200, 800, 600)])
def test_a_jpeg_is_decoded_no_larger_than_needed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, crop: tuple[int, int, int, int] | None
) -> None:
    gradient(1600, 1200).save(tmp_path / "x.jpg", quality=95)
    exact = read(tmp_path / "x.jpg", crop=crop).pixels
    decoded: list[tuple[int, int]] = []
    convert = Image.Image.convert

    def spy(self: Image.Image, *args: object, **kwargs: object) -> Image.Image:
        decoded.append(self.size)
        return convert(self, *args, **kwargs)  # type: ignore[arg-type]

    monkeypatch.setattr(Image.Image, "convert", spy)
    small = read(tmp_path / "x.jpg", crop=crop, size=(160, 120)).pixels
    assert decoded[0][0] <= 400
    height, width = exact.shape[:2]
    mean = exact.reshape(120, height // 120, 160, width // 160, 3).mean(axis=(1, 3))
    assert np.abs(small.astype(float) - mean).mean() < 2


def test_sideways_pictures_are_turned_upright(tmp_path: Path) -> None:
    image = gradient(320, 160)
    exif = image.getexif()
    exif[ExifTags.Base.Orientation] = 6  # turn by 90 degrees clockwise
    image.save(tmp_path / "x.jpg", quality=95, exif=exif)
    upright = read(tmp_path / "x.jpg").pixels
    assert upright.shape == (320, 160, 3)
    assert np.abs(upright.astype(int) - np.rot90(np.asarray(image), 3)).mean() < 3
    small = read(tmp_path / "x.jpg", crop=(0, 160, 160, 160), size=(40, 40)).pixels
    assert small.shape == (40, 40, 3)
    assert np.abs(small.astype(float).mean() - upright[160:].mean()) < 3


def test_exposure_time_is_the_pictures_own(tmp_path: Path) -> None:
    image = gradient(8, 8)
    exif = image.getexif()
    details = exif.get_ifd(ExifTags.IFD.Exif)
    details[ExifTags.Base.DateTimeOriginal] = "2026:11:23 10:00:00"
    details[ExifTags.Base.SubsecTimeOriginal] = "25"
    details[ExifTags.Base.OffsetTimeOriginal] = "+07:00"
    image.save(tmp_path / "x.jpg", exif=exif)
    whole_s = int(datetime(2026, 11, 23, 3, 0, 0, tzinfo=UTC).timestamp())
    assert read(tmp_path / "x.jpg").exposed_utc_ns == whole_s * 10**9 + 250_000_000


@pytest.mark.parametrize("text", ["yesterday", "", "2026:99:99 10:00:00", "\0\0"])
def test_a_nonsense_time_falls_back_on_the_files(tmp_path: Path, text: str) -> None:
    image = gradient(8, 8)
    exif = image.getexif()
    exif[ExifTags.Base.DateTime] = text
    image.save(tmp_path / "x.jpg", exif=exif)
    os.utime(tmp_path / "x.jpg", ns=(0, 1_600_000_000_000_000_007))
    assert read(tmp_path / "x.jpg").exposed_utc_ns == 1_600_000_000_000_000_007


def png(width: int, height: int, body: bytes) -> bytes:
    """A PNG whose header says what it likes."""

    def chunk(kind: bytes, data: bytes) -> bytes:
        return (
            struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))
        )

    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    return (
        b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", body) + chunk(b"IEND", b"")
    )


@pytest.mark.parametrize("side", [8_000, 12_000, 40_000])
def test_a_bomb_is_refused_before_it_is_unpacked(tmp_path: Path, side: int) -> None:
    (tmp_path / "bomb.png").write_bytes(png(side, side, zlib.compress(bytes(10_000_000))))
    with pytest.raises(Unavailable, match=r"bomb\.png"):
        read(tmp_path / "bomb.png")


def test_a_smaller_limit_may_be_set(tmp_path: Path) -> None:
    gradient(100, 100).save(tmp_path / "x.png")
    assert read(tmp_path / "x.png", max_pixels=10_000).pixels.shape == (100, 100, 3)
    with pytest.raises(Unavailable, match="100x100 pixels are more than the 9999 allowed"):
        read(tmp_path / "x.png", max_pixels=9_999)


def test_a_large_file_is_refused_unread(tmp_path: Path) -> None:
    with (tmp_path / "x.png").open("wb") as file:
        file.truncate(2_000_000)
    with pytest.raises(Unavailable, match="2 MB are more than the 1 MB"):
        read(tmp_path / "x.png", max_file_mb=1)


def test_an_animation_under_a_pictures_name_is_refused(tmp_path: Path) -> None:
    frames = [Image.new("P", (64, 64), n) for n in range(20)]
    frames[0].save(tmp_path / "x.gif", save_all=True, append_images=frames[1:])
    (tmp_path / "x.gif").rename(tmp_path / "x.png")
    with pytest.raises(Unavailable, match="none of PNG"):
        read(tmp_path / "x.png")


@pytest.mark.parametrize("suffix", ["png", "jpg", "bmp", "tif", "webp"])
@pytest.mark.parametrize("share", [0.0, 0.02, 0.3, 0.9])
def test_truncated_files(tmp_path: Path, suffix: str, share: float) -> None:
    file = BytesIO()
    gradient(80, 60).save(file, format=Image.registered_extensions()[f".{suffix}"])
    data = file.getvalue()
    (tmp_path / f"x.{suffix}").write_bytes(data[: int(len(data) * share)])
    with pytest.raises(Unavailable, match=rf"x\.{suffix}"):
        read(tmp_path / f"x.{suffix}")


@settings(
    max_examples=100, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(
    suffix=st.sampled_from(["png", "jpg", "bmp", "tif", "webp"]),
    changes=st.lists(st.tuples(st.integers(0, 4000), st.integers(0, 255)), max_size=12),
)
def test_damaged_files_give_a_picture_or_an_error_that_names_them(
    tmp_path: Path, suffix: str, changes: list[tuple[int, int]]
) -> None:
    file = BytesIO()
    gradient(40, 30).save(file, format=Image.registered_extensions()[f".{suffix}"])
    data = bytearray(file.getvalue())
    for place, value in changes:
        data[place % len(data)] = value
    path = tmp_path / f"damaged.{suffix}"
    path.write_bytes(bytes(data))
    outcome = outcome_of(path)
    if isinstance(outcome, Unavailable):
        assert "damaged" in outcome.message
    else:
        assert outcome.pixels.dtype == np.uint8
        assert outcome.pixels.shape[2] == 3
        assert outcome.pixels.size <= 300_000


def outcome_of(path: Path) -> Picture | Unavailable:
    try:
        return read(path, max_pixels=100_000)
    except Unavailable as error:
        return error
