"""Pictures for a page that stands alone: frames and heat maps as data URIs."""

from __future__ import annotations

import base64
import io
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from millhand.contracts.decision import Decision, HeatMap
from millhand.contracts.frames import FrameRef
from millhand.contracts.observation import Observation
from millhand.errors import PackageError, Unavailable
from millhand.journal.blobs import BlobReader

PictureSource = Callable[[FrameRef], "NDArray[np.uint8] | None"]
"""Gives the pixels of a frame, ``(height, width, channels) uint8``, or None where they are gone."""

_QUALITY = 82
_NEAR, _AT, _ABOVE = (250, 204, 21), (249, 115, 22), (220, 38, 38)
"""Colours of the heat map at half the threshold, at it, and at twice the threshold."""


@dataclass(frozen=True, slots=True)
class Picture:
    """A frame with its heat map, both as data URIs, ready to be laid over each other."""

    frame: str
    heat: str | None
    width: int
    height: int


def kept_pictures(blobs: BlobReader) -> PictureSource:
    """Return what gives the pictures that a cell has kept."""

    def pixels(ref: FrameRef) -> NDArray[np.uint8] | None:
        try:
            return blobs.load_frame(ref)
        except (Unavailable, PackageError):
            return None

    return pixels


def picture_of(
    observation: Observation, decision: Decision, pictures: PictureSource | None
) -> Picture | None:
    """Return what the agent saw with what it found, or None where no picture is kept."""
    frames = observation.frames
    if not frames or pictures is None:
        return None
    heat = heat_map_of(decision)
    role = heat.frame if heat is not None and heat.frame in frames else next(iter(frames))
    ref = frames[role].ref
    pixels = pictures(ref)
    if pixels is None:
        return None
    return Picture(
        frame=frame_uri(pixels),
        heat=heat_map_uri(heat) if heat is not None else None,
        width=ref.width,
        height=ref.height,
    )


def heat_map_of(decision: Decision) -> HeatMap | None:
    """Return the decision's heat map, where it explains itself by one."""
    return next((found for found in decision.explanations if isinstance(found, HeatMap)), None)


def frame_uri(pixels: NDArray[np.uint8], largest_px: int = 480) -> str:
    """Encode a picture as WebP, scaled down so that its longer side is at most ``largest_px``.

    Args:
        pixels: ``(height, width, channels) uint8``, RGB or grey.
        largest_px: bound on the longer side.
    """
    image = Image.fromarray(pixels[:, :, 0] if pixels.shape[2] == 1 else pixels)
    image.thumbnail((largest_px, largest_px))
    return _uri(image, "webp", quality=_QUALITY)


def heat_map_uri(heat: HeatMap) -> str:
    """Encode a heat map as a small transparent PNG, to be stretched over its frame.

    Transparent below half the threshold; yellow, orange and red from there to twice the threshold.
    """
    values = np.frombuffer(heat.values, np.uint8).reshape(heat.rows, heat.columns)
    level = values.astype(np.float32) / max(heat.at_threshold, 1)
    stops = (0.5, 1.0, 2.0)
    colours = np.stack(
        [np.interp(level, stops, channel) for channel in zip(_NEAR, _AT, _ABOVE, strict=True)],
        axis=-1,
    )
    alpha = np.interp(level, (0.35, 0.6, 1.0, 2.0), (0, 70, 130, 190))
    pixels = np.concatenate([colours, alpha[..., None]], axis=-1).round().astype(np.uint8)
    return _uri(Image.fromarray(pixels), "png", optimize=True)


def _uri(image: Image.Image, kind: str, **options: Any) -> str:
    buffer = io.BytesIO()
    image.save(buffer, kind, **options)
    return f"data:image/{kind};base64,{base64.b64encode(buffer.getvalue()).decode('ascii')}"
