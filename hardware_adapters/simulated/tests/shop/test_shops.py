"""The simulated job shop by itself: what befalls it is the same for all, plans decide the rest."""

from __future__ import annotations

import json
from typing import Any

import pytest

from millhand_simulated.shop.config import JobShopConfig
from millhand_simulated.shop.moves import moved
from millhand_simulated.shop.shops import Shops

SHOP: dict[str, Any] = {
    "now": "2026-11-25T06:00:00Z",
    "machines": {"saw": {"family": "steel"}, "mill": {}},
    "setups": [{"time": "30 min"}],
    "orders": [
        {
            "id": name,
            "due": "2026-11-25T08:00:00Z",
            "operations": [
                {"id": "saw", "machine": "saw", "time": "60 min", "family": family},
                {"id": "mill", "machine": "mill", "time": "60 min"},
            ],
        }
        for name, family in (("A", "steel"), ("B", "brass"))
    ],
}


def config(**more: Any) -> JobShopConfig:
    options = {"planners": ["one", "two"], "shop": SHOP, "spread": 0.0} | more
    return JobShopConfig.model_validate({"breakdown_every": "1000 h"} | options)


def plan(*saw: str, mill: tuple[str, ...] | None = None) -> str:
    lists = {"saw": saw, "mill": mill or saw}
    rows = {m: [[order, m, 0] for order in orders] for m, orders in lists.items()}
    return json.dumps({"plan": "-".join(saw), "machines": rows})


def run(shops: Shops, hours: float) -> None:
    for _ in range(int(hours * 60)):
        shops.advance(60)


def test_the_same_fate_and_another_plan_make_another_cost() -> None:
    shops = Shops(config())
    shops.read({"one": plan("A", "B"), "two": ""})
    # A shop opens when every planner has a plan.
    opened = [shops.open]
    shops.read({"one": plan("A", "B"), "two": plan("B", "A")})
    assert [*opened, shops.open] == [False, True]
    run(shops, 6)
    one, two = shops.figures()
    # One sets up once, before B; two before B and again before A.
    assert (one.setup_h, two.setup_h) == (0.5, 1.0)
    assert one.makespan_h == pytest.approx(3.5, abs=0.02)
    assert two.makespan_h == pytest.approx(4.0, abs=0.02)
    assert shops.finished
    assert one.money < two.money
    assert shops.outcome().headline.startswith("one ")


def test_the_book_tells_what_has_begun_and_ended() -> None:
    shops = Shops(config())
    shops.read({"one": plan("A", "B"), "two": plan("A", "B")})
    run(shops, 1.25)
    book = json.loads(str(shops.tags()["Shop.one.Book"]))
    assert book["now"] == "2026-11-25T07:15:00+00:00"
    assert [(row[0], row[1], row[4] is None) for row in book["progress"]] == [
        ("A", "saw", False),
        ("B", "saw", True),
        ("A", "mill", True),
    ]


def test_a_machine_that_is_down_works_nothing_and_shows_it() -> None:
    calm, stormy = (Shops(config(breakdown_every=every, seed=3)) for every in ("1000 h", "30 min"))
    for shops in (calm, stormy):
        shops.read({"one": plan("A", "B"), "two": plan("A", "B")})
        seen = set()
        for _ in range(24 * 60):
            shops.advance(60)
            seen.add(shops.tags()["Shop.Machine.saw"])
        assert shops.finished
        assert seen == ({6} if shops is calm else {6, 9})
    assert stormy.figures()[0].makespan_h > calm.figures()[0].makespan_h
    assert stormy.figures()[0].makespan_h == stormy.figures()[1].makespan_h


def test_a_rush_order_comes_in_and_has_to_be_done() -> None:
    rush = {"id": "R", "operations": [{"id": "mill", "machine": "mill", "time": "10 min"}]}
    shops = Shops(config(planners=["one"], rush=[{"at": "30 min", "order": rush}]))
    shops.read({"one": plan("A", "B")})
    run(shops, 6)
    assert shops.tags()["Shop.Orders"] == 1
    assert not shops.finished, "no plan has the rush order yet"
    again = {"plan": "2", "machines": {"saw": [], "mill": [["R", "mill", 0]]}}
    shops.read({"one": json.dumps(again)})
    run(shops, 1)
    assert shops.finished


def test_a_plan_that_makes_no_sense_is_refused_and_the_last_one_kept() -> None:
    shops = Shops(config(planners=["one"]))
    shops.read({"one": plan("A", "B")})
    shops.read({"one": "{"})
    shops.read({"one": json.dumps({"plan": "x", "machines": {"saw": [["A", 3, 0]]}})})
    run(shops, 6)
    assert shops.finished
    assert shops.outcome().notes


def test_moves_count_other_machines_and_the_fewest_other_turns() -> None:
    a, b, c = ("A", "1"), ("B", "1"), ("C", "1")
    assert moved({"m": [a, b, c]}, {"m": [a, b, c]}) == 0
    assert moved({"m": [a, b, c]}, {"m": [c, a, b]}) == 1
    assert moved({"m": [a, b, c], "n": []}, {"m": [a, b], "n": [c]}) == 1
    assert moved({"m": [a]}, {"m": [b, a]}) == 0
