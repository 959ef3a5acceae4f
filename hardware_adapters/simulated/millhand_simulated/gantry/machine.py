"""The gantry itself, as a state that time moves on: pure, without a clock or a socket."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from millhand.contracts import SkillStatus, Value
from millhand_simulated.gantry.kinematics import Travel, braked
from millhand_simulated.gantry.skills import (
    ACROSS,
    BRAKE_MM_S2,
    DOWN,
    GRIP_S,
    GoalRefused,
    Step,
    plan,
)


@dataclass(slots=True)
class _Segment:
    """One step under way: both axes start and arrive together, then the gripper acts."""

    across: Travel
    down: Travel
    grip: bool
    changes_grip: bool

    @property
    def duration_s(self) -> float:
        moving = max(self.across.duration_s, self.down.duration_s)
        return moving + (GRIP_S if self.changes_grip else 0.0)


@dataclass(slots=True)
class Gantry:
    """Position, gripper and skill of the gantry. :meth:`advance` moves its time on."""

    across_mm: float = 0.0
    down_mm: float = 0.0
    across_mm_s: float = 0.0
    down_mm_s: float = 0.0
    gripping: bool = False
    number: int = 0
    """Of the present or last skill; counts what was begun."""
    begun: list[str] = field(default_factory=list)
    status: SkillStatus | None = None
    """How the last skill ended; None while one is under way or before the first."""
    fraction: float = 0.0
    _left: list[Step] = field(default_factory=list)
    _segment: _Segment | None = None
    _elapsed_s: float = 0.0
    _steps: int = 1
    _halting: SkillStatus | None = None
    _braking_hard: bool = False

    @property
    def busy(self) -> bool:
        """Whether a skill is under way."""
        return self.number > 0 and self.status is None

    @property
    def moving(self) -> bool:
        """Whether an axis moves."""
        return bool(self.across_mm_s or self.down_mm_s)

    def begin(self, skill: str, goal: Mapping[str, Value]) -> None:
        """Begin a skill.

        Raises:
            GoalRefused: it cannot be begun; the text says why.
        """
        if self.busy or self.moving:
            raise GoalRefused("busy")
        steps: Sequence[Step] = plan(skill, goal, self.across_mm)
        self.number += 1
        self.begun.append(skill)
        self.status, self.fraction = None, 0.0
        self._halting, self._braking_hard = None, False
        self._left, self._steps = list(steps), len(steps)
        self._next_segment()

    def halt(self, status: SkillStatus) -> None:
        """Slow down; a skill under way ends with ``status`` once the axes rest.

        Cancelling slows down as any move does; everything else brakes as hard as it goes.
        """
        orderly = status is SkillStatus.CANCELLED and not self._braking_hard
        self._braking_hard = not orderly
        self._left.clear()
        self._segment = None
        if self.busy and self._halting is None:
            self._halting = status
            if not self.moving:
                self._finish(status)

    def advance(self, seconds: float) -> None:
        """Let time pass."""
        if self._segment is None:
            self._brake(seconds)
            return
        self._elapsed_s += seconds
        segment = self._segment
        self.across_mm, self.across_mm_s = segment.across.at(self._elapsed_s)
        self.down_mm, self.down_mm_s = segment.down.at(self._elapsed_s)
        share = min(1.0, self._elapsed_s / segment.duration_s) if segment.duration_s else 1.0
        done = self._steps - len(self._left) - 1
        self.fraction = max(self.fraction, (done + share) / self._steps)
        if self._elapsed_s >= segment.duration_s:
            self.gripping = segment.grip
            self._next_segment()

    def _brake(self, seconds: float) -> None:
        if self.moving:
            across = BRAKE_MM_S2 if self._braking_hard else ACROSS.acceleration_mm_s2
            down = BRAKE_MM_S2 if self._braking_hard else DOWN.acceleration_mm_s2
            self.across_mm, self.across_mm_s = braked(
                self.across_mm, self.across_mm_s, across, seconds
            )
            self.down_mm, self.down_mm_s = braked(self.down_mm, self.down_mm_s, down, seconds)
        if not self.moving and self._halting is not None:
            self._finish(self._halting)

    def _next_segment(self) -> None:
        self._elapsed_s = 0.0
        if not self._left:
            self._segment = None
            self.fraction = 1.0
            self._finish(SkillStatus.SUCCEEDED)
            return
        step = self._left.pop(0)
        self._segment = _Segment(
            Travel(self.across_mm, step.across_mm, ACROSS.speed_mm_s * step.speed,
                   ACROSS.acceleration_mm_s2),
            Travel(self.down_mm, step.down_mm, DOWN.speed_mm_s * step.speed,
                   DOWN.acceleration_mm_s2),
            step.grip,
            step.grip is not self.gripping,
        )  # fmt: skip

    def _finish(self, status: SkillStatus) -> None:
        self.status, self._halting = status, None
