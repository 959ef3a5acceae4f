"""From a picture file to pixels, within limits, whatever the file holds."""

from __future__ import annotations

import stat
from datetime import datetime
from pathlib import Path
from typing import Final

import numpy as np
from numpy.typing import NDArray
from PIL import ExifTags, Image, ImageOps
from structlog import get_logger

from millhand.errors import Unavailable
from millhand.journal.blobs import frame_hash
from millhand.messages import tr
from millhand_cameras.config import FolderConfig, PictureConfig
from millhand_cameras.source import Picture, unreadable

log = get_logger(__name__)

FORMATS: Final = ("PNG", "JPEG", "BMP", "TIFF", "WEBP")
"""What is decoded, whatever a file's name says."""
SUFFIXES: Final = frozenset({".png", ".jpg", ".jpeg", ".bmp", ".tif", ".tiff", ".webp"})
_DEEP_MODES: Final = ("I;16", "I;16L", "I;16B")
_FLOATING_MODES: Final = ("I", "F")
_SIDEWAYS: Final = (5, 6, 7, 8)
"""EXIF orientations that swap width and height."""


def read_picture(path: Path, origin: str, config: FolderConfig) -> Picture:
    """Read, bound, turn upright, cut out and scale one picture. Blocks.

    Raises:
        Unavailable: the file is no picture of the formats known, is damaged, too large, or gone.
    """
    try:
        about = path.stat()
    except OSError as error:
        raise unreadable(origin, error.strerror or error) from error
    if not stat.S_ISREG(about.st_mode):
        raise unreadable(origin, tr("it is no ordinary file"))
    if about.st_size > config.max_file_mb * 1e6:
        raise unreadable(
            origin,
            tr(
                "{size:.0f} MB are more than the {limit:.0f} MB allowed",
                size=about.st_size / 1e6,
                limit=config.max_file_mb,
            ),
        )
    try:
        with Image.open(path, formats=FORMATS) as image:
            _check_size(image, origin, config)
            exposed_utc_ns = _exposure_time(image) or about.st_mtime_ns
            pixels = _prepare(image, config)
    except Unavailable:
        raise
    except Exception as error:
        # A hostile file can make a decoder raise anything.
        raise unreadable(origin, _reason(error)) from error
    return Picture(pixels, frame_hash(pixels), origin, exposed_utc_ns)


def to_pixels(image: Image.Image, config: PictureConfig) -> NDArray[np.uint8]:
    """Cut out, scale and convert an upright picture of any mode to 8 bits.

    Raises:
        ValueError: the part to cut out does not lie within the picture, or its pixels are numbers
            without a known range.
    """
    return _finish(image, config, _box(image.size, config))


def _prepare(image: Image.Image, config: FolderConfig) -> NDArray[np.uint8]:
    """Decode no more of a JPEG than is needed, turn it upright and finish it."""
    sideways = image.getexif().get(ExifTags.Base.Orientation, 1) in _SIDEWAYS
    full = image.size[::-1] if sideways else image.size
    box = _box(full, config)
    if config.size is not None:
        # The decoder takes the next larger of 1/1, 1/2, 1/4 and 1/8.
        across = full[0] * config.size[0] / (box[2] - box[0])
        down = full[1] * config.size[1] / (box[3] - box[1])
        wanted = (round(down), round(across)) if sideways else (round(across), round(down))
        image.draft(None, wanted)
    upright = ImageOps.exif_transpose(image)
    shrunk = (upright.width / full[0], upright.height / full[1])
    scaled = (box[0] * shrunk[0], box[1] * shrunk[1], box[2] * shrunk[0], box[3] * shrunk[1])
    return _finish(upright, config, scaled)


def _box(full: tuple[int, int], config: PictureConfig) -> tuple[float, float, float, float]:
    """Return what is cut out: left, top, right, bottom."""
    if config.crop is None:
        return 0.0, 0.0, float(full[0]), float(full[1])
    x, y, width, height = config.crop
    if x + width > full[0] or y + height > full[1]:
        raise ValueError(
            tr(
                "the part to cut out does not lie within its {width}x{height} pixels",
                width=full[0],
                height=full[1],
            )
        )
    return float(x), float(y), float(x + width), float(y + height)


def _finish(
    image: Image.Image, config: PictureConfig, box: tuple[float, float, float, float]
) -> NDArray[np.uint8]:
    if image.mode in _FLOATING_MODES:
        raise ValueError(tr("its pixels are numbers without a known range"))
    if image.mode in _DEEP_MODES:
        image = Image.fromarray((np.asarray(image, dtype=np.uint16) >> 8).astype(np.uint8))
    image = image.convert("RGB" if config.colour == "rgb" else "L")
    if config.size is not None:
        image = image.resize(config.size, Image.Resampling.BILINEAR, box=box)
    elif config.crop is not None:
        image = image.crop(box)
    pixels = np.array(image, dtype=np.uint8)
    if pixels.ndim == 2:
        pixels = pixels[:, :, np.newaxis]
    pixels.flags.writeable = False
    return pixels


def _check_size(image: Image.Image, origin: str, config: PictureConfig) -> None:
    if image.width * image.height > config.max_pixels:
        raise unreadable(
            origin,
            tr(
                "{width}x{height} pixels are more than the {limit} allowed",
                width=image.width,
                height=image.height,
                limit=config.max_pixels,
            ),
        )


def _exposure_time(image: Image.Image) -> int | None:
    """Return when the picture says it was exposed, in ns of UTC.

    EXIF times without an offset are the local time of this computer.
    """
    try:
        exif = image.getexif()
        details = exif.get_ifd(ExifTags.IFD.Exif)
        text = details.get(ExifTags.Base.DateTimeOriginal) or exif.get(ExifTags.Base.DateTime)
        if not text:
            return None
        moment = datetime.strptime(str(text).strip("\0 "), "%Y:%m:%d %H:%M:%S")  # noqa: DTZ007
        offset = details.get(ExifTags.Base.OffsetTimeOriginal)
        if offset:
            moment = moment.replace(tzinfo=datetime.strptime(str(offset).strip("\0 "), "%z").tzinfo)
        fraction = str(details.get(ExifTags.Base.SubsecTimeOriginal, "")).strip("\0 ")
        below_s = int(fraction.ljust(9, "0")[:9]) if fraction.isdecimal() else 0
        return int(moment.timestamp()) * 10**9 + below_s
    except Exception:
        # Pixels may be sound where notes are not; then the file's own time serves.
        log.debug("notes of a picture cannot be read", exc_info=True)
        return None


def _reason(error: Exception) -> str:
    text = str(error) or type(error).__name__
    if text.startswith("cannot identify image file"):
        return tr("it is none of {formats}", formats=", ".join(FORMATS))
    return text.rstrip(".")
