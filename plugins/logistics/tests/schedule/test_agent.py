"""The agent alone: what it makes of each kind of trigger, and that it is a pure function."""

from __future__ import annotations

import json
from datetime import datetime
from typing import Any

import msgspec
import pytest
from pydantic import ValidationError

from millhand.contracts import (
    CustomEvent,
    Decision,
    Event,
    EventArrived,
    Gantt,
    Highlight,
    Hold,
    MachineState,
    Mode,
    Observation,
    PackMLState,
    Quality,
    Release,
    Sample,
    TagEdge,
    TimerTick,
    Trigger,
)
from millhand.scenario.document import read_document
from millhand_logistics.schedule.agent import ScheduleAgent
from millhand_logistics.schedule.config import ScheduleConfig
from millhand_logistics.schedule.distil.random_shops import everyday
from millhand_logistics.schedule.effort import MOST_SAMPLES, effort_within
from millhand_logistics.schedule.state import Down, Planned, State, from_memory, to_memory

LARGEST_MEMORY = 16 * 1024


def at(text: str) -> int:
    return int(datetime.fromisoformat(f"2026-11-25T{text}+01:00").timestamp()) * 1_000_000_000


def tick(time: str) -> TimerTick:
    return TimerTick(source="every 1 min", count=1, due_utc_ns=at(time), due_monotonic_ns=0)


def event(time: str, body: Any) -> EventArrived:
    told = Event(id="e", producer="x", mode=Mode.CONTROL, at_utc_ns=at(time), body=body)
    return EventArrived(source="event", event=told, entry_seq=1)


def edge(time: str, value: Any) -> TagEdge:
    now = Sample(
        tag="state",
        value=value,
        quality=Quality.GOOD,
        received_utc_ns=at(time),
        received_monotonic_ns=0,
    )
    return TagEdge(source="plc.state", before=None, now=now)


class Planner:
    """An agent with its memory, as the engine keeps it."""

    def __init__(self, shop: str, **settings: Any) -> None:
        document = read_document(shop, "shop.yaml").data
        self.agent = ScheduleAgent(ScheduleConfig.model_validate({"shop": document, **settings}))
        self.memory: dict[str, Any] = {}
        self.seen: Observation | None = None

    def tell(self, trigger: Trigger) -> Decision:
        self.seen = Observation(id="c.1.1", agent="planner", trigger=trigger, memory=self.memory)
        decision = self.agent.decide(self.seen, {})
        if decision.memory is not None:
            assert len(msgspec.json.encode(decision.memory)) <= LARGEST_MEMORY
            self.memory = decision.memory
        return decision


def bars(decision: Decision) -> dict[str, tuple[str, float, float]]:
    """Return what the last Gantt of a decision shows, in hours after 06:00 UTC."""
    gantt = [e for e in decision.explanations if isinstance(e, Gantt)][-1]
    zero = at("07:00") / 1e9 - gantt.origin_utc_ns / 1e9
    return {
        label: (resource, (begin - zero) / 3600, (end - zero) / 3600)
        for resource, label, begin, end in gantt.bars
    }


@pytest.fixture
def planner(shop_yaml: str) -> Planner:
    return Planner(shop_yaml, tags={"plc.state": "lathe_1"}, deliver=True)


def test_plans_when_there_is_no_plan(planner: Planner) -> None:
    decision = planner.tell(tick("07:30"))
    assert bars(decision)["A-1/turn"] == ("lathe_1", 0.5, 2.0)
    assert decision.scores["cost"] <= decision.scores["best_rule_cost"]
    names = [e.name for e in decision.events if isinstance(e, CustomEvent)]
    assert names[0] == "logistics.schedule"
    assert names.count("logistics.dispatch") == 2
    (delivery,) = decision.actions
    assert delivery.body["order"] == ["A-1", "A-1", "B-1", "B-1"]  # type: ignore[union-attr]


def test_a_machine_that_stops_moves_its_work_and_says_why(planner: Planner) -> None:
    planner.tell(tick("07:30"))
    down = MachineState(machine="mill", state=PackMLState.ABORTED, reason="coolant")
    decision = planner.tell(event("08:45", down))
    # The turning goes on; the milling waits for the mill, which is expected back in an hour.
    assert bars(decision)["A-1/turn"] == ("lathe_1", 0.5, 2.0)
    assert bars(decision)["A-1/mill"] == ("mill", 2.75, 6.75)
    assert decision.reason.startswith("mill is down: coolant: 1 operation moves; cost ")
    (words,) = [e for e in decision.explanations if isinstance(e, Highlight)]
    assert words.fields["A-1/mill"] == (
        "mill Wed 09:00 → mill Wed 09:45: mill does not work then; "
        "now the machine does not work before"
    )
    # Back earlier than expected; the rest comes after the repair that the file knows of.
    again = planner.tell(event("09:05", MachineState(machine="mill", state=PackMLState.EXECUTE)))
    assert bars(again)["A-1/mill"] == ("mill", 2 + 5 / 60, 6 + 5 / 60)


