"""What fleet control believes: lost, repeated, late, false."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from millhand_vda5050.dialects import dialect, seconds_of
from millhand_vda5050.dialects.base import Header
from millhand_vda5050.model import (
    Action,
    ActionState,
    ActionStatus,
    Ahead,
    Edge,
    Fault,
    Limits,
    Node,
    OperatingMode,
    Order,
    Position,
    Presence,
    VehicleState,
)
from millhand_vda5050.tracking import Counter, Track
from millhand_vda5050.wire.codec import Version

SECOND = 10**9
HEADER = Header(header_id=7, manufacturer="m", serial="s")


def state(header_id: int = 0, **keys: Any) -> VehicleState:
    standing = VehicleState(
        header_id=header_id,
        sent_utc_ns=header_id * SECOND,
        order_id="",
        update_id=0,
        last_node="a",
        last_sequence=0,
        driving=False,
        mode=OperatingMode.AUTOMATIC,
        charge_percent=50.0,
        charging=False,
        position=Position(x=0.0, y=0.0, map_id="m"),
    )
    return replace(standing, **keys)


def order(order_id: str = "o", update: int = 0, released: int = 3) -> Order:
    names = "abcde"
    return Order(
        order_id=order_id,
        update_id=update,
        nodes=tuple(
            Node(node_id=name, sequence_id=2 * i, released=i < released)
            for i, name in enumerate(names)
        ),
        edges=tuple(
            Edge(
                edge_id=f"{i}",
                sequence_id=2 * i + 1,
                released=i + 1 < released,
                start=names[i],
                end=names[i + 1],
            )
            for i in range(4)
        ),
    )


def test_lost_repeated_and_late_states_are_counted_and_only_news_is_taken() -> None:
    track = Track("agv1")
    taken = [track.told(state(number), number * SECOND) for number in (5, 6, 6, 9, 7, 10)]
    assert taken == [True, True, False, True, False, True]
    counter = track.counter
    assert (counter.lost, counter.repeated, counter.late) == (2, 1, 1)
    assert track.state is not None
    assert track.state.header_id == 10


def test_a_count_that_began_anew_is_a_restart_and_one_that_wraps_is_none() -> None:
    counter = Counter()
    assert counter.take(1000, 5 * SECOND)
    assert counter.take(0, 6 * SECOND)
    assert (counter.restarts, counter.late) == (1, 0)
    assert not counter.take(900, 5 * SECOND - 1) or counter.lost
    wrapping = Counter()
    assert wrapping.take(2**32 - 1, 1)
    assert wrapping.take(0, 2)
    assert (wrapping.lost, wrapping.restarts) == (0, 0)


@given(st.lists(st.integers(0, 60), min_size=1, max_size=60))
def test_no_state_older_than_the_one_known_is_taken(numbers: list[int]) -> None:
    track, newest = Track("agv1"), -1
    for number in numbers:
        news = track.told(state(number), SECOND)
        assert news is (number > newest)
        newest = max(newest, number)
    counter = track.counter
    assert counter.repeated + counter.late + len(set(numbers)) >= len(numbers) - counter.late


def test_presence_and_silence_decide_whether_it_is_there() -> None:
    track = Track("agv1")
    assert not track.online(0, SECOND)
    track.told(state(0), 0)
    assert track.online(SECOND - 1, SECOND)
    assert not track.online(SECOND, SECOND)
    for presence, there in (
        (Presence.ONLINE, True),
        (Presence.OFFLINE, False),
        (Presence.BROKEN, False),
        (Presence.HIBERNATING, True),
    ):
        track.connected(presence)
        assert track.online(0, SECOND) is there
    assert track.online(10 * SECOND, SECOND)


def test_an_honest_ride_raises_no_doubt() -> None:
    track = Track("agv1")
    track.told(state(0), 0)
    track.sent(order())
    driving = {"order_id": "o", "driving": True}
    for number, (node, sequence) in enumerate([("a", 0), ("b", 2), ("c", 4)], start=1):
        track.told(
            state(
                number,
                last_node=node,
                last_sequence=sequence,
                position=Position(x=4.0 * number, y=0.0, map_id="m"),
                **driving,
            ),
            4 * number * SECOND,
        )
    track.sent(
        replace(
            order(update=1, released=5),
            nodes=order(released=5).nodes[2:],
            edges=order(released=5).edges[2:],
        )
    )
    track.told(state(5, last_node="e", last_sequence=8, **driving, update_id=1), 90 * SECOND)
    assert track.doubts == {}


@pytest.mark.parametrize(
    ("kind", "lie"),
    [
        ("order", {"order_id": "nobody's"}),
        ("sequence", {"last_sequence": 0, "last_node": "a"}),
        ("node", {"last_node": "x"}),
        ("base", {"last_sequence": 6, "last_node": "d"}),
        ("update", {"update_id": 3}),
        ("position", {"position": Position(x=500.0, y=0.0, map_id="m")}),
        ("battery", {"charge_percent": 95.0}),
    ],
)
def test_each_lie_is_doubted_by_name_until_a_person_forgives(
    kind: str, lie: dict[str, Any]
) -> None:
    track = Track("agv1")
    track.told(state(0), 0)
    track.sent(order())
    honest = {"order_id": "o", "last_node": "b", "last_sequence": 2}
    track.told(state(1, **honest), SECOND)
    assert track.doubts == {}
    track.told(state(2, **{**honest, **lie}), 2 * SECOND)
    assert list(track.doubts) == [kind]
    track.told(state(3, **{**honest, **lie}), 3 * SECOND)
    assert kind in track.doubts
    track.forgive()
    assert track.doubts == {}


def test_what_it_had_before_we_came_is_no_lie() -> None:
    track = Track("agv1")
    track.told(state(0, order_id="of the day before"), 0)
    track.told(state(1, order_id="of the day before", last_node="b"), SECOND)
    assert track.doubts == {}


# --- every message of the model is one of the schema, and comes back as it was ---

NAMES = st.text(st.characters(exclude_categories=("Cs",)), min_size=1, max_size=8)
NUMBERS = st.floats(-1e4, 1e4, allow_nan=False)
ACTIONS = st.builds(
    Action,
    action_type=NAMES,
    action_id=NAMES,
    parameters=st.dictionaries(NAMES, st.booleans() | NAMES | NUMBERS, max_size=2),
)
STATES = st.builds(
    VehicleState,
    header_id=st.integers(0, 2**32 - 1),
    order_id=NAMES,
    update_id=st.integers(0, 9),
    last_node=NAMES,
    last_sequence=st.integers(0, 99),
    driving=st.booleans(),
    paused=st.booleans(),
    base_wanted=st.booleans(),
    mode=st.sampled_from(["AUTOMATIC", "SEMIAUTOMATIC", "MANUAL", "SERVICE", "TEACHIN"]).map(
        OperatingMode
    ),
    nodes=st.lists(st.builds(Ahead, NAMES, st.integers(0, 99), st.booleans()), max_size=3).map(
        tuple
    ),
    edges=st.lists(st.builds(Ahead, NAMES, st.integers(0, 99), st.booleans()), max_size=3).map(
        tuple
    ),
    actions=st.lists(
        st.builds(
            ActionState,
            action_id=NAMES,
            action_type=NAMES,
            status=st.sampled_from(["WAITING", "RUNNING", "FINISHED", "FAILED"]).map(ActionStatus),
        ),
        max_size=3,
    ).map(tuple),
    position=st.none()
    | st.builds(Position, x=NUMBERS, y=NUMBERS, theta=st.floats(-3, 3), map_id=NAMES),
    loads=st.lists(NAMES, max_size=2).map(tuple),
    charge_percent=st.floats(0, 100),
    charging=st.booleans(),
    faults=st.lists(
        st.builds(
            Fault,
            kind=NAMES,
            level=st.sampled_from(["WARNING", "FATAL"]),
            references=st.dictionaries(NAMES, NAMES, max_size=2),
        ),
        max_size=2,
    ).map(tuple),
    emergency_stop=st.booleans(),
    field_violation=st.booleans(),
)


@given(STATES, st.sampled_from(Version))
def test_a_state_survives_the_wire(told: VehicleState, version: Version) -> None:
    speaks = dialect(version)
    header = replace(HEADER, header_id=told.header_id, timestamp="2026-11-25T02:10:00.123Z")
    read = speaks.read_state(speaks.state(header, told))
    assert read == replace(told, sent_utc_ns=seconds_of(header.timestamp))
    assert speaks.visualization(header, told)


@given(st.lists(ACTIONS, max_size=3, unique_by=lambda one: one.action_id), st.sampled_from(Version))
def test_orders_and_actions_survive_the_wire(actions: list[Action], version: Version) -> None:
    speaks = dialect(version)
    whole = order()
    whole = replace(
        whole, nodes=(replace(whole.nodes[0], actions=tuple(actions)), *whole.nodes[1:])
    )
    header, read = speaks.read_order(speaks.order(HEADER, whole))
    assert (read, header.serial, header.header_id) == (whole, "s", 7)
    _, listed = speaks.read_instant_actions(speaks.instant_actions(HEADER, actions))
    assert [one.action_id for one in listed] == [one.action_id for one in actions]


@pytest.mark.parametrize("version", Version)
def test_connection_and_factsheet_survive_the_wire(version: Version) -> None:
    speaks = dialect(version)
    for presence in (Presence.ONLINE, Presence.OFFLINE, Presence.BROKEN):
        assert speaks.read_connection(speaks.connection(HEADER, presence))[1] is presence
    limits = Limits(
        actions=frozenset({"pick"}), max_nodes=9, max_edges=8, max_actions_per_node=2,
        max_id_length=40, speed_max=1.5, load_max=800.0,
    )  # fmt: skip
    assert speaks.read_factsheet(speaks.factsheet(HEADER, limits)) == limits
