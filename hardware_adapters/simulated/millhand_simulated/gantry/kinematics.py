"""How an axis gets from here to there: trapezoidal velocity, bounded in speed and acceleration."""

from __future__ import annotations

import math
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Axis:
    """Limits of one axis, in mm and seconds."""

    least_mm: float
    greatest_mm: float
    speed_mm_s: float
    acceleration_mm_s2: float

    def reaches(self, at_mm: float) -> bool:
        """Whether a position lies within the travel."""
        return self.least_mm <= at_mm <= self.greatest_mm


@dataclass(frozen=True, slots=True)
class Travel:
    """A move of one axis from rest to rest with a trapezoidal (or triangular) velocity profile.

    See for instance Lynch and Park, *Modern Robotics*, 2017, section 9.2.2.2.
    """

    start_mm: float
    goal_mm: float
    speed_mm_s: float
    acceleration_mm_s2: float

    @property
    def duration_s(self) -> float:
        """How long it takes."""
        ramp_s, cruise_s = self._phases()
        return 2 * ramp_s + cruise_s

    def at(self, seconds: float) -> tuple[float, float]:
        """Return position (mm) and velocity (mm/s) after ``seconds``."""
        ramp_s, cruise_s = self._phases()
        total_s = 2 * ramp_s + cruise_s
        if seconds >= total_s:
            return self.goal_mm, 0.0
        sign = math.copysign(1.0, self.goal_mm - self.start_mm)
        peak = ramp_s * self.acceleration_mm_s2
        if seconds < ramp_s:
            done = 0.5 * self.acceleration_mm_s2 * seconds**2
            velocity = self.acceleration_mm_s2 * seconds
        elif seconds < ramp_s + cruise_s:
            done = 0.5 * peak * ramp_s + peak * (seconds - ramp_s)
            velocity = peak
        else:
            left_s = total_s - seconds
            done = abs(self.goal_mm - self.start_mm) - 0.5 * self.acceleration_mm_s2 * left_s**2
            velocity = self.acceleration_mm_s2 * left_s
        return self.start_mm + sign * done, sign * velocity

    def _phases(self) -> tuple[float, float]:
        """Return the seconds of ramping up (and down), and of cruising."""
        distance = abs(self.goal_mm - self.start_mm)
        ramp_s = self.speed_mm_s / self.acceleration_mm_s2
        if distance < self.speed_mm_s * ramp_s:
            return math.sqrt(distance / self.acceleration_mm_s2), 0.0
        return ramp_s, distance / self.speed_mm_s - ramp_s


def braked(
    position_mm: float, velocity_mm_s: float, deceleration_mm_s2: float, seconds: float
) -> tuple[float, float]:
    """Return position and velocity after braking for ``seconds``."""
    sign = math.copysign(1.0, velocity_mm_s)
    slower = abs(velocity_mm_s) - deceleration_mm_s2 * seconds
    if slower <= 0:
        distance = velocity_mm_s**2 / (2 * deceleration_mm_s2)
        return position_mm + sign * distance, 0.0
    mean = (abs(velocity_mm_s) + slower) / 2
    return position_mm + sign * mean * seconds, sign * slower
