"""The book of changes: bounded, and yet none of them is forgotten while it counts."""

from __future__ import annotations

from millhand.engine.changes import ChangeBook
from millhand.guard import Limits
from millhand.guard.envelope import Allowance

HOUR_NS = 3_600_000_000_000
BUDGET = Limits(budget=Allowance(1_000.0, HOUR_NS))


def walked(book: ChangeBook) -> float:
    return sum(change.amount for change in book.of("plc.speed"))


def test_ten_thousand_small_steps_still_add_up() -> None:
    book = ChangeBook({"plc.speed": BUDGET})
    for step in range(10_000):
        book.ended("plc.speed", book.enter("plc.speed", step, 0.5), changed=True)
    assert walked(book) == 5_000.0
    assert len(book.of("plc.speed")) < 5_000, "memory has a bound"


def test_what_changed_nothing_is_struck_out_and_takes_no_older_one_with_it() -> None:
    book = ChangeBook({"plc.speed": BUDGET})
    writes = [book.enter("plc.speed", step, 1.0) for step in range(6_000)]
    for written in writes:
        book.ended("plc.speed", written, changed=written is writes[0])
    assert 1.0 <= walked(book) < 6_000.0
    before = walked(book)
    book.ended("plc.speed", book.enter("plc.speed", 1, 1.0), changed=False)
    assert walked(book) == before


def test_targets_without_such_a_limit_are_not_kept() -> None:
    book = ChangeBook({"plc.result": Limits(max_age_ns=1)})
    for target in ("plc.result", "plc.lamp"):
        book.ended(target, book.enter(target, 1, None), changed=False)
        assert book.of(target) == ()


def test_as_many_writes_are_kept_as_may_be_counted() -> None:
    book = ChangeBook({"plc.speed": Limits(writes=Allowance(6_000.0, HOUR_NS))})
    for step in range(6_001):
        book.enter("plc.speed", step, None)
    assert len(book.of("plc.speed")) == 6_001
