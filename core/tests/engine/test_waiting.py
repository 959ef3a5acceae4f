"""The queue before a busy agent: what gives way to what."""

from __future__ import annotations

from millhand.contracts import Event, EventArrived, Hold, Mode, TimerTick, Trigger
from millhand.engine.waiting import Waiting
from millhand.engine.work import Work


def tick(source: str, count: int = 0) -> Work:
    return work(TimerTick(source=source, count=count, due_utc_ns=0, due_monotonic_ns=0))


def event(number: int) -> Work:
    said = Event(
        id=f"e{number}", producer="p", mode=Mode.CONTROL, at_utc_ns=0,
        body=Hold(subject="lot", reason="pits"),
    )  # fmt: skip
    return work(EventArrived(source="event hold/1", event=said, entry_seq=number))


def work(trigger: Trigger) -> Work:
    return Work(id="d", trigger=trigger, started_ns=0, deadline_ns=1)


def drained(waiting: Waiting) -> list[Work]:
    return [waiting.next() for _ in range(len(waiting))]


def test_a_full_queue_drops_the_new_one() -> None:
    waiting = Waiting(2, latest=False)
    one, two, three = tick("a"), tick("b"), tick("a")
    assert [waiting.put(each).dropped for each in (one, two, three)] == [None, None, three]
    assert drained(waiting) == [one, two]


def test_latest_keeps_the_last_word_of_each_source() -> None:
    waiting = Waiting(1, latest=True)
    first, other, second = tick("a", 1), tick("b", 1), tick("a", 2)
    assert waiting.put(first).superseded == waiting.put(other).superseded == ()
    entered = waiting.put(second)
    assert entered.superseded[0] is first
    assert entered.dropped is None
    assert [each is kept for each, kept in zip(drained(waiting), (other, second), strict=True)]
    waiting = Waiting(2, latest=True)
    for count in (1, 2, 3):
        entered = waiting.put(tick("a", count))
    assert [one.trigger.count for one in entered.superseded] == [1]  # type: ignore[union-attr]


def test_an_event_is_pushed_out_by_events_alone_and_then_it_is_a_loss() -> None:
    waiting = Waiting(1, latest=True)
    first, second = event(1), event(2)
    waiting.put(first)
    for count in range(5):
        assert waiting.put(tick("a", count)).dropped is None
    entered = waiting.put(second)
    assert entered.dropped is first
    assert entered.superseded == ()
    assert [one.trigger.source for one in drained(waiting)] == ["a", "event hold/1"]
