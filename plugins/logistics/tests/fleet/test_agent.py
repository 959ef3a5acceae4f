"""The agent: columns in, one skill for all out, its memory small, its answers repeatable."""

from __future__ import annotations

import json
import random
from pathlib import Path
from typing import Any

import msgspec
import pytest
from pydantic import ValidationError

from millhand.contracts import (
    CustomEvent,
    Decision,
    Event,
    EventArrived,
    Highlight,
    Mode,
    Observation,
    PerformSkill,
    Quality,
    Sample,
    TimerTick,
    WriteTag,
)
from millhand.errors import ConfigError
from millhand_logistics.fleet.agent import COLUMNS, FleetAgent, read_vehicles
from millhand_logistics.fleet.config import FleetConfig
from millhand_logistics.fleet.memory import from_memory, to_memory
from millhand_logistics.fleet.state import Book, Job, Plan, Stage


def layout(folder: Path, columns: int = 6, rows: int = 3) -> Path:
    nodes = {f"{x}-{y}": {"x": 4 * x, "y": 4 * y} for x in range(columns) for y in range(rows)}
    edges = [
        {"from": f"{x}-{y}", "to": f"{u}-{v}"}
        for x in range(columns)
        for y in range(rows)
        for u, v in ((x + 1, y), (x, y + 1))
        if u < columns and v < rows
    ]
    file = folder / "layout.json"
    file.write_text(json.dumps({"map": "m", "nodes": nodes, "edges": edges}))
    return file


def agent(folder: Path, **keys: Any) -> FleetAgent:
    return FleetAgent(FleetConfig.model_validate({"layout": layout(folder), **keys}))


def row(name: str, node: str, **keys: Any) -> dict[str, Any]:
    standing = {
        "name": name, "online": True, "node": node, "sequence": 0, "order": "", "update": 0,
        "idle": True, "charge": 90.0, "charging": False, "mode": "AUTOMATIC", "paused": False,
        "fatal": False, "emergency": False, "doubt": "",
    }  # fmt: skip
    return {**standing, **keys}


def samples(*rows: dict[str, Any]) -> dict[str, Sample]:
    return {
        role: Sample(
            tag=role,
            value=[one[role] for one in rows],
            quality=Quality.GOOD,
            received_utc_ns=0,
            received_monotonic_ns=0,
        )
        for role in COLUMNS
    }


def look(
    one: FleetAgent, seen: dict[str, Sample], memory: Any = None, event: Any = None
) -> Decision:
    trigger: Any = TimerTick(source="every 1 s", count=1, due_utc_ns=0, due_monotonic_ns=0)
    if event is not None:
        whole = Event(id="e", producer="planner", mode=Mode.CONTROL, at_utc_ns=0, body=event)
        trigger = EventArrived(source="event custom/1", event=whole, entry_seq=1)
    return one.decide(
        Observation(
            id="hall.1.1", agent="fleet", trigger=trigger, samples=seen, memory=memory or {}
        ),
        {},
    )


def transport(**data: Any) -> CustomEvent:
    return CustomEvent(name="logistics.transport", data=data)


def goals(decision: Decision) -> list[dict[str, Any]]:
    (action,) = [one for one in decision.actions if isinstance(one, PerformSkill)]
    assert (action.to, action.skill) == ("orders", "orders")
    texts = action.goal["orders"]
    assert isinstance(texts, list)
    return [json.loads(str(text)) for text in texts]


def test_a_transport_is_given_picked_dropped_and_told_of(tmp_path: Path) -> None:
    one = agent(tmp_path)
    ask = transport(id="t1", pick="1-0", drop="2-0")
    first = look(one, samples(row("a", "0-0"), row("b", "5-2")), event=ask)
    (goal,) = goals(first)
    assert goal["vehicle"] == "a"
    assert goal["path"] == ["0-0", "1-0"]
    assert (goal["action"], goal["load"], goal["update_id"]) == ("pick", "t1", 0)
    assert "t1 to a" in first.reason
    (explained,) = first.explanations
    assert isinstance(explained, Highlight)
    assert "t1" in str(explained.fields["a"])
    at_pick = row("a", "1-0", order=goal["order_id"], sequence=2)
    second = look(one, samples(at_pick, row("b", "5-2")), first.memory)
    (goal,) = goals(second)
    assert (goal["path"], goal["action"]) == (["1-0", "2-0"], "drop")
    at_drop = row("a", "2-0", order=goal["order_id"], sequence=2)
    third = look(one, samples(at_drop, row("b", "5-2")), second.memory)
    assert third.actions == ()
    (event,) = third.events
    assert isinstance(event, CustomEvent)
    assert (event.name, event.data) == ("logistics.transport_done", {"id": "t1", "vehicle": "a"})
    assert "0 transport orders open" in third.reason


