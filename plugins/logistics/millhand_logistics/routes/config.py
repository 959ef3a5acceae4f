"""What a scenario says to ``logistics.routes``."""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict, Field


class RoutesConfig(BaseModel):
    """How a day is planned."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    iterations: int = Field(
        default=2000,
        ge=1,
        le=10_000_000,
        description="Effort of the search: a number, not a time, so that the same day gives the "
        "same routes.",
    )
    seed: int = Field(default=0, ge=0, description="Of the search.")
