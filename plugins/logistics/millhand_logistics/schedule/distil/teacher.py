"""The teacher: the best of rules, right order by CP-SAT, and whatever else is cheap to try."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

import numpy as np
from pydantic import BaseModel, ConfigDict, Field

from millhand.distil.dataset import Arrays
from millhand.errors import ConfigError
from millhand.messages import tr
from millhand.models.manifest import Permission, TeacherCard
from millhand_logistics.schedule.distil.files import TAUGHT, problem_of
from millhand_logistics.schedule.propose import Effort, Proposal, propose
from millhand_logistics.schedule.rules import by_priority
from millhand_logistics.schedule.simulate import Plan, simulate

COST, SEQUENCE = "cost", "sequence"


def taught(item: Arrays) -> Plan | None:
    """Return the plan that a person wants for a shop, as a student can come to it; None: none.

    Raises:
        ConfigError: the order does not name each operation once.
    """
    if TAUGHT not in item:
        return None
    problem, sequence = problem_of(item), item[TAUGHT]
    if not np.array_equal(np.sort(sequence), np.arange(len(problem.operations))):
        raise ConfigError(
            tr("The order that a person wants does not name each operation once."),
            mend=tr("Write the shops anew with `millhand planner-labels`."),
        )
    return simulate(problem, by_priority(problem, sequence.argsort()))


class SolverTeacherConfig(BaseModel):
    """Settings of :class:`SolverTeacher`."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    effort: float = Field(
        default=0.0,
        ge=0,
        le=10,
        description="CP-SAT's deterministic time for each shop; 0: the rules alone.",
    )


class SolverTeacher:
    """Labels a shop with what a person wants, else the cheapest plan of rules and CP-SAT.

    Implements :class:`millhand.distil.roles.Teacher`.
    """

    Config: ClassVar[type[SolverTeacherConfig]] = SolverTeacherConfig

    def __init__(self, config: SolverTeacherConfig) -> None:
        self._config = config

    def card(self) -> TeacherCard:
        """Rules are in the public domain; OR-Tools' licence permits the use of its answers."""
        return TeacherCard(
            id="dispatching rules and OR-Tools CP-SAT",
            kind="solver",
            licence="Apache-2.0",
            permission=Permission.GRANTED,
            evidence="Apache-2.0, section 2: derivative works are permitted; a solver's answers "
            "are the user's own.",
            cost_per_decision="milliseconds for the rules, the plan's effort for CP-SAT",
        )

    def plan(self, item: Arrays) -> Proposal:
        """Propose a plan for one shop."""
        return propose(problem_of(item), Effort(samples=0, solver=self._config.effort))

    def label(self, items: Sequence[Arrays]) -> Sequence[Arrays]:
        """Return cost and sequence of the cheapest plan of each shop."""
        plans = [taught(item) or self.plan(item).plan for item in items]
        return [{COST: np.array([p.cost], np.int64), SEQUENCE: p.sequence} for p in plans]

    def close(self) -> None:
        """Nothing to give back."""
