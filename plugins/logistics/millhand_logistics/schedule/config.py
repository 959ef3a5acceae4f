"""Settings of the agent ``logistics.schedule`` in a scenario."""

from __future__ import annotations

from typing import Any

from pydantic import BaseModel, ConfigDict, Field, field_validator

from millhand.messages import tr
from millhand.scenario.document import Document
from millhand.scenario.parts import refusal
from millhand.scenario.units import Duration
from millhand_logistics.schedule.alone import Alone
from millhand_logistics.shop.checks import problems
from millhand_logistics.shop.model import Shop

MOST_REMEMBERED = 1500
"""Operations whose places fit into an agent's memory."""


class ScheduleConfig(BaseModel):
    """What the scenario may set."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    shop: Shop = Field(description="The shop, as `millhand plan` reads it; its now is ignored.")
    answer_within: Duration = Field(
        default=0.1,
        description="Time for a plan; sets how many samples are drawn, by a fixed table, so that "
        "the same observation gives the same plan.",
    )
    solver: float = Field(
        default=0.0, ge=0, le=10, description="Effort of CP-SAT; 0 leaves it out."
    )
    student: bool = Field(default=False, description="Whether a model is bound as student.")
    frozen: Duration | None = Field(
        default=None, description="Time from now in which nothing moves that can still be done."
    )
    promised: Duration | None = Field(
        default=None, description="Time from now in which moves are counted."
    )
    most_moves: int | None = Field(
        default=None, ge=0, description="Most promised operations that may change machine or turn."
    )
    repair: Duration = Field(
        default=3600.0, description="How long a machine that stops is expected to be down."
    )
    assume_progress: bool = Field(
        default=True,
        description="Whether operations are taken to run as planned until told otherwise.",
    )
    tags: dict[str, str] = Field(
        default_factory=dict,
        description="Tag with a machine's PackML state, such as plc.state, to the machine.",
    )
    book: bool = Field(
        default=False,
        description="Read the shop's own time, progress and new orders from a text tag, bound as "
        "see: {book: plc.book}.",
    )
    only: Alone | None = Field(
        default=None,
        description="Leave the choice to one kind of planner, without guard; for comparisons.",
    )
    dispatch: bool = Field(
        default=False,
        description="Write each machine's operations in turn to a text tag, bound as "
        "may: {dispatch: plc.plan}.",
    )
    deliver: bool = Field(
        default=False, description="Hand each plan to the role schedule, for an MES or ERP."
    )

    @field_validator("shop")
    @classmethod
    def _consistent(cls, shop: Shop) -> Shop:
        found = next(problems(shop, Document("shop", {})), None)
        if found is not None:
            raise refusal(
                f"{found.place.key}: {found.message}", expected=found.expected, mend=found.mend
            )
        count = sum(len(order.operations) for order in shop.orders)
        if count > MOST_REMEMBERED:
            raise refusal(
                tr("The shop has {n} operations.", n=count),
                expected=tr("{n} at most, so that the plan fits the memory", n=MOST_REMEMBERED),
                mend=tr("Split it into several agents by area."),
            )
        return shop

    def model_post_init(self, _context: Any, /) -> None:
        """Refuse tags of machines that are not there, and planners that cannot plan."""
        unknown = [name for name in self.tags.values() if name not in self.shop.machines]
        if unknown:
            raise refusal(
                tr("There is no machine “{name}”.", name=unknown[0]),
                expected=tr("one of: {names}", names=", ".join(self.shop.machines)),
                at=("tags",),
            )
        lacks = {
            "student": not self.student and tr("student: true and a model"),
            "solver": self.solver <= 0 and tr("solver: an effort above 0, such as 0.05"),
        }
        missing = lacks.get(self.only or "")
        if missing:
            raise refusal(
                tr("only: {who} has nothing to plan with.", who=self.only),
                expected=missing,
                at=("only",),
            )
