"""How a picture is held against its template."""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict, Field


class ReferenceRules(BaseModel):
    """All lengths in pixels of the picture; the defaults were chosen on DeepPCB's group 00041."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    reach: int = Field(default=4, ge=0, le=16, description="Furthest that a place has moved.")
    tile: int = Field(default=64, ge=16, description="Side of the squares that move by themselves.")
    tolerance: int = Field(
        default=2, ge=0, le=8, description="How far an edge may be off after moving."
    )
    contrast: float = Field(
        default=60.0,
        gt=0,
        lt=255,
        description="Grey values that a pixel must lie outside of what the template shows nearby.",
    )
    window: int = Field(
        default=15, ge=1, description="Side, odd, of the square whose differing pixels are counted."
    )
    least: int = Field(
        default=10, ge=1, description="Differing pixels in a window that make a part not OK."
    )
    foreign: float = Field(
        default=0.1, gt=0, le=1, description="Share of differing pixels that is another picture."
    )
