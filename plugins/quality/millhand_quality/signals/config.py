"""Settings of the agent ``quality.signals`` in a scenario."""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict, Field


class SignalsConfig(BaseModel):
    """Which measured curves it sees; from which confidence it answers belongs to the package."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    channels: tuple[str, ...] = Field(
        default=("signal",),
        min_length=1,
        max_length=64,
        description="Names of the curves of one part, in the package's order; the scenario binds "
        "each under `see` to a tag that holds an array.",
    )
