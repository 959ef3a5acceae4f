"""Render the picture of a part, and the truth about its defect."""

from __future__ import annotations

import math
from dataclasses import dataclass, fields
from functools import lru_cache
from typing import Final

import numpy as np
from numpy.typing import NDArray

from millhand_simulated.parts.damage import Damage, Ground, draw_damage
from millhand_simulated.parts.family import Family
from millhand_simulated.parts.housing import Housing
from millhand_simulated.parts.impeller import Impeller
from millhand_simulated.parts.kinds import PRODUCTS, Defect, Product
from millhand_simulated.parts.lighting import (
    SHADOW_REACH,
    light_fall_off,
    light_surface,
    soften,
)
from millhand_simulated.parts.seeds import F32, Purpose, stream
from millhand_simulated.parts.shape import Shape
from millhand_simulated.parts.surface import Pose, Surface
from millhand_simulated.parts.texture import Texture, draw_texture, sensor_noise

RENDERER_VERSION: Final = 2
"""Rises whenever the same seeds give other pixels."""

SHAPES: Final[dict[Product, Shape]] = {"impeller": Impeller(), "housing": Housing()}
DESIGN_WIDTH: Final = 256.0
WHITE: Final = 305.0
"""Levels for a light of 1: a diffuse white under the lamps of an average family."""
LUMA: Final = (0.299, 0.587, 0.114)
MASK_SHARE: Final = 0.3
"""A pixel is defective where it changes by this share of the defect's strong change …"""
MASK_FLOOR: Final = 0.02
"""… and by at least this share of the part's brightness there."""


@dataclass(frozen=True, slots=True, eq=False)
class Rendered:
    """A picture and what is true of it."""

    pixels: NDArray[np.uint8]
    """``(size, size, 3)``, RGB, read-only."""
    mask: NDArray[np.bool_]
    """``(size, size)``: the pixels that the defect changed visibly; read-only."""
    area_px2: float
    contrast: float
    """Mean absolute change of luminance to the same part without the defect, over that part's
    mean brightness, both within the mask; 0 for a good part."""
    feature: str = ""
    """What is missing, where the defect is a missing feature."""


@dataclass(frozen=True, slots=True)
class _Scene:
    """A part in front of the camera, and everything drawn for it."""

    shape: Shape
    family: Family
    pose: Pose
    texture: Texture
    fall_off: F32
    surface: Surface
    size: int

    @property
    def unit(self) -> float:
        return self.size / DESIGN_WIDTH

    def picture(self, surface: Surface, rows: slice, columns: slice) -> F32:
        """Return the light on the sensor over a window, before noise, 1 is white."""
        return soften(
            light_surface(
                surface,
                self.texture.window(rows, columns),
                self.family,
                self.shape.rgb,
                self.shape.cutter,
                self.fall_off[rows, columns],
                self.unit,
            )
        )


def render(
    product: Product,
    *,
    part_seed: int,
    family_seed: int,
    defect: Defect | None = None,
    severity: float | None = None,
    size: int = 256,
) -> Rendered:
    """Render one part as the camera of the station sees it.

    The same arguments give the same bytes. A part with a defect differs from the part of the
    same seeds without it only around the defect.

    Args:
        product: which part.
        part_seed: pose, grain, marks, noise, and the defect's place and shape; 0 or more.
        family_seed: light, finish and camera settings; 0 or more.
        defect: kind of defect, None for a good part.
        severity: 0 (just visible) to 1, None draws it by the part's seed.
        size: pixels of a side, 64 or more; designs and defects scale with it.
    """
    _keep_heap()
    scene = _scene(product, part_seed, family_seed, size)
    whole = slice(0, size)
    picture = scene.picture(scene.surface, whole, whole)
    mask = np.zeros((size, size), dtype=np.bool_)
    contrast, feature = 0.0, ""
    if defect is not None:
        ground = Ground(scene.pose, scene.surface, scene.shape)
        damage = draw_damage(defect, ground, part_seed=part_seed, severity=severity)
        contrast = _add_damage(scene, damage, picture, mask)
        feature = damage.missing.name if damage.missing else ""
    levels = picture * np.float32(WHITE) + sensor_noise(part_seed, scene.family, size)
    pixels = np.clip(np.rint(levels), 0.0, 255.0).astype(np.uint8)
    pixels = np.ascontiguousarray(pixels.transpose(1, 2, 0))
    pixels.flags.writeable = False
    mask.flags.writeable = False
    return Rendered(pixels, mask, float(np.count_nonzero(mask)), contrast, feature)


