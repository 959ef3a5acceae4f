"""Settings of ``admin.ncr``."""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict, Field

from millhand.scenario.units import Duration


class NcrConfig(BaseModel):
    """When a lot is stopped."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    more_than: int = Field(
        default=3, ge=0, description="So many bad parts of a lot are borne; one more stops it."
    )
    within: Duration = Field(default=3600.0, description="Time in which they are counted.")
    lots: dict[str, str] = Field(
        default_factory=dict,
        description="Product to the lot that is on the line, where the inspector does not say it.",
    )
