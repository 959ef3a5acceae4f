"""The gantry's motion, without a clock: within its limits, to its goal, and to a halt."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from millhand.contracts import SkillStatus
from millhand_simulated.gantry.kinematics import Travel, braked
from millhand_simulated.gantry.machine import Gantry
from millhand_simulated.gantry.skills import ACROSS, BINS_MM, BRAKE_MM_S2, GoalRefused

POSITIONS = st.floats(0, 900)
STEP_S = 0.01


@given(st.tuples(POSITIONS, POSITIONS), st.floats(1, 500), st.floats(10, 5000), st.floats(0, 1))
def test_an_axis_keeps_to_its_limits_and_arrives(
    ends: tuple[float, float], speed: float, acceleration: float, share: float
) -> None:
    travel = Travel(*ends, speed, acceleration)
    at, velocity = travel.at(share * travel.duration_s)
    assert min(ends) - 1e-6 <= at <= max(ends) + 1e-6
    assert abs(velocity) <= speed * (1 + 1e-9)
    before, _ = travel.at(max(0.0, share * travel.duration_s - STEP_S))
    assert abs(at - before) <= speed * STEP_S + 1e-6
    assert travel.at(travel.duration_s) == (ends[1], 0.0)


@given(st.floats(-400, 400))
def test_braking_ends_within_the_braking_distance(velocity: float) -> None:
    at, left = 0.0, velocity
    for _ in range(100):
        at, left = braked(at, left, BRAKE_MM_S2, STEP_S)
    assert left == 0
    assert abs(at) == pytest.approx(velocity**2 / (2 * BRAKE_MM_S2), abs=1e-6)


def run(gantry: Gantry, seconds: float) -> None:
    for _ in range(round(seconds / STEP_S)):
        gantry.advance(STEP_S)


def test_a_part_goes_from_the_belt_into_its_bin() -> None:
    gantry = Gantry()
    gantry.begin("reject_part", {"across_mm": 300.0, "bin": 2})
    gripped_at, dropped_at = None, None
    while gantry.busy:
        before = gantry.gripping
        gantry.advance(STEP_S)
        if gantry.gripping and not before:
            gripped_at = (gantry.across_mm, gantry.down_mm)
        if before and not gantry.gripping:
            dropped_at = gantry.across_mm
    assert gantry.status is SkillStatus.SUCCEEDED
    assert gripped_at == (300.0, 260.0)
    assert dropped_at == BINS_MM[2]
    assert gantry.down_mm == 0


@pytest.mark.parametrize("status", [SkillStatus.STOPPED, SkillStatus.CANCELLED])
def test_a_halt_comes_to_rest_and_only_then_ends_the_skill(status: SkillStatus) -> None:
    gantry = Gantry()
    gantry.begin("move_to", {"across_mm": 900.0})
    run(gantry, 1.0)
    assert gantry.across_mm_s == pytest.approx(ACROSS.speed_mm_s)
    gantry.halt(status)
    assert (gantry.status, gantry.moving) == (None, True)
    run(gantry, 0.5)
    assert (gantry.status, gantry.moving) == (status, False)
    assert gantry.across_mm < 900


def test_a_stop_makes_a_cancel_harder_and_never_softer() -> None:
    def distance(*halts: SkillStatus) -> float:
        gantry = Gantry()
        gantry.begin("move_to", {"across_mm": 900.0})
        run(gantry, 1.0)
        start = gantry.across_mm
        for halt in halts:
            gantry.halt(halt)
        run(gantry, 1.0)
        return gantry.across_mm - start

    stop, cancel = SkillStatus.STOPPED, SkillStatus.CANCELLED
    assert distance(stop) < distance(cancel)
    assert distance(cancel, stop) == distance(stop, cancel) == distance(stop)


def test_one_skill_at_a_time() -> None:
    gantry = Gantry()
    gantry.begin("home", {})
    with pytest.raises(GoalRefused):
        gantry.begin("home", {})
