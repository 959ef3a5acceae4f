"""What the gantry can do: skills, their goals, and the steps that they come to."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from millhand.contracts import SkillInfo, Value
from millhand.messages import tr
from millhand_simulated.gantry.kinematics import Axis

ACROSS = Axis(least_mm=0, greatest_mm=900, speed_mm_s=400, acceleration_mm_s2=1600)
DOWN = Axis(least_mm=0, greatest_mm=300, speed_mm_s=250, acceleration_mm_s2=1200)
BRAKE_MM_S2 = 6000.0
"""Deceleration of a halt."""
HOME_MM, UP_MM, BELT_MM, BIN_MM = 0.0, 0.0, 260.0, 180.0
BINS_MM = {1: 600.0, 2: 740.0, 3: 880.0}
GRIP_S = 0.15


class Home(BaseModel):
    """Nothing to say."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)


class MoveTo(BaseModel):
    """Where to go."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)

    across_mm: float = Field(ge=0, le=900, description="Position across the belt, in mm.")
    speed: float = Field(
        default=1.0, gt=0, le=1, description="Part of the full speed, above 0 to 1."
    )


class RejectPart(BaseModel):
    """Which part goes where."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)

    across_mm: float = Field(
        ge=0, le=500, description="Where the part lies across the belt, in mm."
    )
    bin: int = Field(ge=1, le=3, description="The bin it goes into, 1 to 3.")


@dataclass(frozen=True, slots=True)
class Step:
    """One step of a skill: the axes move, then the gripper does what it shall."""

    across_mm: float
    down_mm: float
    grip: bool
    speed: float = 1.0


@dataclass(frozen=True, slots=True)
class Skill:
    """A skill by its goal and its line for a person."""

    name: str
    goal: type[BaseModel]
    description: str

    @property
    def info(self) -> SkillInfo:
        """As the ``Robot`` face tells it."""
        return SkillInfo(
            name=self.name,
            description=self.description,
            goal_schema=self.goal.model_json_schema(),
        )


def skills() -> Mapping[str, Skill]:
    """Return all skills by name."""
    found = (
        Skill("home", Home, tr("Lift and go to the start of the travel.")),
        Skill("move_to", MoveTo, tr("Lift and go to a position across the belt.")),
        Skill("reject_part", RejectPart, tr("Take a part from the belt and drop it into a bin.")),
    )
    return {skill.name: skill for skill in found}


class GoalRefused(Exception):
    """A skill or a goal that cannot be begun; the text says why."""


def plan(skill: str, goal: Mapping[str, Value], across_mm: float) -> Sequence[Step]:
    """Turn a goal into steps, from where the gantry stands.

    Raises:
        GoalRefused: no such skill, or the goal is not within its schema.
    """
    found = skills().get(skill)
    if found is None:
        known = ", ".join(skills())
        raise GoalRefused(
            tr("There is no skill {skill}; known are {names}.", skill=skill, names=known)
        )
    try:
        wanted = found.goal.model_validate(dict(goal))
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        where = ".".join(str(part) for part in first["loc"])
        raise GoalRefused(
            tr("{skill}: {where}: {reason}", skill=skill, where=where, reason=first["msg"])
        ) from None
    lift = Step(across_mm, UP_MM, grip=False)
    match wanted:
        case MoveTo():
            return lift, Step(wanted.across_mm, UP_MM, grip=False, speed=wanted.speed)
        case RejectPart():
            bin_mm = BINS_MM[wanted.bin]
            return (
                lift,
                Step(wanted.across_mm, UP_MM, grip=False),
                Step(wanted.across_mm, BELT_MM, grip=True),
                Step(wanted.across_mm, UP_MM, grip=True),
                Step(bin_mm, UP_MM, grip=True),
                Step(bin_mm, BIN_MM, grip=False),
                Step(bin_mm, UP_MM, grip=False),
            )
        case _:
            return lift, Step(HOME_MM, UP_MM, grip=False)
