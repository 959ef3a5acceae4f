"""Re-planning: never worse than right-shift, nothing frozen moves, no more moves than allowed."""

from __future__ import annotations

from datetime import UTC, datetime

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from millhand_logistics.schedule.check import faults
from millhand_logistics.schedule.distil.random_shops import everyday
from millhand_logistics.schedule.from_shop import Floor, floor_of
from millhand_logistics.schedule.policy import Policy
from millhand_logistics.schedule.problem import Problem
from millhand_logistics.schedule.propose import Effort, propose
from millhand_logistics.schedule.replan import Calm, Replan, places_of, replan
from millhand_logistics.schedule.what_if import breakdown
from millhand_logistics.shop.reading import shop_text


def floor_from(problem: Problem, now: int) -> Floor:
    return Floor(
        problem=problem,
        keys=tuple((problem.orders[o.order].name, o.name) for o in problem.operations),
        machines=tuple(m.name for m in problem.machines),
        origin=datetime(2026, 11, 25, tzinfo=UTC),
        now=now,
        tick_s=60.0,
    )


def disturbed(seed: int, calm: Calm, effort: Effort | None = None) -> tuple[Floor, Replan]:
    problem = everyday(seed)
    plan = propose(problem).plan
    draw = np.random.default_rng(seed)
    at = int(plan.makespan * draw.uniform(0.05, 0.6))
    machine = int(plan.machine[int(draw.integers(len(plan.machine)))])
    now = breakdown(problem, plan, machine, at, int(draw.integers(30, 600)))
    floor = floor_from(now, at)
    before = places_of(floor_from(problem, 0), plan)
    return floor, replan(floor, before, calm, effort or Effort(samples=4), Policy.untrained(1))


@settings(max_examples=60, deadline=None)
@given(
    st.integers(0, 100_000),
    st.sampled_from([0, 60, 240]),
    st.sampled_from([0, 480, 100_000]),
    st.sampled_from([None, 0, 1, 5]),
)
def test_calm_and_never_worse_than_right_shift(
    seed: int, frozen: int, promised: int, most: int | None
) -> None:
    floor, found = disturbed(seed, Calm(frozen=frozen, promised=promised, most_moves=most))
    assert faults(found.problem, found.plan) == []
    assert found.plan.cost <= found.right_shift.cost
    if most is not None:
        assert found.turned <= most
    for i in found.frozen:
        place = found.before[floor.keys[i]]
        assert (int(found.plan.machine[i]), int(found.plan.start[i]), int(found.plan.end[i])) == (
            place.machine,
            place.begin,
            place.end,
        )
        assert floor.now <= place.begin < floor.now + frozen


@settings(max_examples=30, deadline=None)
@given(st.integers(0, 100_000))
def test_every_change_is_listed_once_with_a_reason(seed: int) -> None:
    floor, found = disturbed(seed, Calm())
    listed = {(move.order, move.operation): move for move in found.moves}
    assert len(listed) == len(found.moves)
    for i, key in enumerate(floor.keys):
        place = found.before[key]
        same = (place.machine, place.begin) == (found.plan.machine[i], found.plan.start[i])
        begun = floor.problem.operations[i].fixed is not None
        assert (key in listed) == (not same and not begun)
    assert all(move.why for move in found.moves)


def test_a_breakdown_in_a_shop_is_told_in_words(shop_yaml: str) -> None:
    shop = shop_text(shop_yaml)
    floor = floor_of(shop)
    before = places_of(floor, propose(floor.problem).plan)
    down = shop_yaml.replace(
        "lathe_1: {calendar: two_shifts, family: steel}",
        "lathe_1: {calendar: two_shifts, family: steel, "
        "down: [{from: 2026-11-25T07:30, to: 2026-11-25T12:00, why: belt}]}",
    )
    now = floor_of(shop_text(down))
    found = replan(now, before)
    told = {(m.operation, m.from_machine, m.to_machine): m.why for m in found.moves}
    assert told["turn", "lathe_1", "lathe_2"].startswith("lathe_1 does not work then")
    assert told["mill", "mill", "mill"] == "waits for A-1/turn"


def test_with_no_moves_allowed_turns_stay() -> None:
    loose, calm = (
        disturbed(29, Calm(promised=100_000, most_moves=most), Effort(samples=16))[1]
        for most in (None, 0)
    )
    assert loose.turned > 0
    assert calm.turned == 0
    assert loose.plan.cost < calm.plan.cost
    assert calm.too_nervous


@pytest.mark.parametrize("whole", [False, True])
def test_work_under_way_goes_on_after_the_breakdown(whole: bool) -> None:
    problem = everyday(3)
    plan = propose(problem).plan
    o = next(
        i for i, op in enumerate(problem.operations) if op.whole is whole and plan.start[i] > 0
    )
    at = int(plan.start[o]) + 1
    now = breakdown(problem, plan, int(plan.machine[o]), at, 120)
    fixed = now.operations[o].fixed
    assert fixed is not None
    assert fixed.end == int(plan.end[o]) + 120
