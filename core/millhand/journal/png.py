"""Pictures as lossless PNG, and back within limits."""

from __future__ import annotations

import struct
import zlib
from io import BytesIO
from typing import TYPE_CHECKING

from millhand.errors import PackageError
from millhand.messages import tr

if TYPE_CHECKING:
    from pathlib import Path

    import numpy as np
    from numpy.typing import NDArray

MAX_PIXELS = 89_000_000
"""Larger pictures are neither stored nor decoded."""

_SIGNATURE = b"\x89PNG\r\n\x1a\n"
_LABEL = "Millhand-Disposition"
_COMPRESSION = {"compress_level": 1, "compress_type": zlib.Z_RLE}
"""The noise of a camera has no repetitions to look for: without the search a picture takes half the
time, and comes out smaller than at levels 1 and 3."""


def encode(pixels: NDArray[np.uint8], disposition: str) -> bytes:
    """Return ``pixels``, ``(height, width, 1 or 3) uint8``, as a PNG that names its disposition."""
    from PIL import Image
    from PIL.PngImagePlugin import PngInfo

    label = PngInfo()
    label.add_text(_LABEL, disposition)
    image = Image.fromarray(pixels[:, :, 0] if pixels.shape[2] == 1 else pixels)
    file = BytesIO()
    image.save(file, format="PNG", pnginfo=label, **_COMPRESSION)
    return file.getvalue()


def decode(data: bytes, *, height: int, width: int, channels: int) -> NDArray[np.uint8]:
    """Return the pixels of a PNG that must be of exactly this size.

    The size is compared before anything is unpacked, so that a small hostile file cannot become a
    large picture in memory.

    Raises:
        PackageError: it is no PNG, is damaged, or is of another size.
    """
    if height * width > MAX_PIXELS:
        raise _damaged(tr("{count} pixels are more than can be", count=height * width))
    if not data.startswith(_SIGNATURE) or len(data) < 24:
        raise _damaged(tr("it is no PNG"))
    if struct.unpack(">II", data[16:24]) != (width, height):
        raise _damaged(tr("its size is not the one expected"))
    import numpy as np
    from PIL import Image

    try:
        with Image.open(BytesIO(data), formats=["PNG"]) as image:
            pixels = np.array(image, dtype=np.uint8)
    except (OSError, SyntaxError, ValueError, struct.error, EOFError) as error:
        raise _damaged(str(error)) from error
    if pixels.ndim == 2:
        pixels = pixels[:, :, np.newaxis]
    if pixels.shape != (height, width, channels):
        raise _damaged(tr("its channels are not those expected"))
    pixels.setflags(write=False)
    return pixels


def disposition_of(path: Path) -> str:
    """Return the disposition that a stored picture names, or nothing."""
    from PIL import Image

    try:
        with Image.open(path, formats=["PNG"]) as image:
            return str(image.info.get(_LABEL, ""))
    except (OSError, SyntaxError, ValueError):
        return ""


def _damaged(reason: str) -> PackageError:
    return PackageError(
        tr("A stored picture is damaged: {reason}.", reason=reason), fault="damaged"
    )
