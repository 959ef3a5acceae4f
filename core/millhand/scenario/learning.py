"""When another model may take over, when a certificate is void, and what people are asked."""

from __future__ import annotations

from typing import Literal

from pydantic import Field, model_validator

from millhand.messages import tr
from millhand.scenario.parts import InnerPath, Part, Whole, refusal
from millhand.scenario.units import Percent
from millhand.statistics.drift_in_batches import FEWEST_BATCHES


class Rollout(Part):
    """When another model may take the live one's place, and when that is undone."""

    margin: Percent = Field(
        default=0.02,
        gt=0,
        lt=1,
        description="How much less often a candidate may be right than the live model, or more "
        "often wrong, and still be promoted.",
    )
    escape_margin: Percent = Field(
        default=0.01,
        gt=0,
        lt=1,
        description="How many more of all parts it may let pass though they are defective.",
    )
    alpha: Percent = Field(
        default=0.05,
        gt=0,
        lt=1,
        description="Probability that a candidate which is worse by a margin is promoted, ever.",
    )
    rollback: Literal["alarm", "automatic"] = Field(
        default="alarm",
        description="What happens once it is shown that the model which was live before is the "
        "better one: an alarm alone, or also the way back to it.",
    )


class Drift(Part):
    """When a model's certificate is void, because what it sees is no longer as it was."""

    watch: tuple[str, ...] = Field(
        default=("brightness", "contrast", "novelty", "score"),
        max_length=8,
        description="What is watched: `brightness` and `contrast` of the first picture, scores of "
        "the decision, its `confidence`. What an agent does not give is passed over; an empty list "
        "watches nothing.",
    )
    alpha: Percent = Field(
        default=0.01, gt=0, lt=1, description="Probability of a false alarm of a model, ever."
    )
    warm_up: Whole = Field(
        default=300,
        ge=20,
        le=10_000,
        description="Parts of each model, from its first on, that are taken for usual; at least "
        "five batches.",
    )
    batch: Whole = Field(
        default=20,
        ge=1,
        le=1000,
        description="Parts of which the middle one counts, because parts that come together (a "
        "lot, a tool) resemble each other: about twice as many as belong together. 1 where each "
        "part is news.",
    )
    then: Literal["undecided", "alarm"] = Field(
        default="undecided",
        description="undecided: the model's word lets nothing pass until it is replaced or "
        "renewed; alarm: it goes on.",
    )
    fall_back: InnerPath | None = Field(
        default=None,
        description="A package below the scenario's folder that takes its place; until it is open, "
        "parts are not decidable.",
    )

    @model_validator(mode="after")
    def _long_enough(self) -> Drift:
        if self.warm_up < FEWEST_BATCHES * self.batch:
            raise refusal(
                tr("A warm-up of {parts} parts holds too few batches.", parts=self.warm_up),
                expected=tr("at least {count} batches", count=FEWEST_BATCHES),
                mend=tr("Write warm_up: {parts}.", parts=FEWEST_BATCHES * self.batch),
                at=("warm_up",),
            )
        return self


class Ask(Part):
    """How often people are asked what a part really was, by why it is worth asking."""

    audit: Percent = Field(
        default=0.02,
        gt=0,
        le=1,
        description="Of all parts, drawn by chance alone: so that rates stay unbiased.",
    )
    disagreement: Percent = Field(
        default=1.0, gt=0, le=1, description="Of those where another model says otherwise."
    )
    abstention: Percent = Field(
        default=0.5, gt=0, le=1, description="Of those that the agent could not decide."
    )
    margin: Percent = Field(
        default=0.25, gt=0, le=1, description="Of those near the limit, or unusual."
    )
