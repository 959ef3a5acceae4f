"""The camera's station over a simulated line: its pictures, and what is true of each part.

Camera, plant and whoever scores a run compute the same from the same configuration; nothing
passes between them.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from pydantic import BaseModel, ConfigDict, Field, model_validator

from millhand.contracts.plant import PartTruth
from millhand.messages import tr
from millhand_simulated.parts.render import Rendered, render
from millhand_simulated.plc.line import LinePart


class Wear(BaseModel):
    """A station that ages: the lamp grows weaker, a film of dust and oil settles on the lens."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    from_part: int = Field(gt=0, description="Number of the first part, from 1, to show it.")
    until_part: int = Field(gt=0, description="Number of the part at which it is at its worst.")
    light: float = Field(
        default=0.85, gt=0, le=1, description="Share of the light that is left in the end."
    )
    haze: float = Field(
        default=0.1, ge=0, lt=1, description="Share of the picture that is veiled in the end."
    )

    @model_validator(mode="after")
    def _in_order(self) -> Wear:
        if self.until_part < self.from_part:
            raise ValueError(tr("until_part lies before from_part"))
        return self

    def progress(self, number: int) -> float:
        """Return how far it has come at a part, 0 to 1."""
        if number < self.from_part:
            return 0.0
        span = max(1, self.until_part - self.from_part)
        return min(1.0, (number - self.from_part + 1) / span)

    def seen(self, pixels: NDArray[np.uint8], number: int) -> NDArray[np.uint8]:
        """Return what the camera sees of a picture ``(h, w, c) uint8`` at a part."""
        progress = self.progress(number)
        if progress == 0:
            return pixels
        light, haze = 1 - progress * (1 - self.light), progress * self.haze
        veil = np.float32(light * float(pixels.mean()))
        dimmed = pixels * np.float32(light * (1 - haze)) + np.float32(haze) * veil
        worn: NDArray[np.uint8] = np.clip(np.rint(dimmed), 0, 255).astype(np.uint8)
        return worn


class StationConfig(BaseModel):
    """What the camera sees the parts under. The same values give the same pictures."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    families: tuple[int, int] = Field(
        default=(1000, 2000),
        description="First and last-but-one seed of the families of light and finish that the "
        "parts come from; an inspector is tested fairly on families it was not fitted on.",
    )
    parts_per_family: int = Field(
        default=10, gt=0, description="Parts in a row under the same light and finish."
    )
    picture_px: int = Field(
        default=256, ge=64, le=2048, description="Width and height of the pictures in pixels."
    )

    wear: Wear | None = Field(
        default=None, description="How the station ages; not at all where left out."
    )

    @model_validator(mode="after")
    def _some_family(self) -> StationConfig:
        first, end = self.families
        if not 0 <= first < end:
            raise ValueError(
                tr("families must be two numbers from 0 up, the second above the first")
            )
        return self

    def family_seed(self, number: int) -> int:
        """Return the family of the part with this number, from 1."""
        first, end = self.families
        return first + (number - 1) // self.parts_per_family % (end - first)


def render_part(part: LinePart, station: StationConfig) -> Rendered:
    """Return a part of the line as a new station sees it.

    A challenge part's defect is at its worst.
    """
    return render(
        part.product,
        part_seed=part.render_seed,
        family_seed=station.family_seed(part.number),
        defect=part.defect,
        severity=1.0 if part.challenge else None,
        size=station.picture_px,
    )


def photograph(part: LinePart, station: StationConfig) -> NDArray[np.uint8]:
    """Return what the camera sees of a part, ``(h, w, 3) uint8``, as worn as the station is."""
    pixels = render_part(part, station).pixels
    return pixels if station.wear is None else station.wear.seen(pixels, part.number)


def part_truth(part: LinePart, station: StationConfig) -> PartTruth:
    """Say what a part of the line really is; renders it where it has a defect."""
    rendered = render_part(part, station) if part.defect is not None else None
    return PartTruth(
        part_id=part.part_id,
        product=part.product,
        defect=part.defect,
        area_px2=rendered.area_px2 if rendered else 0.0,
        contrast=rendered.contrast if rendered else 0.0,
        challenge=part.challenge,
    )
