"""What a package of the student ``quality.curves`` tells its agent."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from millhand.errors import PackageError
from millhand.messages import tr
from millhand_quality.classify.parameters import PROBABILITIES, Promise

SIGNAL = "signal"
"""Name of the graph's input; its output is ``probabilities``."""

__all__ = ["PROBABILITIES", "SIGNAL", "CurveParameters", "read_parameters"]


class CurveParameters(BaseModel):
    """The package's free parameters."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    classes: tuple[str, ...] = Field(min_length=2, description="In the order of the output.")
    channels: int = Field(gt=0, description="Quantities that were measured at each moment.")
    length: int = Field(gt=0, description="Moments.")
    answer_from: float = Field(
        ge=0, description="Confidence from which it answers; above 1: it never does."
    )
    promise: Promise | None = Field(default=None, description="None: nothing could be proven.")


def read_parameters(parameters: Mapping[str, Any]) -> CurveParameters:
    """Read a package's parameters.

    Raises:
        PackageError: the package is not for this agent.
    """
    try:
        return CurveParameters.model_validate(dict(parameters))
    except ValidationError as error:
        raise PackageError(
            tr("The package is no classifier of “quality.signals”: {why}", why=error),
            fault="parameters",
            mend=tr("Make it with the student “quality.curves”."),
        ) from error
