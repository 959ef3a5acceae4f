"""Generated surfaces: what no folder of photographs has enough of."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw

from millhand_quality.inspect.distil.general.relief import height_of, lit
from millhand_quality.inspect.pictures import Pixels

Plane = NDArray[np.float32]
Random = np.random.Generator


def noise(random: Random, side: int) -> Plane:
    """Return noise whose power falls with frequency, smoother along one direction: cast, brushed.

    Returns:
        ``(side, side)`` of 0 to 1.
    """
    fall, stretch = random.uniform(0.6, 2.2), 2 ** random.uniform(-3, 3)
    down, across = np.meshgrid(np.fft.fftfreq(side), np.fft.fftfreq(side), indexing="ij")
    turn = random.uniform(0, np.pi)
    along = down * np.cos(turn) + across * np.sin(turn)
    athwart = across * np.cos(turn) - down * np.sin(turn)
    radius = np.hypot(along * stretch, athwart / stretch) + 1 / side
    spectrum = np.fft.fft2(random.normal(size=(side, side))) / radius**fall
    return _stretched(np.fft.ifft2(spectrum).real)


def grating(random: Random, side: int) -> Plane:
    """Return a woven or ribbed surface: two waves, sharpened, slightly disturbed."""
    down, across = np.mgrid[0:side, 0:side].astype(np.float32)
    turn = random.uniform(0, np.pi)
    period = random.uniform(5, 60)
    bend = noise(random, side) * random.uniform(0, period)
    along = (down * np.cos(turn) + across * np.sin(turn) + bend) / period
    athwart = (across * np.cos(turn) - down * np.sin(turn)) / period * random.uniform(0.3, 1.5)
    wave = np.sin(2 * np.pi * along) + random.choice([0.0, 1.0]) * np.sin(2 * np.pi * athwart)
    return _stretched(np.tanh(wave * random.uniform(0.5, 6)))


def leaves(random: Random, side: int) -> Plane:
    """Return opaque shapes of all sizes one over another (dead leaves, Lee et al. 2001)."""
    image = Image.new("F", (side, side), random.uniform(0, 1))
    pen = ImageDraw.Draw(image)
    for _ in range(int(random.integers(20, 250))):
        radius = min(side / 3, 3 / (random.uniform(0.01, 1)))
        y, x = random.uniform(0, side, 2)
        flat = radius * random.uniform(0.2, 1)
        box = (x - radius, y - flat, x + radius, y + flat)
        draw = pen.ellipse if random.random() < 0.5 else pen.rectangle
        draw(box, fill=float(random.uniform(0, 1)))
    return np.asarray(image, np.float32)


def tracks(random: Random, side: int) -> Plane:
    """Return tracks and pads in two tones: printed, etched and milled things."""
    low, high = random.uniform(0, 1, 2)
    image = Image.new("F", (side, side), low)
    pen = ImageDraw.Draw(image)
    step = int(random.integers(8, 28))
    steps = np.array([(0, 1), (1, 0), (0, -1), (-1, 0), (1, 1), (-1, 1)]) * step
    for _ in range(int(random.integers(5, 40))):
        at = random.integers(0, side // step + 1, 2) * step
        points = [tuple(at)]
        for move in steps[random.integers(0, len(steps), int(random.integers(2, 7)))]:
            at = at + move * int(random.integers(1, 5))
            points.append(tuple(at))
        flat = [(float(x), float(y)) for x, y in points]
        pen.line(flat, fill=high, width=int(random.integers(2, max(3, step // 2))))
        for x, y in (flat[0], flat[-1]):
            radius = step * random.uniform(0.2, 0.5)
            pen.ellipse((x - radius, y - radius, x + radius, y + radius), fill=high)
    return np.asarray(image, np.float32)


def relief(random: Random, side: int) -> Plane:
    """Return a lit relief whose surface is cast or turned."""
    rough = (noise if random.random() < 0.8 else grating)(random, side)
    shown = lit(random, height_of(random, side), rough)
    stains = noise(random, side) * np.float32(random.uniform(0, 0.3))
    return _stretched(shown * (1 - stains))


KINDS: tuple[Callable[[Random, int], Plane], ...] = (noise, grating, leaves, tracks, relief, relief)
"""A surface is drawn from these; reliefs, which look most like parts, twice as often."""


def surface(random: Random, side: int) -> Pixels:
    """Return a surface ``(side, side, 3) uint8`` of one kind or of two together, in some colour."""
    plane = KINDS[random.integers(len(KINDS))](random, side)
    if random.random() < 0.6:
        share = random.uniform(0.05, 0.6)
        plane = (1 - share) * plane + share * KINDS[random.integers(len(KINDS))](random, side)
    dark = random.uniform(0, 140) + random.normal(0, 12, 3)
    bright = random.uniform(dark.mean() + 20, 255) + random.normal(0, 12, 3)
    coloured = dark + plane[:, :, None] * (bright - dark)
    grain = random.normal(0, random.uniform(0, 5), (side, side, 1))
    return np.asarray(np.clip(np.rint(coloured + grain), 0, 255), np.uint8)


def _stretched(plane: NDArray[np.floating[Any]]) -> Plane:
    low, high = np.quantile(plane, (0.01, 0.99))
    return np.asarray(np.clip((plane - low) / max(high - low, 1e-6), 0, 1), np.float32)
