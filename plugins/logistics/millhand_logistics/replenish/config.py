"""What a scenario says to ``logistics.replenish``."""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict, Field

from millhand.scenario.units import Percent


class ReplenishConfig(BaseModel):
    """How orders are proposed."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    tell_from: Percent = Field(
        default=0.2,
        description="Risk of running out before an order placed now arrives from which others "
        "are told, as `logistics.stock_risk`.",
    )
    most_articles: int = Field(
        default=20_000, ge=1, le=100_000, description="Articles beyond which a list is refused."
    )
