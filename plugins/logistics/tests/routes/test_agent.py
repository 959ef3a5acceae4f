"""The agent: a day arrives, later the same day on the road; the routes so far are kept."""

from __future__ import annotations

import hashlib
from typing import Any

import msgspec
import pytest

from millhand.contracts import (
    Decision,
    DeliverRecord,
    Document,
    DocumentArrived,
    DocumentRef,
    Gantt,
    Observation,
)
from millhand_logistics.routes.agent import RoutesAgent
from millhand_logistics.routes.config import RoutesConfig
from millhand_logistics.routes.memory import MOST_STOPS, from_memory, to_memory
from millhand_logistics.routes.plan import Route, Routes, Visit

pytest.importorskip("pyvrp")

STOPS = "".join(
    f"  - {{id: S{i}, at: [{3 * i % 17}, {5 * i % 13}], delivery: {{kg: 10}}}}\n" for i in range(12)
)
VAN = '{start: works, capacity: {kg: 80}, shift: {from: "06:00", to: "18:00"}, per_hour: 20'
DAY = f"""\
millhand_routes: 1
time_zone: Europe/Berlin
day: 2026-11-26
depots: {{works: [0, 0]}}
vehicles:
  van_1: {VAN}}}
  van_2: {VAN}}}
stops:
{STOPS}"""


def decide(text: str | bytes, memory: Any = None, **config: Any) -> Decision:
    content = text.encode() if isinstance(text, str) else text
    ref = DocumentRef(
        sha256=hashlib.sha256(content).hexdigest(), name="day.yaml", size=len(content),
        media_type="application/yaml", received_utc_ns=0,
    )  # fmt: skip
    observation = Observation(
        id="tour.1.1",
        agent="tours",
        trigger=DocumentArrived(source="document days", document=ref),
        documents={"document": Document(ref, content)},
        memory=memory or {},
    )
    return RoutesAgent(RoutesConfig(iterations=300, **config)).decide(observation, {})


def body(decision: Decision) -> dict[str, Any]:
    (action,) = decision.actions
    assert isinstance(action, DeliverRecord)
    return dict(action.body)


def test_a_day_is_planned_with_times_bars_and_a_map() -> None:
    found = decide(DAY)
    columns = body(found)
    assert sorted(columns["stop"]) == sorted(f"S{i}" for i in range(12))
    assert len(set(columns["vehicle"])) == 2
    assert columns["map"].startswith("<svg")
    bars = found.explanations[0]
    assert isinstance(bars, Gantt)
    assert bars.origin_utc_ns == 1_795_647_600 * 10**9, "midnight in Berlin"
    assert found.scores["moved"] == 0
    assert decide(DAY) == found, "the same day, the same routes"


def test_on_the_road_goods_stay_aboard_a_new_stop_joins_and_it_begins_with_what_is_left() -> None:
    first = decide(DAY)
    columns = body(first)
    mine = [s for v, s in zip(columns["vehicle"], columns["stop"], strict=True) if v == "van_1"]
    served, left = mine[0], mine[1:]
    now = DAY.replace(
        f"  van_1: {VAN}}}",
        f"  van_1: {VAN}, position: [4, 4], free_at: 2026-11-26T09:00, carries: {left}}}".replace(
            "'", ""
        ),
    )
    now = "".join(line for line in now.splitlines(True) if f"id: {served}," not in line)
    now += "  - {id: NEW, at: [6, 6], pickup: {kg: 20}}\n"
    again = decide(now, first.memory)
    columns = body(again)
    by_stop = dict(zip(columns["stop"], columns["vehicle"], strict=True))
    assert served not in by_stop
    assert "NEW" in by_stop
    assert all(by_stop[stop] == "van_1" for stop in left)
    assert (
        min(a for v, a in zip(columns["vehicle"], columns["arrive"], strict=True) if v == "van_1")
        > "09:00"
    )
    assert again.scores["moved"] == 0, "nothing that was planned need change its vehicle"


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (DAY.replace("start: works", "start: moon"), "no depot"),
        (DAY.replace("kg: 10", "kg: -10"), "-10 kg"),
        (DAY.replace("millhand_routes: 1", "millhand_routes: 2"), "millhand_routes"),
        (DAY.replace("kg: 80", "kg: 30"), "too little capacity"),
        (b"\xff\xfe\x00", "cannot be read"),
        ("{", ""),
        ("a: &a [*a]", ""),
    ],
)
def test_a_day_that_makes_no_sense_leaves_the_routes_so_far(text: str | bytes, said: str) -> None:
    found = decide(text, decide(DAY).memory)
    assert found.actions == ()
    assert found.memory is None, "the memory stays as it was"
    assert said in found.reason


def test_many_stops_fit_the_memory_or_are_left_out_of_it() -> None:
    visits = tuple(
        Visit(stop=f"C{i:06d}", arrive=30000 + i, begin=30000 + i, leave=30000 + i)
        for i in range(MOST_STOPS)
    )
    routes = Routes(
        routes=(Route(vehicle="van", leave=0, visits=visits, back=0, distance_m=0),),
        left_out=(), cost=0,
    )  # fmt: skip
    memory = to_memory(routes)
    assert len(msgspec.json.encode(memory)) < 16 * 1024
    read = from_memory(memory)
    assert read is not None
    assert [v.stop for v in read.routes[0].visits] == [v.stop for v in visits]
    many = msgspec.structs.replace(routes.routes[0], visits=(*visits, visits[0]))
    assert to_memory(msgspec.structs.replace(routes, routes=(many,))) == {}
