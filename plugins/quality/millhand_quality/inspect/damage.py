"""Artificial damage on good pictures: the only defects that are known before one has been seen.

Candidates are compared by how much of it they find. It says nothing about how many real defects
will be found; it ranks detectors on the user's own part, light and texture.
"""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFilter

from millhand_quality.inspect.pictures import Pixels

Mask = NDArray[np.float32]
KINDS = ("spot", "scratch", "stain", "patch")
LOWEST_CONTRAST, HIGHEST_CONTRAST = 0.12, 0.5
"""Change of brightness, a share of the grey value there."""


def _drawn(
    height: int, width: int, draw: Callable[[ImageDraw.ImageDraw], None], blur: float
) -> Mask:
    image = Image.new("L", (width, height))
    draw(ImageDraw.Draw(image))
    return np.asarray(image.filter(ImageFilter.GaussianBlur(blur)), np.float32) / np.float32(255)


def _spot(random: np.random.Generator, height: int, width: int, unit: float) -> Mask:
    y, x = random.uniform(0.05, 0.95, 2) * (height, width)
    long, short = unit * random.uniform(1.5, 5.0), unit * random.uniform(1.5, 3.0)
    box = (x - long, y - short, x + long, y + short)
    return _drawn(height, width, lambda pen: pen.ellipse(box, fill=255), 0.5 * unit)


def _scratch(random: np.random.Generator, height: int, width: int, unit: float) -> Mask:
    y, x = random.uniform(0.1, 0.9, 2) * (height, width)
    angle, length = random.uniform(0, math.pi), unit * random.uniform(10, 40)
    points = []
    for _ in range(5):
        points.append((x, y))
        x, y = x + length / 4 * math.cos(angle), y + length / 4 * math.sin(angle)
        angle += random.normal(0, 0.2)
    thick = max(1, round(unit * random.uniform(0.8, 2.0)))
    return _drawn(height, width, lambda pen: pen.line(points, fill=255, width=thick), 0.4 * unit)


def _stain(random: np.random.Generator, height: int, width: int, unit: float) -> Mask:
    y, x = random.uniform(0.1, 0.9, 2) * (height, width)
    circles = []
    for _ in range(5):
        dy, dx = random.normal(0, 4 * unit, 2)
        radius = unit * random.uniform(3, 7)
        circles.append((x + dx - radius, y + dy - radius, x + dx + radius, y + dy + radius))

    def draw(pen: ImageDraw.ImageDraw) -> None:
        for circle in circles:
            pen.ellipse(circle, fill=255)

    return _drawn(height, width, draw, 1.5 * unit)


_SHAPES = {"spot": _spot, "scratch": _scratch, "stain": _stain}


def _patched(
    random: np.random.Generator, pixels: Pixels, unit: float
) -> tuple[NDArray[np.float32], Mask]:
    """Copy a turned rectangle of the picture to another place (CutPaste, Li et al. 2021)."""
    height, width = pixels.shape[:2]
    tall, wide = (max(4, round(unit * side)) for side in random.uniform(5, 16, 2))
    y, x, to_y, to_x = (
        int(random.integers(0, most - side))
        for most, side in ((height, tall), (width, wide), (height, tall), (width, wide))
    )
    changed = pixels.astype(np.float32)
    changed[to_y : to_y + tall, to_x : to_x + wide] = changed[y : y + tall, x : x + wide][
        ::-1, ::-1
    ]
    mask = np.zeros((height, width), np.float32)
    mask[to_y : to_y + tall, to_x : to_x + wide] = 1
    return changed, mask


def damaged(
    pixels: Pixels, kind: str, random: np.random.Generator, unit: float
) -> tuple[Pixels, NDArray[np.bool_]]:
    """Return the picture with damage of one kind, and where it is.

    Args:
        pixels: ``(h, w, c) uint8``.
        kind: one of :data:`KINDS`.
        random: where, how large, how strong.
        unit: pixels of the picture for one pixel that the trunk sees.
    """
    height, width = pixels.shape[:2]
    if kind == "patch":
        changed, mask = _patched(random, pixels, unit)
    else:
        mask = _SHAPES[kind](random, height, width, unit)
        contrast = random.uniform(LOWEST_CONTRAST, HIGHEST_CONTRAST)
        sign = 1 if random.random() < 0.3 else -1
        base = np.maximum(pixels.astype(np.float32), 24)
        changed = pixels + np.float32(sign * contrast) * base * mask[:, :, None]
    return np.clip(np.rint(changed), 0, 255).astype(np.uint8), mask > 0.3
