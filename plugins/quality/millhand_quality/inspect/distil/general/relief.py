"""Generated reliefs: bosses, bores, ribs and teeth under a lamp, as cast and milled parts look."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFilter

Plane = NDArray[np.float32]
Random = np.random.Generator
Pen = ImageDraw.ImageDraw


def _disc(random: Random, pen: Pen, side: int, height: float) -> None:
    y, x = random.uniform(0, side, 2)
    radius = side * random.uniform(0.02, 0.35)
    pen.ellipse((x - radius, y - radius, x + radius, y + radius), fill=height)


def _rings(random: Random, pen: Pen, side: int, height: float) -> None:
    y, x = random.uniform(0.1 * side, 0.9 * side, 2)
    radius = side * random.uniform(0.15, 0.6)
    step = radius * random.uniform(0.05, 0.4)
    low = height * random.uniform(0, 1)
    for place in range(int(random.integers(2, 9))):
        inner = radius - place * step
        if inner > 1:
            box = (x - inner, y - inner, x + inner, y + inner)
            pen.ellipse(box, fill=low if place % 2 else height)


def _bar(random: Random, pen: Pen, side: int, height: float) -> None:
    turn, length = random.uniform(0, np.pi), side * random.uniform(0.1, 1.2)
    y, x = random.uniform(0, side, 2)
    along = np.array((np.cos(turn), np.sin(turn))) * length / 2
    ends = (x - along[0], y - along[1], x + along[0], y + along[1])
    pen.line(ends, fill=height, width=int(random.integers(2, side // 8)))


def _plate(random: Random, pen: Pen, side: int, height: float) -> None:
    (y, x), (tall, wide) = random.uniform(-0.1 * side, side, 2), side * random.uniform(0.05, 0.7, 2)
    corner = min(tall, wide) * random.uniform(0, 0.4)
    pen.rounded_rectangle((x, y, x + wide, y + tall), corner, fill=height)


def _wheel(random: Random, pen: Pen, side: int, height: float) -> None:
    """Teeth, vanes or holes around a centre."""
    centre = random.uniform(0.2 * side, 0.8 * side, 2)
    count, radius = int(random.integers(3, 25)), side * random.uniform(0.1, 0.5)
    size = radius * random.uniform(0.05, 0.35)
    begins, holes = random.uniform(0, np.pi), random.random() < 0.5
    for place in range(count):
        turn = begins + 2 * np.pi * place / count
        way = np.array((np.cos(turn), np.sin(turn)))
        if holes:
            x, y = centre + radius * way
            pen.ellipse((x - size, y - size, x + size, y + size), fill=height)
        else:
            ends = (*(centre + radius * random.uniform(0.3, 0.5) * way), *(centre + radius * way))
            pen.line([float(one) for one in ends], fill=height, width=max(2, round(size / 2)))


SHAPES: tuple[Callable[[Random, Pen, int, float], None], ...] = (
    _disc,
    _rings,
    _bar,
    _plate,
    _wheel,
)


def height_of(random: Random, side: int) -> Plane:
    """Return a relief ``(side, side)`` in pixels of height: few shapes, with rounded edges."""
    image = Image.new("F", (side, side), 0.0)
    pen = ImageDraw.Draw(image)
    for _ in range(int(random.integers(1, 10))):
        shape = SHAPES[random.integers(len(SHAPES))]
        shape(random, pen, side, float(random.uniform(0, 20)))
    return _blurred(np.asarray(image, np.float32), random.uniform(0.5, 3))


def lit(random: Random, height: Plane, rough: Plane) -> Plane:
    """Light a relief from one side, with a gloss and the shade of what rises around.

    Args:
        random: where the lamp is and how the surface answers.
        height: in pixels.
        rough: 0 to 1, what the surface itself adds to the height.

    Returns:
        ``(side, side)`` of 0 to 1.
    """
    whole = height + rough * np.float32(random.uniform(0, 3))
    down, across = np.gradient(whole * np.float32(random.uniform(0.3, 1.2)))
    normal = np.stack((-across, -down, np.ones_like(whole)))
    normal /= np.linalg.norm(normal, axis=0)
    turn, lift = random.uniform(0, 2 * np.pi), random.uniform(0.4, 1.4)
    lamp = np.array((np.cos(turn) * np.cos(lift), np.sin(turn) * np.cos(lift), np.sin(lift)))
    between = lamp + np.array((0.0, 0.0, 1.0))
    between /= np.linalg.norm(between)
    diffuse = np.clip(np.tensordot(lamp, normal, 1), 0, 1)
    gloss = np.clip(np.tensordot(between, normal, 1), 0, 1) ** (2 ** random.uniform(2, 7))
    shade = np.clip((_blurred(height, 6) - height) / 20, 0, 1)
    shown = random.uniform(0.1, 0.4) + random.uniform(0.4, 0.8) * diffuse
    shown = shown * (1 - random.uniform(0, 0.8) * shade) + random.uniform(0, 0.6) * gloss
    return np.asarray(np.clip(shown, 0, 1), np.float32)


def _blurred(plane: Plane, radius: float) -> Plane:
    """Blur in 8 bits of the plane's own range, which is as much as Pillow blurs."""
    low, spread = float(plane.min()), max(float(np.ptp(plane)), 1e-6)
    image = Image.fromarray(np.asarray(np.rint((plane - low) / spread * 255), np.uint8))
    soft = np.asarray(image.filter(ImageFilter.GaussianBlur(radius)), np.float32)
    return soft / np.float32(255) * np.float32(spread) + np.float32(low)
