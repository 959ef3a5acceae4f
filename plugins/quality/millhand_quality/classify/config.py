"""Settings of the agent ``quality.classify`` in a scenario."""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict, Field


class ClassifyConfig(BaseModel):
    """What the scenario may set; from which confidence it answers belongs to the package."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    everything: bool = Field(
        default=False,
        description="Name a kind for every part; else only where the model under “where” would "
        "reject it.",
    )
