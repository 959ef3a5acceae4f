"""Settings of teachers and student of a classifier in a distil plan."""

from __future__ import annotations

from typing import Literal

from pydantic import BaseModel, ConfigDict, Field

SIDE = 64
"""Pixels of a side of what the student sees."""
GOOD = "good"
"""Label of what has no defect."""


class BackboneTeacherConfig(BaseModel):
    """Settings of the teacher ``quality.backbone``."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    run_by: Literal["onnxruntime", "torch"] = Field(
        default="onnxruntime",
        description="What runs the backbone's shipped blocks; both give the same features.",
    )
    size: int = Field(default=128, ge=64, le=256, multiple_of=32, description="Side it sees.")
    decay: float = Field(default=1e-3, gt=0, description="Weight decay of the linear head.")
    views: int = Field(default=4, ge=1, le=16, description="Views of each item the head learns.")


class LearningConfig(BaseModel):
    """What all students that tell kinds apart are set by."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    width: int = Field(default=12, ge=2, le=64, description="Channels after the first layer.")
    steps: int = Field(default=3000, ge=10, description="Steps of the optimiser, at most.")
    batch: int = Field(default=64, ge=4, le=4096, description="Squares in a step.")
    learning_rate: float = Field(default=3e-3, gt=0, description="Highest of a half cosine.")
    views: int = Field(
        default=6, ge=1, le=32, description="Views of each item that the teacher labels."
    )
    teacher_weight: float = Field(
        default=0.7,
        ge=0,
        le=1,
        description="Weight of the teacher's answers, the rest: labels. 0: the student is its own "
        "control.",
    )
    temperature: float = Field(
        default=2.0, gt=0, description="Softens the teacher's answers and the student's alike."
    )


class KindsStudentConfig(LearningConfig):
    """Settings of the student ``quality.kinds``."""

    shift: int = Field(default=10, ge=0, le=24, description="Most pixels a view is moved.")
    exposure: float = Field(default=0.15, ge=0, lt=1, description="Largest change of brightness.")
    turns: bool = Field(default=True, description="Whether views are also mirrored and turned.")
