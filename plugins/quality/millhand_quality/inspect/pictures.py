"""Opening picture files: bounded, exact about size and channels, errors that name the file."""

from __future__ import annotations

import hashlib
import io
from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image, UnidentifiedImageError

from millhand.errors import ConfigError
from millhand.messages import tr
from millhand_quality.inspect.layout import Listed

Pixels = NDArray[np.uint8]

BYTES_LIMIT = 256 * 2**20
PIXELS_LIMIT = 100_000_000
KEPT_BYTES_LIMIT = 512 * 2**20
_GREY_MODES = frozenset({"1", "L", "LA", "I", "I;16", "F"})


class UnreadablePicture(ConfigError):
    """A file is not a picture that can be read, or is far too large."""


@dataclass(frozen=True, slots=True)
class Shape:
    """What a camera delivers: height and width in pixels, 1 (grey) or 3 (RGB) channels."""

    height: int
    width: int
    channels: int

    def __str__(self) -> str:
        colour = tr("RGB") if self.channels == 3 else tr("grey")
        return f"{self.width}x{self.height} {colour}"

    @classmethod
    def of(cls, pixels: Pixels) -> Shape:
        """Read the shape of an array ``(height, width, channels)``."""
        height, width, channels = pixels.shape
        return cls(height, width, channels)


@dataclass(frozen=True, slots=True)
class Picture:
    """A picture that could be read, with what is needed to name it again."""

    path: Path
    part: str
    sha256: str
    """Of the file's bytes."""
    shape: Shape
    kept: Pixels | None = None
    """Its pixels, where there was room to keep them."""

    def pixels(self, shape: Shape | None = None) -> Pixels:
        """Return the pixels, resized where ``shape`` is another one.

        Raises:
            UnreadablePicture: the file has changed since it was first read.
        """
        own = self.kept if self.kept is not None else open_picture(self.path).kept
        assert own is not None
        return own if shape in (None, Shape.of(own)) else resized(own, shape)


def _unreadable(path: Path, why: object) -> UnreadablePicture:
    return UnreadablePicture(
        tr("{path} cannot be read as a picture: {why}.", path=path, why=why),
        mend=tr("Replace the file or take it out of the folder."),
    )


def _decode(image: Image.Image, path: Path) -> Pixels:
    if image.width * image.height > PIXELS_LIMIT:
        raise _unreadable(path, tr("more than {limit} pixels", limit=PIXELS_LIMIT))
    if image.mode.startswith("I;16"):
        deep = np.asarray(image, np.uint16)
        return (deep >> 8).astype(np.uint8)[:, :, None]
    grey = image.mode in _GREY_MODES
    pixels = np.asarray(image.convert("L" if grey else "RGB"), np.uint8)
    return pixels[:, :, None] if grey else pixels


def open_picture(path: Path, part: str = "") -> Picture:
    """Read one file.

    Raises:
        UnreadablePicture: missing, truncated, hostile or not a picture.
    """
    try:
        if path.stat().st_size > BYTES_LIMIT:
            raise _unreadable(path, tr("larger than {limit} bytes", limit=BYTES_LIMIT))
        data = path.read_bytes()
        with Image.open(io.BytesIO(data)) as image:
            pixels = _decode(image, path)
    except UnreadablePicture:
        raise
    except Image.DecompressionBombError as error:
        raise _unreadable(path, tr("more than {limit} pixels", limit=PIXELS_LIMIT)) from error
    except UnidentifiedImageError as error:
        raise _unreadable(path, tr("its format is unknown")) from error
    except (OSError, ValueError, SyntaxError, EOFError) as error:
        raise _unreadable(path, error) from error
    pixels.setflags(write=False)
    digest = hashlib.sha256(data).hexdigest()
    return Picture(path, part or path.stem, digest, Shape.of(pixels), pixels)


def resized(pixels: Pixels, shape: Shape) -> Pixels:
    """Return the pixels in another shape (Pillow, antialiased bilinear)."""
    image = Image.fromarray(pixels[:, :, 0] if pixels.shape[2] == 1 else pixels)
    image = image.convert("L" if shape.channels == 1 else "RGB")
    image = image.resize((shape.width, shape.height), Image.Resampling.BILINEAR)
    array = np.asarray(image, np.uint8)
    return array[:, :, None] if shape.channels == 1 else array


def commonest_shape(pictures: Iterable[Picture]) -> Shape:
    """Return the shape that most pictures have; the larger on a tie."""
    counted = Counter(picture.shape for picture in pictures)
    return max(counted, key=lambda shape: (counted[shape], shape.height * shape.width))


def require_shape(pictures: Iterable[Picture], shape: Shape) -> None:
    """Check that all pictures have one shape.

    Raises:
        ConfigError: naming the first that has another.
    """
    for picture in pictures:
        if picture.shape != shape:
            raise ConfigError(
                tr(
                    "{path} is {own}, the others are {shape}.",
                    path=picture.path,
                    own=picture.shape,
                    shape=shape,
                ),
                mend=tr("A fixed camera gives one size: take it out, or resize all with --resize."),
            )


def open_all(
    listed: Iterable[Listed],
    skipped: list[UnreadablePicture],
    progress: Callable[[], None] = lambda: None,
) -> list[Picture]:
    """Open every picture that can be read; those that cannot are added to ``skipped``.

    Pixels are kept up to :data:`KEPT_BYTES_LIMIT` in all; beyond, files are read again.
    """
    pictures = []
    room = KEPT_BYTES_LIMIT
    for item in listed:
        try:
            picture = open_picture(item.path, item.part)
        except UnreadablePicture as error:
            skipped.append(error)
        else:
            room -= picture.kept.nbytes if picture.kept is not None else 0
            pictures.append(picture if room >= 0 else replace(picture, kept=None))
        progress()
    return pictures
