"""What things cost, and what was done before: with these, decisions can be priced."""

from __future__ import annotations

from typing import Any

from pydantic import Field, model_validator

from millhand.messages import tr
from millhand.scenario.parts import Number, Part, ShortPart, refusal


class Figure(ShortPart):
    """A figure, how far off it may be, and what makes it believable; the number alone too."""

    short_schemas = ({"type": "number", "minimum": 0},)

    amount: Number = Field(ge=0, description="The figure itself.")
    low: Number | None = Field(default=None, ge=0, description="What it may be at least.")
    high: Number | None = Field(default=None, ge=0, description="What it may be at most.")
    assumption: str = Field(default="", description="Where the figure comes from.")

    @model_validator(mode="before")
    @classmethod
    def _short(cls, value: Any) -> Any:
        if isinstance(value, int | float) and not isinstance(value, bool):
            return {"amount": value}
        return value

    @model_validator(mode="after")
    def _in_order(self) -> Figure:
        low, high = self.range
        if not low <= self.amount <= high:
            raise refusal(
                tr("{amount} does not lie between {low} and {high}.", amount=self.amount, low=low,
                   high=high),
                expected=tr("low, amount and high in this order"),
            )  # fmt: skip
        return self

    @property
    def range(self) -> tuple[float, float]:
        """From what to what it may be; exactly the figure where nothing is said."""
        low = self.amount if self.low is None else self.low
        return low, self.amount if self.high is None else self.high


class Money(Figure):
    """An amount in the scenario's currency; ``1.20`` alone too."""


class Computer(Part):
    """The computer that the cell runs on."""

    price: Money = Field(description="What it cost.")
    years: Figure = Field(
        default=Figure(amount=5, low=3, high=7, assumption="usual for an industrial PC"),
        description="How long it is used.",
    )
    idle_watts: Figure = Field(
        default=Figure(amount=10, low=5, high=25, assumption="estimated: small PC, no load"),
        description="What it draws while nothing is decided. Name a measurement, or an estimate.",
    )
    busy_watts: Figure = Field(
        default=Figure(amount=25, low=12, high=65, assumption="estimated: small PC, one core busy"),
        description="What it draws while a model works.",
    )


class Baseline(Part):
    """What was done before, or would be done without Millhand."""

    method: str = Field(description="In a few words: a person looks at every part.")
    seconds: Figure = Field(description="A person's seconds for each part.")
    misses: Figure = Field(description="Share of the defective parts that get through, 0 to 1.")
    false_rejects: Figure = Field(description="Share of the good parts that are rejected, 0 to 1.")
    defective: Figure | None = Field(
        default=None,
        description="Share of the parts that are defective, 0 to 1; that of the run where left "
        "out. A simulation has more than a plant.",
    )


class Choices(Part):
    """How an agent's decisions that are bound to no part are priced: by two scores of its own."""

    cost: str = Field(
        default="cost", description="The agent's score that says what a decision will cost."
    )
    instead: str = Field(
        description="Its score that says what it would have come to otherwise: for a plan "
        "`right_shift_cost` (the plan so far goes on) or `best_rule_cost`."
    )
    method: str = Field(description="What that is, in a few words.")
    unit: Money = Field(
        default=Money(amount=1), description="What one unit of these scores is worth."
    )
    adds_up: bool = Field(
        default=True,
        description="Whether the savings of successive decisions may be added: where each is held "
        "against going on as decided before. Not against a rule that would plan anew each time.",
    )


class Economy(Part):
    """What things cost, so that decisions can be priced."""

    currency: str = Field(pattern=r"^[A-Z]{3}$", description="ISO 4217: EUR, USD, JPY.")
    scrapped_part: Money | None = Field(default=None, description="A part that is scrapped.")
    escaped_defect: Money | None = Field(
        default=None, description="A defective part that reaches the customer."
    )
    false_reject: Money | None = Field(
        default=None, description="A good part rejected; that of a scrapped part where left out."
    )
    kwh: Money | None = Field(default=None, description="A kilowatt hour.")
    operator_hour: Money | None = Field(default=None, description="An operator's hour.")
    answer_seconds: Figure = Field(
        default=Figure(amount=15, low=5, high=60, assumption="one look at a picture or a part"),
        description="A person's seconds for an answer, and for a part that was not decidable.",
    )
    computer: Computer | None = Field(default=None, description="What the cell runs on.")
    baseline: Baseline | None = Field(
        default=None, description="What it is compared with; without it there is no payback."
    )
    investment: Money | None = Field(
        default=None, description="What it cost to put up: camera, light, computer, work."
    )
    parts_a_year: Figure | None = Field(default=None, description="Parts that the cell judges.")
    choices: dict[str, Choices] = Field(
        default_factory=dict,
        description="Agents whose decisions state what they cost, such as planners, by name.",
    )
