"""What a package of this task tells the agent: the plain values in its manifest."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator

from millhand.errors import PackageError
from millhand.messages import tr

TASK = "anomaly-inspection"


class FrameSize(BaseModel):
    """The only frame that the model can judge."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    height: int = Field(ge=1, description="Pixels.")
    width: int = Field(ge=1, description="Pixels.")
    channels: Literal[1, 3] = Field(description="1 grey, 3 RGB.")


class InspectParameters(BaseModel):
    """The manifest's ``parameters`` for the task ``anomaly-inspection``."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    frame: FrameSize
    detector: str = Field(description="Which candidate was taken.")
    pass_up_to: float = Field(description="Highest score that is OK.")
    reject_above: float = Field(description="Scores above are not OK; between, not decidable.")
    novelty_above: float = Field(
        description="A median cell above says that the picture, not a spot of it, is foreign."
    )
    asked_rate: float = Field(gt=0, lt=1, description="False-reject rate asked for.")
    promised_rate: float = Field(gt=0, lt=1, description="False-reject rate that holds.")
    undecided_rate: float = Field(ge=0, lt=1, description="Good parts left undecided, at most.")
    guarantee: Literal["split-conformal", "estimate"] = Field(
        description="split-conformal: held-out parts; estimate: cross-validation, no promise."
    )
    calibration: tuple[float, ...] = Field(
        min_length=1, description="Scores of held-out good parts, sorted."
    )
    characteristic: str = Field(default="surface", description="What a nonconformance is named.")

    @field_validator("calibration")
    @classmethod
    def _in_order(cls, scores: tuple[float, ...]) -> tuple[float, ...]:
        """Sort them: the agent looks a part's rank up among them."""
        return tuple(sorted(scores))


def read_parameters(parameters: Mapping[str, Any]) -> InspectParameters:
    """Read a manifest's parameters.

    Raises:
        PackageError: they are not those of an inspection package.
    """
    try:
        return InspectParameters.model_validate(dict(parameters))
    except ValidationError as error:
        first = error.errors()[0]
        place = ".".join(str(part) for part in first["loc"])
        raise PackageError(
            tr(
                "The package's parameters do not fit: {place}: {why}.",
                place=place,
                why=first["msg"],
            ),
            fault="parameters",
            mend=tr("Fit the package again with `millhand inspect fit`."),
        ) from error
