"""Grain, tone and tool marks of one part, and the noise of one exposure."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from PIL import Image

from millhand_simulated.parts.family import Family
from millhand_simulated.parts.seeds import F32, Purpose, stream


@dataclass(frozen=True, slots=True)
class Texture:
    """Fields over the whole picture, ``(size, size) float32``."""

    grain: F32
    """Roughness of the casting skin: mean 0, standard deviation about 1."""
    mottle: F32
    """Slow changes of the skin's tone: mean 0, standard deviation about 1."""
    marks: F32
    """Height of the tool marks over the distance from the cutter's centre: a table."""
    marks_step: float
    """Distance between two entries of ``marks``, in units of design."""

    def window(self, rows: slice, columns: slice) -> Texture:
        """Return the same texture over a part of the picture."""
        return Texture(
            grain=self.grain[rows, columns],
            mottle=self.mottle[rows, columns],
            marks=self.marks,
            marks_step=self.marks_step,
        )


MARKS_REACH = 420.0
"""Longest distance from a cutter's centre that a table of marks covers, in units of design."""


def smooth_noise(rng: np.random.Generator, size: int, cells: int) -> F32:
    """Return ``(size, size)`` noise that changes over ``size / cells`` pixels."""
    coarse = rng.standard_normal((cells + 2, cells + 2), dtype=np.float32)
    cell = size / cells
    box = (0.5, 0.5, 0.5 + size / cell, 0.5 + size / cell)
    field = Image.fromarray(coarse).resize((size, size), Image.Resampling.BICUBIC, box=box)
    return np.asarray(field, dtype=np.float32)


def draw_texture(part_seed: int, family: Family, size: int) -> Texture:
    """Draw the texture of one part."""
    rng = stream(Purpose.TEXTURE, part_seed, family.seed)
    fine = smooth_noise(rng, size, round(256.0 / family.grain_px))
    coarse = smooth_noise(rng, size, round(256.0 / (2.7 * family.grain_px)))
    mottle = smooth_noise(rng, size, 14)
    step = family.marks_px / 2.0
    table = rng.standard_normal(int(MARKS_REACH / step) + 4, dtype=np.float32)
    table = table * np.float32(0.7) + np.roll(table, 1) * np.float32(0.5)
    return Texture(
        grain=fine + np.float32(0.8) * coarse,
        mottle=mottle,
        marks=table,
        marks_step=step,
    )


def tool_marks(texture: Texture, distance: F32) -> F32:
    """Look up the marks' height at each distance from the cutter's centre."""
    at = distance * np.float32(1.0 / texture.marks_step)
    low = at.astype(np.int32)
    share = at - low
    first, second = texture.marks[low], texture.marks[low + 1]
    eased = share * share * (np.float32(3.0) - np.float32(2.0) * share)
    marks: F32 = first + (second - first) * eased
    return marks


def sensor_noise(part_seed: int, family: Family, size: int) -> F32:
    """Return the noise of one exposure, ``(3, size, size)``, in levels of 255."""
    rng = stream(Purpose.NOISE, part_seed, family.seed)
    # One field serves three channels at three offsets: uncorrelated at every pixel, a third of
    # the draws.
    field = rng.standard_normal((size + 16, size + 16), dtype=np.float32)
    field *= np.float32(family.noise_levels)
    noise = np.empty((3, size, size), dtype=np.float32)
    for channel, (row, column) in enumerate(((0, 0), (11, 5), (3, 14))):
        noise[channel] = field[row : row + size, column : column + size]
    return noise
