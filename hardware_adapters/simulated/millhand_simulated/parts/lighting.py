"""From a surface to light on the sensor: Lambert, Blinn, tool-mark streaks, cast shadows."""

from __future__ import annotations

import math

import numpy as np

from millhand_simulated.parts.family import Family
from millhand_simulated.parts.seeds import F32
from millhand_simulated.parts.surface import Surface, length
from millhand_simulated.parts.texture import Texture, tool_marks

BELT_RGB = (0.105, 0.11, 0.12)
RUST_RGB = (0.33, 0.27, 0.21)
_SHADOW_STEPS = (1.5, 3.0, 5.0, 7.5, 10.5)
SHADOW_REACH = math.ceil(max(_SHADOW_STEPS)) + 1
"""How far a change of height can be seen beside itself, in units of design."""


def _slopes(height: F32, unit: float) -> tuple[F32, F32]:
    """Return the rise of ``height`` to the right and downwards."""
    half = np.float32(0.5 * unit)
    right = np.zeros_like(height)
    down = np.zeros_like(height)
    right[:, 1:-1] = (height[:, 2:] - height[:, :-2]) * half
    down[1:-1, :] = (height[2:, :] - height[:-2, :]) * half
    return right, down


def _shadow(height: F32, light: tuple[float, float, float], unit: float) -> F32:
    """Return how much of the main light is blocked by what stands nearby, 0 to 1."""
    flat = math.hypot(light[0], light[1])
    blocked = np.zeros_like(height)
    rows, columns = height.shape
    for distance in _SHADOW_STEPS:
        dx = round(light[0] / flat * distance * unit)
        dy = round(light[1] / flat * distance * unit)
        rise = np.float32(distance * light[2] / flat)
        here = (slice(max(0, -dy), rows - max(0, dy)), slice(max(0, -dx), columns - max(0, dx)))
        there = (slice(max(0, dy), rows + min(0, dy)), slice(max(0, dx), columns + min(0, dx)))
        np.maximum(blocked[here], height[there] - height[here] - rise, out=blocked[here])
    share: F32 = np.clip(blocked * np.float32(0.4), 0.0, 1.0)
    return share


def _power(base: F32, doublings: int) -> F32:
    for _ in range(doublings):
        base = base * base
    return base


def light_surface(
    surface: Surface,
    texture: Texture,
    family: Family,
    rgb: tuple[float, float, float],
    cutter: tuple[float, float],
    fall_off: F32,
    unit: float,
) -> F32:
    """Return the light that reaches the sensor, ``(3, height, width) float32``, 1 is white.

    ``fall_off`` is the light's own strength over these pixels, ``unit`` the pixels for one unit
    of design.
    """
    solid = surface.cover * (np.float32(1.0) - surface.hole)
    cut = surface.machined * solid
    cast = solid - cut
    cu, cv = surface.u - np.float32(cutter[0]), surface.v - np.float32(cutter[1])
    from_cutter = length(cu, cv)
    relief = surface.height + texture.grain * cast * np.float32(family.grain_depth)
    relief += tool_marks(texture, from_cutter) * cut * np.float32(family.marks_depth)

    right, down = _slopes(relief, unit)
    steep: F32 = right * right + down * down + np.float32(1.0)
    upright: F32 = np.reciprocal(np.sqrt(steep))
    facing = _towards(family.light, right, down, upright)
    mirror = _towards(family.half, right, down, upright)
    lit = np.float32(1.0) - np.float32(0.55) * _shadow(surface.height, family.light, unit)

    # Tool marks scatter light across themselves: a streak where they run across the light.
    hx, hy = np.float32(family.half[0]), np.float32(family.half[1])
    along = (cu * hy - cv * hx) / (from_cutter + np.float32(1.0))
    streak = _power(np.maximum(np.float32(1.0) - along * along, np.float32(0.0)), 3)
    broad = _power(mirror, 2)
    gloss = _power(broad, 2) * np.float32(family.gloss_cast)
    gloss += cut * (streak * broad * np.float32(family.gloss_machined) - np.float32(0.35) * gloss)
    gloss *= lit * solid * surface.tone * fall_off

    tone = np.float32(family.tone) * surface.tone
    tone *= np.float32(1.0) + texture.mottle * cast * np.float32(family.mottle)
    tone *= np.float32(1.0) + np.float32(0.07) * cut
    tone *= np.float32(1.0) - np.float32(0.80) * surface.hole
    sky = np.float32(1.0 - family.direct) * surface.open
    sky *= np.float32(0.35) + np.float32(0.65) * upright
    light = np.float32(family.direct / family.light[2]) * facing * lit + sky
    light *= fall_off

    belt = light * (np.float32(1.0) - surface.cover)
    skin = light * surface.cover
    stained = skin * surface.rust
    skin = (skin - stained) * tone
    picture = np.empty((3, *surface.height.shape), dtype=np.float32)
    for plane, own, rust, under, tint in zip(
        picture, rgb, RUST_RGB, BELT_RGB, family.light_rgb, strict=True
    ):
        np.multiply(skin, np.float32(own * tint), out=plane)
        plane += stained * np.float32(rust * tint)
        plane += belt * np.float32(under * tint)
        plane += gloss * np.float32(tint)
    return picture


def _towards(direction: tuple[float, float, float], right: F32, down: F32, upright: F32) -> F32:
    """Return the cosine between the surface's normal and ``direction``, 0 where it faces away."""
    x, y, z = (np.float32(value) for value in direction)
    return np.maximum((z - right * x - down * y) * upright, np.float32(0.0))


def light_fall_off(family: Family, size: int) -> F32:
    """Return the strength of the light over the picture, ``(size, size)``, about 1."""
    middle = np.linspace(-1.0, 1.0, size, dtype=np.float32)
    x, y = middle[None, :], middle[:, None]
    field = np.float32(1.0) - np.float32(family.vignetting / 2) * (x * x + y * y)
    gx, gy = (np.float32(value) for value in family.gradient)
    strength: F32 = np.float32(family.intensity) * field * (np.float32(1.0) + gx * x + gy * y)
    return strength


def soften(picture: F32) -> F32:
    """Blur as a good lens does: 1-6-1 across both axes; the border row and column stay."""
    side, middle = np.float32(0.125), np.float32(0.75)
    rows = picture.copy()
    inner = picture[:, 1:-1]
    rows[:, 1:-1] = inner * middle + (picture[:, 2:] + picture[:, :-2]) * side
    blurred = rows.copy()
    blurred[:, :, 1:-1] = rows[:, :, 1:-1] * middle + (rows[:, :, 2:] + rows[:, :, :-2]) * side
    return blurred
