"""A picture file as grey pixels, within the limits: nothing is unpacked that is too large."""

from __future__ import annotations

import io
import warnings

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageOps

from millhand.messages import tr
from millhand_admin.reading.limits import Limits, UnreadableDocument

_FORMATS = ("PNG", "JPEG", "TIFF", "BMP", "WEBP")


def grey_picture(data: bytes, limits: Limits) -> NDArray[np.uint8]:
    """Return ``(height, width) uint8``, upright by its EXIF orientation; the first page of a TIFF.

    Raises:
        UnreadableDocument: ``too_many_pixels``, ``malformed``.
    """
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error", Image.DecompressionBombWarning)
            with Image.open(io.BytesIO(data), formats=_FORMATS) as image:
                if image.width * image.height > limits.pixels:
                    raise _too_many(image.width, image.height)
                upright = ImageOps.exif_transpose(image)
                return np.asarray(upright.convert("L"))
    except (Image.DecompressionBombError, Image.DecompressionBombWarning) as error:
        raise _too_many(0, 0) from error
    except (OSError, ValueError, SyntaxError, EOFError, MemoryError) as error:
        raise UnreadableDocument(
            tr("The picture is damaged: {why}.", why=error), fault="malformed"
        ) from error


def _too_many(width: int, height: int) -> UnreadableDocument:
    return UnreadableDocument(
        tr("The picture has too many pixels: {width} by {height}.", width=width, height=height),
        fault="too_many_pixels",
    )
