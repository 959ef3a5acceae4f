"""The guard's rules for one channel or tag: when, how far, how fast, how often."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, Field, PlainSerializer, WithJsonSchema, model_validator

from millhand.contracts import MachineAction
from millhand.messages import tr
from millhand.scenario.expressions import Expression, ExpressionError, parse
from millhand.scenario.parts import Number, Part, ShortPart, Whole, refusal
from millhand.scenario.units import Duration
from millhand.scenario.words import shown


def _expression(value: Any) -> Any:
    if isinstance(value, Expression):
        return value
    if not isinstance(value, str):
        raise refusal(
            tr("{value} is no condition.", value=shown(value)),
            expected=tr("a condition, such as plc.state == 6"),
        )
    try:
        return parse(value)
    except ExpressionError as error:
        raise refusal(str(error), expected=error.expected, mend=error.mend) from error


Condition = Annotated[
    Expression,
    BeforeValidator(_expression),
    PlainSerializer(str, return_type=str),
    WithJsonSchema({"type": "string", "examples": ["plc.state == 6 and plc.door_closed"]}),
]


class Range(ShortPart):
    """Smallest and largest value allowed, in the tag's unit; also written ``[0, 120]``."""

    short_schemas = ({"type": "array", "items": {"type": "number"}, "minItems": 2, "maxItems": 2},)

    minimum: Number = Field(description="Smallest value allowed.")
    maximum: Number = Field(description="Largest value allowed.")

    @model_validator(mode="before")
    @classmethod
    def _pair(cls, value: Any) -> Any:
        if isinstance(value, list) and len(value) == 2:
            return {"minimum": value[0], "maximum": value[1]}
        return value

    @model_validator(mode="after")
    def _order(self) -> Range:
        if self.minimum > self.maximum:
            raise refusal(
                tr("{low} is above {high}.", low=self.minimum, high=self.maximum),
                expected=tr("the smaller value first"),
                mend=tr("Swap the two."),
            )
        return self


class Change(Part):
    """How much a value may change within a time."""

    change: Number = Field(gt=0, description="Largest change, in the tag's unit.")
    within: Duration = Field(description="The time that it is counted over.")


class Writes(Part):
    """How many writes may go out within a time."""

    at_most: Whole = Field(ge=1, description="Number of writes.")
    within: Duration = Field(description="The time that they are counted over.")


class ConsecutiveRejects(Part):
    """Many rejects in a row are a sign of a broken process or a blind camera."""

    more_than: Whole = Field(ge=1, description="Rejects in a row that are still believed.")
    machine: Literal[MachineAction.HOLD, MachineAction.STOP] = Field(
        default=MachineAction.HOLD, description="What the machine is asked: hold or stop."
    )


class GuardRule(Part):
    """What must hold for a write to a channel or tag to go out."""

    only_if: Condition | None = Field(
        default=None, description="Interlock: a condition over tags, such as plc.state == 6."
    )
    max_age: Duration = Field(
        default=0.5, description="How old the values of only_if may be; older ones refuse."
    )
    range: Range | None = Field(default=None, description="Values allowed; [minimum, maximum].")
    rate: Change | None = Field(
        default=None, description="Largest change of the value within a short time."
    )
    budget: Change | None = Field(
        default=None, description="Largest sum of all changes, up and down, within a long time."
    )
    writes: Writes | None = Field(default=None, description="Most writes within a time.")
    consecutive_rejects: ConsecutiveRejects | None = Field(
        default=None, description="For channels: what happens after many rejects in a row."
    )
