"""What a classifier's package tells its agent."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from millhand.errors import PackageError
from millhand.messages import tr

IMAGE, PROBABILITIES = "image", "probabilities"
"""Names of the graph's input and output."""


class Promise(BaseModel):
    """A certificate on the errors among the answered (Learn then Test)."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    error_rate: float = Field(description="Of the answered, wrong at most (alpha).")
    delta: float = Field(description="Probability with which that may fail.")
    items: int = Field(description="Held-out items that it rests on.")
    answered: int
    wrong: int


class KindsParameters(BaseModel):
    """The package's free parameters."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    classes: tuple[str, ...] = Field(min_length=2, description="In the order of the output.")
    side: int = Field(gt=0, description="Pixels of a side of the square.")
    answer_from: float = Field(
        ge=0, description="Confidence from which it answers; above 1: it never does."
    )
    promise: Promise | None = Field(default=None, description="None: nothing could be proven.")


def read_parameters(parameters: Mapping[str, Any]) -> KindsParameters:
    """Read a package's parameters.

    Raises:
        PackageError: the package is not for this agent.
    """
    try:
        return KindsParameters.model_validate(dict(parameters))
    except ValidationError as error:
        raise PackageError(
            tr("The package is no classifier of “quality.classify”: {why}", why=error),
            fault="parameters",
            mend=tr("Make it with the student “quality.kinds”."),
        ) from error