def test_the_same_observation_has_the_same_answer(tmp_path: Path) -> None:
    seen, ask = samples(row("a", "0-0"), row("b", "5-2")), transport(id="t", pick="1-0", drop="2-0")
    answers = [look(agent(tmp_path), seen, event=ask) for _ in range(2)]
    assert msgspec.json.encode(answers[0]) == msgspec.json.encode(answers[1])


def test_what_is_not_shown_is_asked_again_under_the_same_ids(tmp_path: Path) -> None:
    one, seen = agent(tmp_path), samples(row("a", "0-0"))
    first = look(one, seen, event=transport(id="t", pick="4-0", drop="0-0"))
    again = look(one, seen, first.memory)
    assert goals(first) == goals(again)


@pytest.mark.parametrize(
    ("data", "why"),
    [
        ({"id": "", "pick": "0-0", "drop": "1-0"}, "id"),
        ({"id": "t", "pick": "0-0"}, "no node"),
        ({"id": "t", "pick": "moon", "drop": "1-0"}, "moon"),
        ({"id": "x" * 101, "pick": "0-0", "drop": "1-0"}, "id"),
    ],
)
def test_a_wrong_transport_is_refused_and_changes_nothing(
    tmp_path: Path, data: dict[str, Any], why: str
) -> None:
    one, seen = agent(tmp_path), samples(row("a", "0-0"))
    before = look(one, seen, event=transport(id="good", pick="1-0", drop="2-0"))
    after = look(one, seen, before.memory, transport(**data))
    (event,) = after.events
    assert isinstance(event, CustomEvent)
    assert event.name == "logistics.transport_refused"
    assert why in str(event.data["reason"])
    assert list(from_memory(after.memory or {}, "").jobs) == ["good"]


def test_twice_the_same_transport_and_too_many_are_refused(tmp_path: Path) -> None:
    one, seen = agent(tmp_path, most_jobs=2), samples(row("a", "0-0"))
    memory: Any = {}
    for number, refused in ((1, False), (1, True), (2, False), (3, True)):
        ask = transport(id=f"t{number}", pick="1-0", drop="2-0")
        answer = look(one, seen, memory, ask)
        assert bool(answer.events) is refused
        memory = answer.memory


def test_another_event_is_none_of_its_business(tmp_path: Path) -> None:
    answer = look(agent(tmp_path), samples(row("a", "0-0")), event=CustomEvent(name="acme.other"))
    assert (answer.actions, answer.memory) == ((), None)


def test_blind_it_asks_for_nothing_and_forgets_nothing(tmp_path: Path) -> None:
    one = agent(tmp_path)
    seen = samples(row("a", "0-0"))
    first = look(one, seen, event=transport(id="t", pick="4-0", drop="0-0"))
    lost = dict(seen)
    lost["node"] = msgspec.structs.replace(seen["node"], quality=Quality.DISCONNECTED, note="away")
    blind = look(one, lost, first.memory, transport(id="u", pick="1-0", drop="2-0"))
    assert blind.actions == ()
    assert "away" in blind.reason
    assert set(from_memory(blind.memory or {}, "").jobs) == {"t", "u"}


@pytest.mark.parametrize(
    "trouble",
    [
        {"online": False},
        {"mode": "MANUAL"},
        {"paused": True},
        {"fatal": True},
        {"emergency": True},
        {"doubt": "jumped"},
        {"node": None},
        {"node": ""},
    ],
)
def test_only_who_can_drive_is_given_anything(tmp_path: Path, trouble: dict[str, Any]) -> None:
    seen = samples({**row("a", "0-0"), **trouble}, row("b", "5-2"))
    (goal,) = goals(look(agent(tmp_path), seen, event=transport(id="t", pick="1-0", drop="2-0")))
    assert goal["vehicle"] == "b"


def test_columns_of_different_lengths_are_no_fleet() -> None:
    seen = samples(row("a", "0-0"), row("b", "5-2"))
    seen["node"] = msgspec.structs.replace(seen["node"], value=["0-0"])
    assert read_vehicles(seen)[0] == {}


def test_the_memory_of_a_hundred_vehicles_and_jobs_fits() -> None:
    book, rng = Book("fleet-abcdef-", 12345), random.Random(1)
    nodes = [f"n{x}-{y}" for x in range(20) for y in range(20)]
    for number in range(100):
        job = Job(f"job-{number:05d}", *rng.sample(nodes, 2), 1, f"agv{number:03d}", waited=123)
        book.jobs[job.id] = job
        book.plans[f"agv{number:03d}"] = Plan(
            f"fleet-abcdef-{12000 + number}", 31, 124, job.drop, Stage.DROP, job.id,
            rng.sample(nodes, 4), 2, 5, 1,
        )  # fmt: skip
    memory = to_memory(book)
    assert from_memory(memory, "other-") == book
    assert len(msgspec.json.encode(memory)) < 16 * 1024


