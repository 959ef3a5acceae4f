"""The surface of a part over the pixels of a picture, and the profiles it is built of.

Everything array-valued here uses only ``+ - * /``, square roots, comparisons and table look-ups,
which IEEE 754 defines to the last bit, so that a seed gives the same bytes on any machine.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from millhand_simulated.parts.seeds import F32


@dataclass(frozen=True, slots=True)
class Pose:
    """Where the part lies: centre in pixels, turn in radians, pixels for one unit of design.

    Designs are drawn in units of which 256 fill the picture's width.
    """

    x: float
    y: float
    turn: float
    scale: float

    def to_part(self, x: F32, y: F32) -> tuple[F32, F32]:
        """Turn pixel coordinates into the part's own; ``x`` a row, ``y`` a column."""
        c = np.float32(math.cos(self.turn) / self.scale)
        s = np.float32(math.sin(self.turn) / self.scale)
        dx, dy = x - np.float32(self.x), y - np.float32(self.y)
        return dx * c + dy * s, dy * c - dx * s

    def to_picture(self, u: float, v: float) -> tuple[float, float]:
        """Turn a point of the part into pixel coordinates."""
        c, s = math.cos(self.turn) * self.scale, math.sin(self.turn) * self.scale
        return self.x + u * c - v * s, self.y + u * s + v * c


@dataclass(slots=True)
class Surface:
    """What lies under each pixel; all fields are ``(height, width) float32``."""

    u: F32
    v: F32
    """The part's own coordinates, in units of design."""
    height: F32
    """Above the belt, in units of design."""
    cover: F32
    """1 where the part is, 0 where the belt is seen, between on its outline."""
    hole: F32
    """1 where one looks down a bore or a hole."""
    machined: F32
    """1 where the skin was cut by a tool, 0 where it is as cast."""
    open: F32
    """Share of the dome's light that reaches the spot, 0 to 1."""
    edge: F32
    """Distance to the nearest outline, wall or step, in units of design; negative off the part."""
    tone: F32
    """Factor on the reflectance, 1 when undamaged."""
    rust: F32
    """0 to 1: how far the colour is shifted towards that of a stain."""


def ramp(distance: F32, width: float) -> F32:
    """Rise smoothly from 0 to 1 over ``width`` around 0."""
    t = np.clip(distance * np.float32(1.0 / width) + np.float32(0.5), 0.0, 1.0)
    rise: F32 = t * t * (np.float32(3.0) - np.float32(2.0) * t)
    return rise


def chamfer(distance: F32, width: float) -> F32:
    """Rise in a straight line from 0 at 0 to 1 at ``width``."""
    rise: F32 = np.clip(distance * np.float32(1.0 / width), 0.0, 1.0)
    return rise


def blend(below: F32, above: F32 | float, weight: F32) -> F32:
    """Go from ``below`` to ``above`` as ``weight`` goes from 0 to 1."""
    mixed: F32 = below + (above - below) * weight
    return mixed


def length(u: F32, v: F32) -> F32:
    """Return the Euclidean length."""
    return np.sqrt(u * u + v * v)


def angle(v: F32, u: F32) -> F32:
    """Return the polar angle in radians, to 1e-5 (Abramowitz and Stegun 4.4.49, scaled)."""
    au, av = np.abs(u), np.abs(v)
    top = np.maximum(np.maximum(au, av), np.float32(1e-6))
    z = np.minimum(au, av) / top
    q = z * z
    a = np.float32(0.0208351) * q - np.float32(0.0851330)
    a = (a * q + np.float32(0.1801410)) * q - np.float32(0.3302995)
    a = (a * q + np.float32(0.9998660)) * z
    a = np.where(av > au, np.float32(math.pi / 2) - a, a)
    a = np.where(u < 0, np.float32(math.pi) - a, a)
    turned: F32 = np.where(v < 0, -a, a)
    return turned


def repeat(theta: F32, count: int) -> tuple[F32, F32]:
    """Fold an angle into ``count`` equal sectors.

    Returns the angle from the middle of its sector, and the sector's number from 0 up.
    """
    turns = theta * np.float32(count / (2 * math.pi))
    sector = np.floor(turns + np.float32(0.5))
    folded: F32 = (turns - sector) * np.float32(2 * math.pi / count)
    number: F32 = np.where(sector < 0, sector + np.float32(count), sector)
    return folded, np.where(number >= count, number - np.float32(count), number)


def rounded_box(u: F32, v: F32, half_width: float, half_height: float, radius: float) -> F32:
    """Return the distance inside a box with rounded corners; negative outside."""
    du = np.abs(u) - np.float32(half_width - radius)
    dv = np.abs(v) - np.float32(half_height - radius)
    outside = length(np.maximum(du, 0.0), np.maximum(dv, 0.0))
    inside = np.minimum(np.maximum(du, dv), 0.0)
    distance: F32 = np.float32(radius) - outside - inside
    return distance
