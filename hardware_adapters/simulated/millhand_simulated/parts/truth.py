"""The camera's station over a simulated line: its pictures, and what is true of each part.

Camera, plant and whoever scores a run compute the same from the same configuration; nothing
passes between them.
"""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict, Field, model_validator

from millhand.contracts.plant import PartTruth
from millhand.messages import tr
from millhand_simulated.parts.render import Rendered, render
from millhand_simulated.plc.line import LinePart


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
    """Return the picture of a part of the line. A challenge part's defect is at its worst."""
    return render(
        part.product,
        part_seed=part.render_seed,
        family_seed=station.family_seed(part.number),
        defect=part.defect,
        severity=1.0 if part.challenge else None,
        size=station.picture_px,
    )


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
