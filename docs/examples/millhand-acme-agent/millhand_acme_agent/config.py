"""What a scenario says under ``config``."""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict, Field


class CheckweigherConfig(BaseModel):
    """The weight that a part shall have."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    nominal_g: float = Field(gt=0, description="Weight of a part as drawn, in grams.")
    tolerance_g: float = Field(gt=0, description="Largest deviation of a good part, in grams.")
    uncertainty_g: float = Field(
        default=0.0,
        ge=0,
        description="Uncertainty of the scale, in grams; nearer to a limit nothing is claimed.",
    )
