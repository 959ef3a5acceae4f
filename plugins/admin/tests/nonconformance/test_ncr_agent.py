"""A run of bad parts stops its lot once, with a report that names its events."""

from __future__ import annotations

from typing import Any

from millhand.contracts import (
    Decision,
    DeliverRecord,
    Event,
    EventArrived,
    Hold,
    Mode,
    Nonconformance,
    Observation,
    Release,
)
from millhand_admin.nonconformance.agent import NcrAgent
from millhand_admin.nonconformance.config import NcrConfig


class Desk:
    def __init__(self, **config: Any) -> None:
        self.agent = NcrAgent(NcrConfig.model_validate(config))
        self.memory: dict[str, Any] = {}

    def hears(self, body: Any, *, second: int = 0) -> Decision:
        event = Event(id=f"e{second}", producer="inspector", mode=Mode.CONTROL,
                      at_utc_ns=second * 10**9, body=body)  # fmt: skip
        trigger = EventArrived(source="e", event=event, entry_seq=1)
        observation = Observation(id="o", agent="desk", trigger=trigger, memory=self.memory)
        decision = self.agent.decide(observation, {})
        assert decision == self.agent.decide(observation, {})
        if decision.memory is not None:
            self.memory = decision.memory
        return decision


def bad(number: int, lot: str | None = "H1", product: str = "impeller") -> Nonconformance:
    return Nonconformance(part_id=f"IMP-{number}", product=product, lot=lot,
                          characteristic="surface", measured=2.5, limit=1.0)  # fmt: skip


def test_one_too_many_stops_the_lot_once() -> None:
    desk = Desk(more_than=2)
    assert [desk.hears(bad(n), second=n).actions for n in (1, 2)] == [(), ()]
    stopped = desk.hears(bad(3), second=3)
    (report,) = stopped.actions
    assert isinstance(report, DeliverRecord)
    assert report.kind == "ncr"
    assert report.body["parts"] == ["IMP-1", "IMP-2", "IMP-3"]
    assert report.body["events"] == ["e1", "e2", "e3"]
    assert report.body["cause"] is None
    (hold,) = stopped.events
    assert isinstance(hold, Hold)
    assert hold.subject == "H1"
    assert str(report.body["number"]) in hold.reason
    after = desk.hears(bad(4), second=4)
    assert (after.actions, after.events) == ((), ())


def test_old_ones_do_not_count_and_a_release_begins_anew() -> None:
    desk = Desk(more_than=1, within="10 s")
    desk.hears(bad(1), second=0)
    assert desk.hears(bad(2), second=60).events == ()
    first = desk.hears(bad(3), second=61)
    assert len(first.events) == 1
    desk.hears(Release(subject="H1"), second=62)
    assert desk.hears(bad(4), second=63).events == ()
    second = desk.hears(bad(5), second=64)
    (one,), (other,) = first.actions, second.actions
    assert isinstance(one, DeliverRecord)
    assert isinstance(other, DeliverRecord)
    assert one.idempotency_key != other.idempotency_key


def test_the_lot_comes_from_the_scenario_where_the_inspector_does_not_say_it() -> None:
    desk = Desk(more_than=0, lots={"impeller": "H53396"})
    (hold,) = desk.hears(bad(1, lot=None)).events
    assert isinstance(hold, Hold)
    assert hold.subject == "H53396"
    assert desk.hears(bad(2, lot=None, product="housing")).events == ()


def test_lots_are_counted_apart_and_memory_is_bounded() -> None:
    desk = Desk(more_than=1)
    for number in range(200):
        assert desk.hears(bad(number, lot=f"L{number}"), second=number).events == ()
    assert len(str(desk.memory)) < 16 * 1024
