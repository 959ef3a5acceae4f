"""Families: the light, the finish and the camera that a batch of parts is seen under.

A family is drawn from a continuous distribution by its seed. What differs from family to family
is what differs between shifts, lamps, casting batches and cutting tools of one inspection station;
the station itself (camera position, magnification) stays. An inspector that was fitted on
some families is tested on others simply by other seeds.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

from millhand_simulated.parts.seeds import Purpose, stream


@dataclass(frozen=True, slots=True)
class Family:
    """Lighting, finish and camera settings. Lengths are in pixels of a 256-pixel picture."""

    seed: int
    light: tuple[float, float, float]
    """Unit vector towards the main light; x to the right, y down, z towards the camera."""
    half: tuple[float, float, float]
    """Unit vector half way between the light and the camera."""
    direct: float
    """Share of the main light; the rest comes evenly from a dome."""
    intensity: float
    light_rgb: tuple[float, float, float]
    vignetting: float
    """Loss of light in the corners, as a fraction."""
    gradient: tuple[float, float]
    """Change of light from the middle to the right and to the lower border, as a fraction."""
    grain_px: float
    """Size of the casting skin's grain."""
    grain_depth: float
    """Amplitude of the casting skin, in pixels of height."""
    mottle: float
    """Spread of the casting skin's tone over some twenty pixels, as a fraction."""
    marks_px: float
    """Pitch of the tool marks."""
    marks_depth: float
    gloss_cast: float
    gloss_machined: float
    tone: float
    """Reflectance of the batch, around 1."""
    noise_levels: float
    """Standard deviation of the sensor's noise, in levels of 255."""

    @classmethod
    def of(cls, seed: int) -> Family:
        """Draw the family with this seed."""
        rng = stream(Purpose.FAMILY, seed)
        azimuth = math.radians(235.0 + rng.uniform(-30.0, 30.0))
        elevation = math.radians(rng.uniform(50.0, 64.0))
        flat, lift = math.cos(elevation), math.sin(elevation)
        light = (flat * math.cos(azimuth), flat * math.sin(azimuth), lift)
        norm = math.sqrt(light[0] ** 2 + light[1] ** 2 + (lift + 1.0) ** 2)
        warmth = rng.uniform(-1.0, 1.0)
        return cls(
            seed=seed,
            light=light,
            half=(light[0] / norm, light[1] / norm, (lift + 1.0) / norm),
            direct=rng.uniform(0.42, 0.56),
            intensity=rng.uniform(0.94, 1.06),
            light_rgb=(1.0 + 0.025 * warmth, 1.0, 1.0 - 0.035 * warmth),
            vignetting=rng.uniform(0.03, 0.12),
            gradient=(rng.uniform(-0.05, 0.05), rng.uniform(-0.05, 0.05)),
            grain_px=rng.uniform(1.7, 3.0),
            grain_depth=rng.uniform(0.035, 0.08),
            mottle=rng.uniform(0.008, 0.02),
            marks_px=rng.uniform(2.2, 3.8),
            marks_depth=rng.uniform(0.05, 0.10),
            gloss_cast=rng.uniform(0.03, 0.07),
            gloss_machined=rng.uniform(0.10, 0.17),
            tone=rng.uniform(0.96, 1.04),
            noise_levels=rng.uniform(0.6, 1.3),
        )
