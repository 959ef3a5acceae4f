"""Settings of the agent ``quality.spc`` in a scenario."""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict, Field, field_validator, model_validator

from millhand.messages import tr
from millhand_quality.spc.constants import LARGEST_SUBGROUP
from millhand_quality.spc.rules import TESTS


class Tolerance(BaseModel):
    """What a drawing allows, in the unit of the value."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    lower: float | None = Field(default=None, description="Smallest value that is accepted.")
    upper: float | None = Field(default=None, description="Largest value that is accepted.")

    @model_validator(mode="after")
    def _sides(self) -> Tolerance:
        if self.lower is None and self.upper is None:
            raise ValueError(tr("a tolerance needs lower, upper or both"))
        if self.lower is not None and self.upper is not None and self.lower >= self.upper:
            raise ValueError(tr("lower must be below upper"))
        return self


class SpcConfig(BaseModel):
    """One characteristic on its control charts, a pair of charts for each product."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    characteristic: str = Field(min_length=1, max_length=60, description="What is measured: bore.")
    unit: str = Field(default="", max_length=20, description="Unit of the value: mm.")
    subgroup: int = Field(
        default=1,
        ge=1,
        le=LARGEST_SUBGROUP,
        description="Values in a point: 1 for single values and moving ranges, 2 to 10 for means "
        "and ranges.",
    )
    baseline: int = Field(
        default=25,
        ge=10,
        le=60,
        description="Points that limits are taken from; they are taken once, and kept.",
    )
    rules: tuple[int, ...] = Field(
        default=(1, 2, 3, 5, 6),
        description="Nelson's tests on single values or means, 1 to 8. Each one more finds more "
        "and calls more often for nothing.",
    )
    tolerance: dict[str, Tolerance] = Field(
        default_factory=dict,
        description="Product to what its drawing allows; “any” is for products not named. Gives "
        "Cp and Cpk, and a nonconformance where a value is outside.",
    )
    most_products: int = Field(
        default=8, ge=1, le=20, description="Products kept in memory; the least recent goes."
    )

    @field_validator("rules")
    @classmethod
    def _known(cls, value: tuple[int, ...]) -> tuple[int, ...]:
        if not value or not set(value) <= set(TESTS):
            raise ValueError(tr("rules are numbers from 1 to 8"))
        return tuple(sorted(set(value)))

    @model_validator(mode="after")
    def _fits_memory(self) -> SpcConfig:
        if self.subgroup * self.baseline * self.most_products > _MOST_VALUES:
            raise ValueError(
                tr(
                    "subgroup x baseline x most_products must not exceed {most}: an agent's "
                    "memory is small",
                    most=_MOST_VALUES,
                )
            )
        return self

    def tolerance_of(self, product: str) -> Tolerance | None:
        """Return what is allowed for a product."""
        return self.tolerance.get(product) or self.tolerance.get("any")


_MOST_VALUES = 600
"""Values that fit in an agent's memory beside all else: nine bytes each of 16 KiB."""
