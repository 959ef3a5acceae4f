"""Settings of teacher and student in a distil plan."""

from __future__ import annotations

from typing import Literal, Self

from pydantic import BaseModel, ConfigDict, Field, model_validator

from millhand.messages import tr

CELL = 4
"""Pixels of a side of one cell of the student's heat map."""
TEACHER_CELL = 16
"""Pixels of a side of one cell of the teacher's heat map, as the student learns it."""


class TrunkTeacherConfig(BaseModel):
    """Settings of the teacher ``quality.trunk``."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    head: Literal["diagonal", "padim-fine", "bank", "padim", "fused"] = Field(
        default="padim", description="Head on the trunk's features."
    )
    pictures: int = Field(
        default=150, ge=2, description="Most good pictures of the train shelf it is fitted on."
    )
    size: int = Field(default=256, ge=64, description="Pixels of a side that the trunk sees.")


class CellStudentConfig(BaseModel):
    """Settings of the student ``quality.cells``."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    stem: int = Field(default=8, ge=1, description="Channels at half the picture's size.")
    fine: int = Field(default=16, ge=1, description="Channels at a quarter, where cells lie.")
    coarse: int = Field(default=32, ge=1, description="Channels at an eighth.")
    fine_layers: int = Field(default=1, ge=0, description="Further convolutions at a quarter.")
    coarse_layers: int = Field(default=2, ge=0, description="Further convolutions at an eighth.")

    steps: int = Field(default=12_000, ge=1, description="Steps of the optimiser.")
    batch: int = Field(default=16, ge=2, description="Crops in a step, half around defects.")
    crop: int = Field(default=128, ge=32, description="Pixels of a side of a crop.")
    learning_rate: float = Field(default=3e-3, gt=0, description="Highest of a half cosine.")
    teacher_weight: float = Field(
        default=0.2, ge=0, description="Weight of the teacher's heat map beside the marks; 0: none."
    )
    shift: int = Field(
        default=2, ge=0, le=8, description="Most pixels that a picture is moved while learning."
    )
    exposure: float = Field(
        default=0.1, ge=0, lt=1, description="Largest change of brightness while learning."
    )

    false_reject_rate: float = Field(default=0.01, gt=0, lt=0.5, description="Of good parts.")
    undecided_rate: float = Field(default=0.015, ge=0, lt=0.5, description="Of good parts.")

    @model_validator(mode="after")
    def _on_the_grid(self) -> Self:
        if self.crop % (2 * TEACHER_CELL):
            raise ValueError(tr("crop must be a multiple of {cell}", cell=2 * TEACHER_CELL))
        return self


class MarksStudentConfig(BaseModel):
    """Settings of the student ``quality.marks``."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    width: int = Field(default=16, ge=1, description="Channels of the net beside the Gaussian.")
    weight: float = Field(
        default=0.5, gt=0, description="Weight of the net's heat map beside the Gaussian's."
    )

    steps: int = Field(default=12_000, ge=1, description="Steps of the optimiser.")
    batch: int = Field(default=16, ge=2, description="Crops in a step, half around defects.")
    crop: int = Field(default=128, ge=32, description="Pixels of a side of a crop.")
    learning_rate: float = Field(default=3e-3, gt=0, description="Highest of a half cosine.")

    false_reject_rate: float = Field(default=0.01, gt=0, lt=0.5, description="Of good parts.")
    undecided_rate: float = Field(default=0.02, ge=0, lt=0.5, description="Of good parts.")
