"""The rules of orders, and what a simulated vehicle makes of them."""

from __future__ import annotations

from itertools import pairwise
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from millhand_vda5050.model import Action, ActionStatus, Blocking, Limits, Order
from millhand_vda5050.orders import Fate, defect
from millhand_vda5050.simulated.fleet import grid
from millhand_vda5050.simulated.vehicle import SimulatedVehicle
from millhand_vda5050.simulated.world import Character, World
from millhand_vda5050.skills import Misfit, OrderGoal, order_of, read_goal

LAYOUT = grid(6, 1)
PATH = [f"n{column}-0" for column in range(6)]


def order(order_id: str = "o1", update: int = 0, path: list[str] = PATH, **keys: Any) -> Order:
    return order_of(
        OrderGoal(order_id=order_id, update_id=update, path=path, **keys), LAYOUT, Limits()
    )


def vehicle(**keys: Any) -> SimulatedVehicle:
    return SimulatedVehicle("agv1", "n0-0", (0.0, 0.0), World(), **keys)


def run(one: SimulatedVehicle, seconds: float) -> None:
    for _ in range(int(seconds * 10)):
        one.step(0.1)


@given(st.integers(1, 6), st.integers(0, 6), st.integers(0, 50).map(lambda n: 2 * n))
def test_what_the_skill_makes_is_well_formed(nodes: int, released: int, first: int) -> None:
    goal = OrderGoal(order_id="o", path=PATH[:nodes], released=released, first_sequence=first)
    if released > nodes:
        with pytest.raises(Misfit):
            order_of(goal, LAYOUT, Limits())
        return
    made = order_of(goal, LAYOUT, Limits())
    assert defect(made) == ""
    assert len(made.base) == (released or nodes)
    assert [node.sequence_id for node in made.nodes] == [first + 2 * n for n in range(nodes)]


def _spoiled(whole: Order) -> dict[str, Order]:
    nodes, edges = whole.nodes, whole.edges
    wait = Action(action_type="wait", action_id="same")
    return {
        "no node": replace(whole, nodes=(), edges=()),
        "an edge missing": replace(whole, edges=edges[1:]),
        "odd start": replace(whole, nodes=(replace(nodes[0], sequence_id=1), *nodes[1:])),
        "a gap": replace(whole, nodes=(*nodes[:-1], replace(nodes[-1], sequence_id=99))),
        "edge sequence": replace(whole, edges=(replace(edges[0], sequence_id=3), *edges[1:])),
        "edge elsewhere": replace(whole, edges=(replace(edges[0], end="n4-0"), *edges[1:])),
        "start unreleased": replace(whole, nodes=(replace(nodes[0], released=False), *nodes[1:])),
        "hole in the base": replace(
            whole, nodes=(*nodes[:2], replace(nodes[2], released=False), *nodes[3:])
        ),
        "base ends on an edge": replace(
            whole, nodes=(*nodes[:-1], replace(nodes[-1], released=False))
        ),
        "an action twice": replace(
            whole,
            nodes=(
                replace(nodes[0], actions=(wait,)),
                replace(nodes[1], actions=(wait,)),
                *nodes[2:],
            ),
        ),
    }


@pytest.mark.parametrize("what", list(_spoiled(order())))
def test_a_spoiled_order_is_refused_and_changes_nothing(what: str) -> None:
    one = vehicle()
    spoiled = _spoiled(order())[what]
    assert defect(spoiled)
    ruling = one.take_order(spoiled)
    assert (ruling.fate, ruling.error) == (Fate.REJECTED, "validationError")
    state = one.state(0)
    assert (state.order_id, state.nodes) == ("", ())
    assert state.faults[0].references["orderId"] == "o1"


def test_an_order_is_driven_once_however_often_it_comes() -> None:
    one = vehicle()
    pick = order(action="pick", action_id="p1", load="box")
    for _ in range(3):
        one.take_order(pick)
    run(one, 5)
    one.take_order(pick)
    run(one, 60)
    one.take_order(pick)
    state = one.state(0)
    assert one.begun == [("o1", 0)]
    assert one.duplicates == 4
    assert one.executed == {"p1": 1}
    assert (state.last_node, state.last_sequence, state.idle) == ("n5-0", 10, True)
    assert state.loads == ("box",)
    assert one.travelled == pytest.approx(20.0)


def test_updates_join_at_the_end_of_the_base() -> None:
    one = vehicle()
    assert one.take_order(order(released=2)).fate is Fate.NEW
    run(one, 30)
    state = one.state(0)
    assert (state.last_node, state.idle, state.base_wanted) == ("n1-0", False, True)
    join = {"path": PATH[1:], "first_sequence": 2}
    assert (
        one.take_order(order(update=1, path=PATH[2:], first_sequence=4)).error == "orderUpdateError"
    )
    assert one.take_order(order(update=1, **join)).fate is Fate.UPDATE
    assert one.take_order(order(update=1, **join)).fate is Fate.DUPLICATE
    assert one.take_order(order(update=0)).error == "orderUpdateError"
    run(one, 60)
    assert one.state(0).last_node == "n5-0"
    assert one.travelled == pytest.approx(20.0)


