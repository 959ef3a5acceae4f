"""A shop's own book: what it says counts, and what makes no sense leaves the plan as it is."""

from __future__ import annotations

import json
from datetime import datetime
from typing import Any

import pytest

from millhand.contracts import Quality, Sample
from millhand_logistics.schedule.alone import plan_alone
from millhand_logistics.schedule.book import Unreadable, dispatch_list, read_book
from millhand_logistics.schedule.distil.random_shops import everyday
from millhand_logistics.schedule.from_shop import floor_of
from millhand_logistics.schedule.present import present
from millhand_logistics.schedule.propose import Effort, propose
from millhand_logistics.schedule.state import Down, State
from millhand_logistics.shop.model import Shop

SHOP = {
    "millhand_shop": 1,
    "time_zone": "UTC",
    "now": "2026-11-25T06:00:00Z",
    "machines": {"saw": {"family": "steel"}},
    "setups": [{"time": "30 min"}],
    "orders": [
        {"id": n, "operations": [{"id": "saw", "machine": "saw", "time": "1 h", "family": f}]}
        for n, f in (("A", "brass"), ("B", "brass"))
    ],
}


def sample(value: Any, quality: Quality = Quality.GOOD) -> Sample:
    return Sample(
        tag="book",
        value=value,
        quality=quality,
        received_utc_ns=0,
        received_monotonic_ns=0,
    )


def test_a_machine_is_set_up_for_the_last_work_begun_on_it() -> None:
    begun = int(datetime.fromisoformat("2026-11-25T06:30:00Z").timestamp())
    book = read_book(
        sample(
            json.dumps(
                {
                    "now": "2026-11-25T07:30:00Z",
                    "progress": [["A", "saw", "saw", begun, begun + 3600]],
                }
            )
        )
    )
    shop = present(Shop.model_validate(SHOP), State(progress=book.progress), book.now, assume=False)
    floor = floor_of(shop, datetime.fromisoformat("2026-11-25T07:30:00Z"))
    plan = propose(floor.problem, Effort(samples=0)).plan
    # Brass follows brass: no set-up, though the file says that the saw is set up for steel.
    assert floor.moment(int(plan.start[0])).isoformat() == "2026-11-25T07:30:00+00:00"
    text = json.loads(dispatch_list(floor, plan, "p"))
    assert [row[:2] for row in text["machines"]["saw"]] == [["B", "saw"]]


@pytest.mark.parametrize(
    "text",
    [
        "",
        "{",
        "{}",
        '{"now": "yesterday"}',
        '{"now": "2026-11-25T07:30:00"}',
        '{"now": "2026-11-25T07:30:00Z", "progress": [["A", "saw"]]}',
        '{"now": "2026-11-25T07:30:00Z", "orders": ["A"]}',
        '{"now": "2026-11-25T07:30:00Z", "order": []}',
    ],
)
def test_a_book_that_makes_no_sense_is_not_believed(text: str) -> None:
    with pytest.raises(Unreadable):
        read_book(sample(text))


@pytest.mark.parametrize("bad", [None, sample(7), sample("{}", Quality.BAD)])
def test_a_book_that_cannot_be_read_is_not_believed(bad: Sample | None) -> None:
    with pytest.raises(Unreadable):
        read_book(bad)


def test_who_plans_alone_has_no_guard() -> None:
    problem = everyday(4)
    best = propose(problem, Effort(samples=0)).best_rule
    assert plan_alone(problem, "rules", Effort(), None).cost == best.cost
    assert plan_alone(problem, "student", Effort(), None).cost == best.cost, "it abstained"


@pytest.mark.parametrize(("down", "machine"), [(False, "slow"), (True, "quick")])
def test_an_operation_stays_where_its_load_is_unless_that_machine_is_down(
    down: bool, machine: str
) -> None:
    operation = {"id": "turn", "machines": {"slow": "3 h", "quick": "1 h"}}
    shop = SHOP | {
        "machines": {"slow": {}, "quick": {}},
        "orders": [{"id": "A", "operations": [operation]}],
    }
    text = json.dumps({"now": "2026-11-25T07:30:00Z", "bound": [["A", "turn", "slow"]]})
    book = read_book(sample(text))
    broken = (Down("slow", book.now - 60, book.now + 9000, open=True),) if down else ()
    state = State(progress=book.progress, down=broken)
    floor = floor_of(
        present(Shop.model_validate(shop), state, book.now, assume=False),
        datetime.fromisoformat("2026-11-25T07:30:00Z"),
    )
    plan = propose(floor.problem, Effort(samples=0)).plan
    assert floor.machines[int(plan.machine[0])] == machine