@lru_cache(maxsize=1)
def _keep_heap() -> None:
    """Let the C library keep freed memory instead of returning it after every array.

    glibc raises its threshold for that to twice the largest block ever freed, up to 64 MiB. Without
    it half of the rendering time goes into page faults. Elsewhere it does nothing.
    """
    np.empty(_HEAP_KEPT // 2, dtype=np.uint8)


_HEAP_KEPT: Final = 32 << 20


def _scene(product: Product, part_seed: int, family_seed: int, size: int) -> _Scene:
    family = _family(family_seed)
    shape = SHAPES[product]
    pose = _pose(product, part_seed, size)
    pixels = np.arange(size, dtype=np.float32)
    u, v = pose.to_part(pixels[None, :], pixels[:, None])
    return _Scene(
        shape=shape,
        family=family,
        pose=pose,
        texture=draw_texture(part_seed, family, size),
        fall_off=_fall_off(family_seed, size),
        surface=shape.surface(u, v),
        size=size,
    )


@lru_cache(maxsize=64)
def _family(seed: int) -> Family:
    return Family.of(seed)


@lru_cache(maxsize=16)
def _fall_off(family_seed: int, size: int) -> F32:
    field = light_fall_off(_family(family_seed), size)
    field.flags.writeable = False
    return field


def _pose(product: Product, part_seed: int, size: int) -> Pose:
    """Draw where the fixture leaves the part: within 1.5 pixels, 0.8 degrees and 0.2 %."""
    rng = stream(Purpose.POSE, part_seed, PRODUCTS.index(product))
    unit = size / DESIGN_WIDTH
    middle = (size - 1) / 2
    return Pose(
        x=middle + rng.uniform(-1.5, 1.5) * unit,
        y=middle + rng.uniform(-1.5, 1.5) * unit,
        turn=math.radians(rng.uniform(-0.8, 0.8)),
        scale=unit * rng.uniform(0.998, 1.002),
    )


def _add_damage(scene: _Scene, damage: Damage, picture: F32, mask: NDArray[np.bool_]) -> float:
    """Put the damage into ``picture`` and its pixels into ``mask``; return its contrast."""
    rows, columns = _window(scene, damage)
    base = _cut(scene.surface, rows, columns)
    if damage.missing is not None:
        hurt = scene.shape.surface(base.u, base.v, damage.missing)
    else:
        hurt = _copy(base)
        assert damage.change is not None
        damage.change(hurt)
    before = scene.picture(base, rows, columns)
    change = scene.picture(hurt, rows, columns) - before
    picture[:, rows, columns] += change

    brightness = _luminance(before)
    differs = np.abs(_luminance(change)) * (base.cover > np.float32(0.5))
    strong = np.sort(differs, axis=None)[-_STRONG_PIXELS:].mean()
    threshold = np.maximum(np.float32(MASK_SHARE) * strong, np.float32(MASK_FLOOR) * brightness)
    seen = differs > threshold
    mask[rows, columns] = seen
    if not seen.any():
        return 0.0
    return float(differs[seen].mean() / brightness[seen].mean())


_STRONG_PIXELS: Final = 8
"""How many of the most changed pixels say what a strong change is."""


def _luminance(picture: F32) -> F32:
    red, green, blue = (np.float32(weight) for weight in LUMA)
    bright: F32 = picture[0] * red + picture[1] * green + picture[2] * blue
    return bright


def _window(scene: _Scene, damage: Damage) -> tuple[slice, slice]:
    """Return the rows and columns that the damage, its shadow and the lens's blur can reach."""
    x, y = scene.pose.to_picture(damage.u, damage.v)
    reach = math.ceil((damage.radius + SHADOW_REACH) * scene.unit) + 3
    top, left = max(0, math.floor(y) - reach), max(0, math.floor(x) - reach)
    bottom, right = min(scene.size, math.ceil(y) + reach), min(scene.size, math.ceil(x) + reach)
    return slice(top, bottom), slice(left, right)


def _cut(surface: Surface, rows: slice, columns: slice) -> Surface:
    return Surface(**{f.name: getattr(surface, f.name)[rows, columns] for f in fields(Surface)})


def _copy(surface: Surface) -> Surface:
    return Surface(**{f.name: getattr(surface, f.name).copy() for f in fields(Surface)})