def test_the_horizon_is_not_entered() -> None:
    one = vehicle()
    one.take_order(order(released=3))
    run(one, 100)
    assert one.at == "n2-0"
    assert one.travelled == pytest.approx(8.0)


def test_another_order_waits_for_the_end_and_begins_where_it_stands() -> None:
    one = vehicle()
    one.take_order(order(path=PATH[:3]))
    assert one.take_order(order("o2", path=PATH[2:])).error == "orderUpdateError"
    run(one, 60)
    assert one.take_order(order("o2", path=PATH[:2])).error == "noRouteError"
    assert one.take_order(order("o2", path=PATH[2:])).fate is Fate.NEW


def test_it_accelerates_brakes_and_stops_at_the_node() -> None:
    one = vehicle(character=Character(speed=2.0, acceleration=1.0))
    one.take_order(order())
    speeds = []
    for _ in range(200):
        one.step(0.1)
        speeds.append(one._speed)
    assert max(speeds) == pytest.approx(2.0)
    rises = [after - before for before, after in pairwise(speeds)]
    assert max(rises) <= 0.1 + 1e-9
    assert min(rises) >= -0.35
    # 20 m: 2 s up and 2 s down over 2 m each, 16 m at 2 m/s, is 12 s.
    assert 11 < sum(speed > 0 for speed in speeds) / 10 < 14


def test_cancel_pause_and_unknown_instant_actions() -> None:
    one = vehicle()
    one.take_order(order(action="pick"))
    run(one, 2)
    one.take_actions([Action(action_type="startPause", action_id="a")])
    run(one, 1)
    gone = one.travelled
    run(one, 5)
    assert one.travelled == gone
    one.take_actions([Action(action_type="stopPause", action_id="b")])
    run(one, 1)
    assert one.travelled > gone
    one.take_actions([Action(action_type="cancelOrder", action_id="c")] * 2)
    run(one, 2)
    state = one.state(0)
    assert state.idle
    status = {action.action_id: action.status for action in state.actions}
    assert status["c"] is ActionStatus.FINISHED
    assert status["o1/pick"] is ActionStatus.FAILED
    one.take_actions([Action(action_type="dance", action_id="d", blocking=Blocking.NONE)])
    assert one.state(0).actions[-1].status is ActionStatus.FAILED


def test_blocked_nodes_and_other_vehicles_are_waited_for() -> None:
    world = World()
    one = SimulatedVehicle("agv1", "n0-0", (0.0, 0.0), world)
    other = SimulatedVehicle("agv2", "n4-0", (16.0, 0.0), world)
    world.blocked.add("n2-0")
    one.take_order(order())
    run(one, 60)
    assert (one.at, world.conflicts) == ("n1-0", 0)
    assert one.state(0).faults[0].kind == "blocked"
    world.blocked.clear()
    run(one, 60)
    assert (one.at, world.conflicts) == ("n3-0", 1)
    other.take_order(order("o2", path=PATH[4:]))
    for _ in range(200):
        other.step(0.1)
    assert other.at == "n5-0"
    run(one, 60)
    assert one.at == "n4-0"


def test_an_empty_battery_stops_it_and_charging_fills_it() -> None:
    one = vehicle(charge=0.1)
    one.take_order(order())
    run(one, 60)
    state = one.state(0)
    assert (state.charge_percent, state.driving) == (0.0, False)
    assert any(fault.stops for fault in state.faults)
    other = vehicle(charge=50.0)
    other.take_order(order(path=PATH[:2], action="startCharging"))
    run(other, 30)
    assert other.state(0).charging
    assert other.charge > 55


@pytest.mark.parametrize(
    ("skill", "goal"),
    [
        ("fly", {}),
        ("order", {"order_id": "o"}),
        ("order", {"order_id": "", "path": ["n0-0"]}),
        ("order", {"order_id": "o", "path": []}),
        ("order", {"order_id": "o", "path": "n0-0"}),
        ("order", {"order_id": "o", "path": ["n0-0"], "update_id": -1}),
        ("order", {"order_id": "o", "path": ["n0-0"], "speed": 3}),
        ("order", {"order_id": "o", "path": [1]}),
        ("instant", {"action": "startPause"}),
    ],
)
def test_a_goal_that_does_not_fit_is_named(skill: str, goal: dict[str, Any]) -> None:
    with pytest.raises(Misfit):
        read_goal(skill, goal)


def test_layout_and_factsheet_bound_an_order() -> None:
    for path in (["nowhere"], ["n0-0", "n2-0"]):
        with pytest.raises(Misfit):
            order_of(OrderGoal(order_id="o", path=path), LAYOUT, Limits())
    goal = OrderGoal(order_id="order", path=PATH, action="pick")
    for limits in (
        Limits(max_nodes=5),
        Limits(max_edges=4),
        Limits(max_id_length=4),
        Limits(actions=frozenset({"drop"})),
        Limits(max_actions_per_node=0),
    ):
        with pytest.raises(Misfit):
            order_of(goal, LAYOUT, limits)
