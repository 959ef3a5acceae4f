"""From shop to problem: what is left out, what is fixed, what must wait."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from millhand.errors import ConfigError
from millhand_logistics.schedule.from_shop import floor_of
from millhand_logistics.schedule.propose import propose
from millhand_logistics.shop.reading import shop_text


def planned(text: str) -> dict[str, tuple[str, str, str]]:
    floor = floor_of(shop_text(text))
    plan = propose(floor.problem).plan
    return {
        f"{order}/{operation}": (
            floor.machines[plan.machine[i]],
            floor.moment(int(plan.start[i])).isoformat()[5:16],
            floor.moment(int(plan.end[i])).isoformat()[5:16],
        )
        for i, (order, operation) in enumerate(floor.keys)
    }


def test_plans_around_breakdown_material_and_shifts(shop_yaml: str) -> None:
    assert planned(shop_yaml) == {
        "A-1/turn": ("lathe_1", "11-25T06:30", "11-25T08:00"),
        # Stops for the broken spindle from 10:00 to 13:00, which is 09:00 to 12:00 UTC.
        "A-1/mill": ("mill", "11-25T08:00", "11-25T09:00"),
        # Its bars arrive on the next morning; the set-up for brass was done before.
        "B-1/turn": ("lathe_1", "11-26T07:00", "11-26T10:20"),
        "B-1/mill": ("mill", "11-26T10:20", "11-26T11:20"),
    }


def test_an_operation_stops_for_the_night_unless_it_must_not(shop_yaml: str) -> None:
    late = shop_yaml.replace("now: 2026-11-25T07:30", "now: 2026-11-25T21:00")
    found = planned(late)
    assert found["A-1/turn"] == ("lathe_1", "11-25T20:00", "11-26T05:30")
    whole = late.replace("family: steel, needs", "interruptible: false, family: steel, needs")
    assert planned(whole)["A-1/turn"] == ("lathe_1", "11-26T05:00", "11-26T06:30")


def test_what_is_held_is_left_out_with_the_reason(shop_yaml: str) -> None:
    held = shop_yaml + "lots: {L1: {hold: cracks in two of ten}}\n"
    floor = floor_of(shop_text(held))
    assert floor.left_out == {"A-1": "Lot L1 is held: cracks in two of ten"}
    assert {order for order, _ in floor.keys} == {"B-1"}


def test_what_lacks_material_is_left_out_the_urgent_order_served_first(shop_yaml: str) -> None:
    floor = floor_of(shop_text(shop_yaml.replace("quantity: 20", "quantity: 5")))
    assert floor.left_out == {"B-1": "turn lacks 1 m of bar."}


def test_started_work_stays_and_goes_on_through_a_breakdown(shop_yaml: str) -> None:
    started = shop_yaml.replace("now: 2026-11-25T07:30", "now: 2026-11-25T10:15").replace(
        "{id: mill, machine: mill, time: 60 min}",
        "{id: mill, machine: mill, time: 60 min, started: {machine: mill, at: 2026-11-25T09:30}}",
    ).replace(
        "needs: {bar: 8}}", "needs: {bar: 8}, finished: 2026-11-25T09:20}", 1
    )  # fmt: skip
    # Half an hour is left when the spindle runs again at 13:00.
    assert planned(started)["A-1/mill"] == ("mill", "11-25T08:30", "11-25T12:30")


def test_remaining_work_counts_from_now(shop_yaml: str) -> None:
    started = shop_yaml.replace(
        "{id: turn, machines: {lathe_1: 90 min, lathe_2: 120 min}, family: steel, needs: {bar: 8}}",
        "{id: turn, machine: lathe_1, time: 90 min, remaining: 40 min, "
        "started: {machine: lathe_1, at: 2026-11-24T20:00}}",
    )
    assert planned(started)["A-1/turn"] == ("lathe_1", "11-24T19:00", "11-25T07:10")


def test_a_pin_is_kept(shop_yaml: str) -> None:
    pinned = shop_yaml.replace(
        "machine: mill, time: 60 min}",
        "machine: mill, time: 60 min, pinned: {machine: mill, at: 2026-11-25T14:00}}",
        1,
    )
    assert planned(pinned)["A-1/mill"] == ("mill", "11-25T13:00", "11-25T14:00")


@pytest.mark.parametrize(
    ("at", "words"),
    [("2026-11-24T14:00", "has passed"), ("2026-11-25T08:00", "No plan keeps.*A-1/mill")],
)
def test_a_pin_that_cannot_be_kept_is_told(shop_yaml: str, at: str, words: str) -> None:
    pinned = shop_yaml.replace(
        "machine: mill, time: 60 min}",
        f"machine: mill, time: 60 min, pinned: {{machine: mill, at: {at}}}}}",
        1,
    )
    with pytest.raises(ConfigError, match=words):
        planned(pinned)


def test_pins_that_overlap_are_told(shop_yaml: str) -> None:
    at = "pinned: {machine: mill, at: 2026-11-26T15:00}}"
    text = shop_yaml.replace("machine: mill, time: 60 min}", f"machine: mill, time: 1 h, {at}")
    text = text.replace("interruptible: false}", at)
    with pytest.raises(ConfigError, match="A-1/mill and B-1/mill have places on mill that overlap"):
        planned(text)


def test_a_due_date_that_cannot_be_met_is_named(shop_yaml: str) -> None:
    floor = floor_of(shop_text(shop_yaml.replace("due: 2026-11-25T16:00", "due: 2026-11-25T09:00")))
    assert floor.hopeless == {"A-1": datetime(2026, 11, 25, 9, 0, tzinfo=UTC)}


def test_overdue_orders_are_late_by_all_of_their_delay(shop_yaml: str) -> None:
    floor = floor_of(shop_text(shop_yaml.replace("due: 2026-11-25T16:00", "due: 2026-11-23T09:00")))
    plan = propose(floor.problem).plan
    done = floor.moment(int(plan.end[floor.index("A-1", "mill")]))
    late_min = (done - datetime(2026, 11, 23, 8, 0, tzinfo=UTC)).total_seconds() / 60
    assert plan.tardiness == late_min * 2000


def test_nothing_to_plan_is_an_error(shop_yaml: str) -> None:
    text = shop_yaml.replace("lot: L1", "hold: x").replace("product: housing", "hold: x")
    with pytest.raises(ConfigError, match="nothing to plan"):
        floor_of(shop_text(text))
