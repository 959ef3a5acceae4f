"""Settings of the agent ``quality.inspect`` in a scenario."""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict, Field


class InspectConfig(BaseModel):
    """What the scenario may set; thresholds belong to the model's package."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    abstain: bool = Field(
        default=True,
        description="Leave scores between the package's two thresholds undecided; "
        "if false, everything up to the upper one is OK.",
    )
    clear_from: float | None = Field(
        default=None,
        gt=0,
        le=1,
        description="A quick model, in the role “quick”, clears parts that look at least as "
        "ordinary as this share of good parts held out; the role “model” judges all others. "
        "`millhand inspect cascade` says what each choice costs and misses.",
    )
    heat_map: bool = Field(
        default=True, description="Explain every decision with a heat map for a person."
    )
    report_nonconformance: bool = Field(
        default=True, description="Tell other agents of every part that is not OK."
    )
