"""The agent: a list arrives, a person approves, the proposal is delivered once."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from millhand.contracts import (
    Decision,
    DeliverRecord,
    Document,
    DocumentArrived,
    DocumentRef,
    Highlight,
    Mode,
    Observation,
)
from millhand.engine import Engine
from millhand.feedback.review import answer
from millhand.journal.records import AnswerKind, OutcomeStatus
from millhand.plugins import Plugins
from millhand.scenario.load import load_text
from millhand_logistics.replenish.agent import ReplenishAgent
from millhand_logistics.replenish.config import ReplenishConfig

SCENARIO = """
millhand: 1
name: store
devices:
  lists: {adapter: records.inbox, path: in, settle_s: 0}
  orders: {adapter: records.drop, path: out}
agents:
  buyer:
    use: logistics.replenish
    max_mode: advise
    when: document lists
    may: {orders: orders}
    deadline: 60 s
"""


def stock(**more: Any) -> bytes:
    draw = np.random.default_rng(3)
    history = {name: draw.poisson(20, 80).tolist() for name in ("short", "plenty")}
    articles = [
        {"id": "short", "on_hand": 10, "lead_time": 2, "pack": 25, "price": 2},
        {"id": "plenty", "on_hand": 900, "lead_time": 2},
        {"id": "new", "lead_time": 1},
    ]
    whole = {"millhand_stock": 1, "articles": articles, "history": history} | more
    return json.dumps(whole).encode()


def decide(content: bytes, **config: Any) -> Decision:
    ref = DocumentRef(
        sha256=hashlib.sha256(content).hexdigest(), name="stock.json", size=len(content),
        media_type="application/json", received_utc_ns=0,
    )  # fmt: skip
    observation = Observation(
        id="store.1.1",
        agent="buyer",
        trigger=DocumentArrived(source="document lists", document=ref),
        documents={"document": Document(ref, content)},
    )
    return ReplenishAgent(ReplenishConfig(**config)).decide(observation, {})


def test_what_is_short_is_ordered_with_its_risk_and_reason() -> None:
    found = decide(stock())
    (action,) = found.actions
    assert isinstance(action, DeliverRecord)
    assert action.body["article"] == ["short"]
    (quantity,) = action.body["quantity"]  # type: ignore[misc]
    assert float(quantity) % 25 == 0  # type: ignore[arg-type]
    assert 50 <= float(quantity) <= 125  # type: ignore[arg-type]
    assert action.idempotency_key == hashlib.sha256(stock()).hexdigest()
    (shown,) = found.explanations
    assert isinstance(shown, Highlight)
    assert "run out with a probability" in str(shown.fields["short"])
    assert [event.data["article"] for event in found.events] == ["short"]  # type: ignore[union-attr]
    assert decide(stock()) == found, "the same list, the same answer"


@pytest.mark.parametrize(
    ("more", "said"),
    [
        ({"articles": []}, "no article"),
        ({"articles": [{"id": "a", "lead_time": -1}]}, "lead_time"),
        ({"articles": [{"id": "a", "lead_time": 1}] * 2}, "twice"),
        ({"history": {"short": [1, -2]}}, "history"),
        ({"history": {"short": ["many"]}}, "history"),
        ({"millhand_stock": 2}, "millhand_stock"),
        ({"surprise": 1}, "surprise"),
        ({"history": {"short": [0] * 5001}}, "longer"),
    ],
)
def test_a_list_that_makes_no_sense_orders_nothing_and_says_why(
    more: dict[str, Any], said: str
) -> None:
    found = decide(stock(**more))
    assert found.actions == ()
    assert said in found.reason


@pytest.mark.parametrize("content", [b"", b"{", b"[1]", b"\xff\xfe", b"null", b"[" * 100_000])
def test_what_is_no_list_is_refused(content: bytes) -> None:
    assert decide(content).actions == ()
    assert decide(content).reason


def test_more_articles_than_allowed_are_refused() -> None:
    assert "at most 2" in decide(stock(), most_articles=2).reason


async def test_a_person_approves_and_the_orders_are_delivered_once(tmp_path: Path) -> None:
    (tmp_path / "in").mkdir()
    (tmp_path / "in" / "stock.json").write_bytes(stock())
    scenario = load_text(SCENARIO, tmp_path / "scenario.yaml")
    async with Engine(scenario, plugins=Plugins.discover()) as engine:
        engine.set_mode("buyer", Mode.ADVISE, by="test")
        async for entry in engine.journal.cursor(kinds=("question",)):
            question = entry
            break
        assert not list((tmp_path / "out").glob("**/*.json"))
        answer(engine.journal, question.id, AnswerKind.APPROVE, by="anna")
        async for entry in engine.journal.cursor(kinds=("outcome",)):
            if entry.record.status is not OutcomeStatus.AWAITING:
                break
    (file,) = (tmp_path / "out").rglob("*.json")
    assert "short" in file.read_text(encoding="utf-8")
