"""What a scenario says of a scale and its tags."""

from __future__ import annotations

from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field, model_validator


class ScaleConfig(BaseModel):
    """Where the scale is."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    host: str = Field(description="Name or address of the scale.")
    port: int = Field(default=8001, ge=1, le=65535, description="Its TCP port.")
    timeout_s: float = Field(
        default=0.5, gt=0, le=60, description="Longest wait for an answer, in seconds."
    )
    unit: Literal["g", "kg", "lb"] = Field(
        default="g", description="Unit that the scale shows; a weight in another one is bad."
    )
    capacity: float = Field(
        default=10_000, gt=0, description="Largest weight of the scale, in its unit."
    )


class ScaleTag(BaseModel):
    """One value of the scale; the address alone will do."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    address: Literal["weight", "tare"] = Field(description="What is read: net weight, or tare.")

    @model_validator(mode="before")
    @classmethod
    def _short(cls, value: Any) -> Any:
        return {"address": value} if isinstance(value, str) else value