@pytest.mark.parametrize(
    "keys",
    [
        {"chargers": ["moon"]},
        {"blocked": ["moon"]},
        {"charge_below": 60.0},
        {"look_ahead": 0},
        {"layout": "nowhere.json"},
    ],
)
def test_a_wrong_configuration_is_refused(tmp_path: Path, keys: dict[str, Any]) -> None:
    with pytest.raises((ValidationError, ConfigError)):
        agent(tmp_path, **keys)


def test_a_broken_layout_is_refused_by_name(tmp_path: Path) -> None:
    for text in (
        "{",
        "[]",
        '{"nodes": {}, "edges": [{"from": "a", "to": "b"}]}',
        '{"nodes": {"a": {"x": 1}}, "edges": []}',
    ):
        file = tmp_path / "bad.json"
        file.write_text(text)
        with pytest.raises(ConfigError, match=r"bad\.json"):
            FleetConfig(layout=file).roads()


# --- a shop's list ---


def listed(seen: dict[str, Sample], *rows: list[Any], text: str | None = None) -> dict[str, Sample]:
    value = json.dumps({"transports": rows}) if text is None else text
    sample = msgspec.structs.replace(seen["name"], tag="wanted", value=value)
    return {**seen, "wanted": sample}


def told(decision: Decision) -> dict[str, Any] | None:
    texts = [one.value for one in decision.actions if isinstance(one, WriteTag)]
    return json.loads(str(texts[0])) if texts else None


def test_a_shops_list_is_taken_in_once_and_answered_until_the_shop_has_heard(
    tmp_path: Path,
) -> None:
    one, ask = agent(tmp_path, wanted=True), ["A.1", "0-0", "1-0"]
    first = look(one, listed(samples(row("a", "0-0")), ask))
    assert told(first) is None
    assert list(from_memory(first.memory or {}, "").jobs) == ["A.1"]
    order = goals(first)[0]["order_id"]
    picked = look(one, listed(samples(row("a", "0-0", order=order)), ask), first.memory)
    order = goals(picked)[0]["order_id"]
    there = row("a", "1-0", order=order, sequence=2)
    done = look(one, listed(samples(there), ask), picked.memory)
    assert told(done) == {"delivered": ["A.1"], "refused": {}}
    again = look(one, listed(samples(there), ask), done.memory)
    assert told(again) == told(done), "the shop has not heard it yet"
    assert not from_memory(again.memory or {}, "").jobs, "what is done is not begun again"
    heard = look(one, listed(samples(there)), again.memory)
    assert told(heard) is None
    assert not from_memory(heard.memory or {}, "").answered


def test_what_a_shop_cannot_have_is_refused_once_in_an_event_and_in_every_answer(
    tmp_path: Path,
) -> None:
    one, ask = agent(tmp_path, wanted=True), ["A.1", "saw", "1-0"]
    seen = listed(samples(row("a", "0-0")), ask)
    first = look(one, seen)
    again = look(one, seen, first.memory)
    assert [len(each.events) for each in (first, again)] == [1, 0]
    for each in (first, again):
        assert told(each) == {"delivered": [], "refused": {"A.1": "the layout has no node 'saw'"}}


def test_a_full_book_takes_the_rest_of_a_list_later(tmp_path: Path) -> None:
    one = agent(tmp_path, wanted=True, most_jobs=1)
    seen = listed(samples(row("a", "0-0")), ["A.1", "1-0", "2-0"], ["B.1", "1-0", "2-0"])
    first = look(one, seen)
    assert list(from_memory(first.memory or {}, "").jobs) == ["A.1"]
    assert told(first) is None


@pytest.mark.parametrize(
    "text",
    [
        "{",
        "[]",
        '{"transport": []}',
        '{"transports": [["A"]]}',
        '{"transports": [["A", 1, 2]]}',
        '{"transports": [["A", "0-0", "1-0"], ["A", "0-0", "1-0"]]}',
    ],
)
def test_a_list_that_makes_no_sense_stops_nothing_that_was_begun(tmp_path: Path, text: str) -> None:
    one = agent(tmp_path, wanted=True)
    seen = samples(row("a", "0-0"))
    first = look(one, listed(seen, ["A.1", "1-0", "2-0"]))
    blind = look(one, listed(seen, text=text), first.memory)
    assert "list of transports makes no sense" in blind.reason
    assert goals(blind) == goals(first)
    lost = listed(seen)
    lost["wanted"] = msgspec.structs.replace(lost["wanted"], quality=Quality.BAD)
    assert "cannot be read" in look(one, lost, first.memory).reason