def test_a_breakdown_that_lasts_is_put_off_each_time(planner: Planner) -> None:
    planner.tell(tick("07:30"))
    planner.tell(event("08:45", MachineState(machine="mill", state=PackMLState.STOPPED)))
    decision = planner.tell(tick("09:50"))
    assert bars(decision)["A-1/mill"][1] > 2.75 + 0.5


def test_a_tag_tells_of_a_machine(planner: Planner) -> None:
    planner.tell(tick("07:20"))
    assert planner.tell(edge("07:25", 9)).reason.startswith("lathe_1 is down")
    assert planner.tell(edge("07:50", 6)).reason.startswith("lathe_1 runs again")
    assert "no PackML state" in planner.tell(edge("07:51", 99)).reason


def test_work_under_way_is_not_moved_by_its_machines_stop(planner: Planner) -> None:
    planner.tell(tick("07:30"))
    decision = planner.tell(edge("08:00", 9))
    # One hour is left when the lathe runs again at nine.
    assert bars(decision)["A-1/turn"] == ("lathe_1", 0.5, 3.0)


def test_a_hold_takes_the_orders_of_its_lot_out_until_released(planner: Planner) -> None:
    planner.tell(tick("05:30"))
    held = planner.tell(event("05:40", Hold(subject="L1", reason="hardness")))
    assert "A-1/turn" not in bars(held)
    assert "not planned: A-1" in held.reason
    assert held.scores["not_planned"] == 1
    free = planner.tell(event("05:50", Release(subject="L1")))
    assert "A-1/turn" in bars(free)


def test_a_rush_order_comes_in_and_one_that_makes_no_sense_does_not(planner: Planner) -> None:
    planner.tell(tick("05:30"))
    rush = {"id": "R", "due": "2026-11-25T09:30", "weight": 9,
            "operations": [{"id": "turn", "machine": "lathe_1", "time": "2 h"}]}  # fmt: skip
    wrong = {**rush, "operations": [{"id": "turn", "machine": "lathe_9", "time": "2 h"}]}
    for data in ({"order": json.dumps(wrong)}, {"order": "{"}, {}):
        before = dict(planner.memory)
        told = planner.tell(event("05:40", CustomEvent(name="logistics.order", data=data)))
        assert told.reason.startswith("What was told makes no sense")
        assert planner.memory == before
    body = CustomEvent(name="logistics.order", data={"order": json.dumps(rush)})
    decision = planner.tell(event("05:45", body))
    assert bars(decision)["R/turn"] == ("lathe_1", 0.5, 2.5)
    twice = planner.tell(event("05:46", body))
    assert "R stands here twice" in twice.reason


def test_reported_progress_counts_more_than_the_plan(planner: Planner) -> None:
    planner.tell(tick("07:30"))
    data = {"order": "A-1", "operation": "turn", "finished": "2026-11-25T08:10+01:00"}
    decision = planner.tell(event("08:10", CustomEvent(name="logistics.progress", data=data)))
    assert bars(decision)["A-1/mill"] == ("mill", 1 + 10 / 60, 2 + 10 / 60)
    no_zone, nobody = {**data, "finished": "2026-11-25T08:10"}, {**data, "order": "Z"}
    for wrong in ({"order": "A-1"}, no_zone, nobody):
        told = planner.tell(event("08:15", CustomEvent(name="logistics.progress", data=wrong)))
        assert told.reason.startswith("What was told makes no sense")


def test_what_does_not_concern_the_plan_leaves_it(planner: Planner) -> None:
    planner.tell(tick("07:30"))
    for body in (
        MachineState(machine="robot", state=PackMLState.ABORTED),
        Hold(subject="L99", reason="x"),
        CustomEvent(name="acme.tool_worn"),
    ):
        decision = planner.tell(event("08:00", body))
        assert (decision.reason, decision.memory) == ("This does not concern the plan.", None)


def test_the_same_observation_gives_the_same_decision(planner: Planner) -> None:
    planner.tell(tick("07:30"))
    first = planner.tell(edge("08:00", 9))
    assert planner.seen is not None
    assert planner.agent.decide(planner.seen, {}) == first


def test_when_all_is_done_it_says_so(planner: Planner) -> None:
    planner.tell(tick("07:30"))
    late = TimerTick(
        source="t", count=2, due_utc_ns=at("07:30") + 9 * 86_400_000_000_000, due_monotonic_ns=0
    )
    assert "There is nothing to plan" in planner.tell(late).reason


