"""Settings of the teacher and the student of curves in a distil plan."""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict, Field

from millhand_quality.classify.distil.config import LearningConfig


class KernelsTeacherConfig(BaseModel):
    """Settings of the teacher ``quality.kernels``."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    kernels: int = Field(default=2000, ge=10, le=20_000, description="Random kernels.")
    decay: float = Field(default=1e-3, gt=0, description="Weight decay of the linear head.")
    views: int = Field(default=4, ge=1, le=16, description="Views of each item the head learns.")
    seed: int = Field(default=0, ge=0, description="Of the kernels.")


class CurvesStudentConfig(LearningConfig):
    """Settings of the student ``quality.curves``."""

    shift: int = Field(default=1, ge=0, le=64, description="Most moments a view is moved.")
    gain: float = Field(
        default=0.05, ge=0, lt=1, description="Largest change of each channel's size."
    )
    noise: float = Field(
        default=0.05, ge=0, le=1, description="Added to views, in each channel's own spread."
    )
