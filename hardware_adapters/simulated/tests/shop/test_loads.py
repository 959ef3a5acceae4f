"""Loads in a shop with vehicles: nothing begins before its load is there."""

from __future__ import annotations

import json
from typing import Any

import pytest
from pydantic import ValidationError

from millhand_simulated.shop.config import JobShopConfig
from millhand_simulated.shop.shops import Shops

SHOP: dict[str, Any] = {
    "now": "2026-11-25T06:00:00Z",
    "machines": {"saw": {}, "mill_1": {}, "mill_2": {}},
    "orders": [
        {
            "id": "A",
            "operations": [
                {"id": "saw", "machine": "saw", "time": "30 min"},
                {"id": "mill", "machines": {"mill_1": "30 min", "mill_2": "30 min"}},
            ],
        }
    ],
}


def shops(shop: dict[str, Any] = SHOP) -> Shops:
    options = {"planners": ["one"], "shop": shop, "spread": 0.0, "breakdown_every": "1000 h"}
    return Shops(JobShopConfig.model_validate(options | {"transports": True}))


def plan(mill: str) -> dict[str, str]:
    rows = {"saw": [["A", "saw", 0]], mill: [["A", "mill", 0]]}
    return {"one": json.dumps({"plan": mill, "machines": rows})}


def asked(one: Shops) -> list[list[str]]:
    found: list[list[str]] = json.loads(str(one.tags()["Shop.one.Transports"]))["transports"]
    return found


def bound(one: Shops) -> list[list[str]]:
    found: list[list[str]] = json.loads(str(one.tags()["Shop.one.Book"]))["bound"]
    return found


def pass_minutes(one: Shops, minutes: int) -> None:
    for _ in range(minutes):
        one.advance(60)


def test_an_operation_waits_for_its_load_and_no_longer() -> None:
    one = shops()
    one.read(plan("mill_1"))
    pass_minutes(one, 29)
    assert asked(one) == []
    pass_minutes(one, 2)
    assert asked(one) == [["A.1", "saw", "mill_1"]]
    assert bound(one) == [["A", "mill", "mill_1"]]
    pass_minutes(one, 60)
    assert not one.finished, "nobody has brought the load"
    one.told({"one": json.dumps({"delivered": ["A.1", "unknown"], "refused": {}})})
    assert asked(one) == []
    assert bound(one) == [["A", "mill", "mill_1"]]
    pass_minutes(one, 31)
    assert bound(one) == []
    assert one.finished
    (figures,) = one.figures()
    assert figures.transports == 1
    assert figures.transport_min == pytest.approx(61, abs=1)


def test_a_plan_that_changes_on_the_way_needs_another_transport() -> None:
    one = shops()
    one.read(plan("mill_1"))
    pass_minutes(one, 31)
    one.read(plan("mill_2"))
    pass_minutes(one, 1)
    assert asked(one) == [["A.1", "saw", "mill_1"]], "what is on its way goes on"
    one.told({"one": json.dumps({"delivered": ["A.1"]})})
    pass_minutes(one, 1)
    assert asked(one) == [["A.2", "mill_1", "mill_2"]]
    one.told({"one": json.dumps({"refused": {"A.2": "no way"}})})
    pass_minutes(one, 60)
    assert not one.finished
    assert any("no way" in note for note in one.outcome().notes)


def test_an_answer_that_makes_no_sense_moves_no_load() -> None:
    one = shops()
    one.read(plan("mill_1"))
    pass_minutes(one, 31)
    for text in ("{", "[]", '{"delivered": "A.1"}', '{"delivered": [1]}'):
        one.told({"one": text})
    assert asked(one) == [["A.1", "saw", "mill_1"]]
    assert one.outcome().notes


def test_orders_whose_operations_fork_are_refused_with_vehicles() -> None:
    operations = [*SHOP["orders"][0]["operations"]]
    operations[1] = operations[1] | {"after": []}
    with pytest.raises(ValidationError, match="A/mill"):
        shops(SHOP | {"orders": [{"id": "A", "operations": operations}]})