def test_a_wrong_shop_is_refused_before_anything_runs(shop_yaml: str) -> None:
    with pytest.raises(ValidationError, match="There is no machine “mil”"):
        Planner(shop_yaml.replace("machine: mill, time: 60", "machine: mil, time: 60"))
    with pytest.raises(ValidationError, match="There is no machine “drill”"):
        Planner(shop_yaml, tags={"plc.state": "drill"})


def test_a_thousand_operations_fit_the_memory() -> None:
    problem = everyday(4, (200, 10))
    assert len(problem.operations) > 800
    keys = [(f"WO-2026-{i // 6:05}", f"op{i % 6}") for i in range(1200)]
    base = 1_800_000_000
    state = State(
        down=(Down("m1", 1_800_000_000, 1_800_003_600, True, "a|b"),),
        holds={"L|1": "why|not"},
        progress={"WO|op": "finished|1800000000"},
        planned={
            key: Planned(f"m{i % 17}", base + 97 * i, base + 97 * i + 60 * (i % 91))
            for i, key in enumerate(keys)
        },
    )
    machines = [f"m{i}" for i in range(17)]
    memory = to_memory(state, keys, machines)
    assert len(msgspec.json.encode(memory)) <= LARGEST_MEMORY
    back = from_memory(memory, keys, machines)
    assert back.planned == state.planned
    assert back.down == state.down
    assert back.progress == state.progress


def test_effort_follows_the_time_there_is() -> None:
    counts = [effort_within(s, 1000).samples for s in (0.01, 0.1, 0.5, 60.0)]
    assert counts == sorted(counts)
    assert counts[0] == 0
    assert counts[-1] == MOST_SAMPLES
    assert effort_within(0.5, 1000, twice=True).samples < counts[2] or counts[2] == 0


# --- what makes no sense, while a plan runs ---

ORDER = '{"id": "R-1", "operations": [{"id": "mill", "machine": "mill", "time": "1 h"}]}'
BAD_ORDERS = {
    "no JSON": ("{", "JSON"),
    "another thing": ("[1, 2]", "order"),
    "an unknown machine": (ORDER.replace('"machine": "mill"', '"machine": "mil"'), "mil"),
    "no time": (ORDER.replace("1 h", "0 h"), "operations.0.time"),
    "a negative time": (ORDER.replace("1 h", "-1 h"), "operations.0.time"),
    "a number for a time": (ORDER.replace('"1 h"', "3600"), "operations.0.time"),
    "no operations": ('{"id": "R-1", "operations": []}', "operations"),
    "an id that is there": (ORDER.replace("R-1", "A-1"), "A-1"),
    "a cycle": (
        ORDER.replace(
            "]}",
            ', {"id": "test", "machine": "mill", "time": "1 h", "after": ["mill"]}]}',
        ).replace('"1 h"}', '"1 h", "after": ["test"]}', 1),
        "wait for each other",
    ),
    "waiting for itself": (ORDER.replace('"1 h"}', '"1 h", "after": ["mill"]}'), "mill"),
    "waiting for nothing": (ORDER.replace('"1 h"}', '"1 h", "after": ["trun"]}'), "trun"),
    "due before release": (
        ORDER.replace('"R-1",', '"R-1", "due": "2026-11-25T10:00", "release": "2026-11-26T10:00",'),
        "R-1",
    ),
    "an unknown key": (ORDER.replace('"R-1",', '"R-1", "colour": "red",'), "colour"),
    "no number for a weight": (ORDER.replace('"R-1",', '"R-1", "weight": "NaN",'), "weight"),
}  # fmt: skip


@pytest.mark.parametrize("case", BAD_ORDERS)
def test_an_order_that_makes_no_sense_is_told_and_the_running_plan_untouched(
    planner: Planner, case: str
) -> None:
    planner.tell(tick("07:30"))
    before = dict(planner.memory)
    text, words = BAD_ORDERS[case]
    body = CustomEvent(name="logistics.order", data={"order": text})
    refused = planner.tell(event("07:40", body))
    assert words in refused.reason
    assert "R-1" in refused.reason or '"R-1"' not in text, "it names the order"
    assert refused.actions == ()
    assert planner.memory == before


def test_an_order_that_can_only_be_late_is_planned_and_told(planner: Planner) -> None:
    planner.tell(tick("07:30"))
    late = ORDER.replace('"R-1",', '"R-1", "due": "2026-11-25T08:00+01:00",')
    found = planner.tell(event("07:40", CustomEvent(name="logistics.order", data={"order": late})))
    assert "R-1/mill" in bars(found)
    (told, *_) = [e for e in found.events if isinstance(e, CustomEvent)]
    assert told.data["late_orders"] == 1
