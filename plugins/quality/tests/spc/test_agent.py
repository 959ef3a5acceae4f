"""The agent: limits from what is in control, alarms when that ends, a memory that is enough."""

from __future__ import annotations

import random
from collections.abc import Iterable, Sequence
from typing import Any

import pytest
from pydantic import ValidationError

from millhand.contracts import (
    CustomEvent,
    Decision,
    Nonconformance,
    Observation,
    Quality,
    Sample,
    TagEdge,
)
from millhand.contracts.codec import from_json, to_json
from millhand_quality.spc.agent import IN_CONTROL, OUT_OF_CONTROL, SpcAgent
from millhand_quality.spc.config import SpcConfig


def sample(tag: str, value: Any, quality: Quality = Quality.GOOD) -> Sample:
    return Sample(tag=tag, value=value, quality=quality, received_utc_ns=1, received_monotonic_ns=1)


def observe(
    value: Any, memory: Any = None, product: str = "ring", part: str = "R-1"
) -> Observation:
    now = sample("count", 2)
    samples = {
        "value": value if isinstance(value, Sample) else sample("bore", value),
        "part": sample("part", part),
        "product": sample("product", product),
    }
    return Observation(
        id="cell.1.1",
        agent="spc",
        trigger=TagEdge(source="plc.count", before=sample("count", 1), now=now),
        samples=samples,
        memory=memory or {},
    )


def config(**given: Any) -> SpcConfig:
    return SpcConfig.model_validate({"characteristic": "bore", "unit": "mm", **given})


def run(
    agent: SpcAgent, values: Iterable[float], memory: Any = None, **seen: Any
) -> list[Decision]:
    """Decide on value after value, the memory going through the journal's codec."""
    decided = []
    for value in values:
        decision = agent.decide(observe(value, memory, **seen), {})
        assert decision.memory is not None
        memory = from_json(dict[str, Any])(to_json(decision.memory))
        decided.append(decision)
    return decided


def normal(count: int, seed: int = 5, mean: float = 10.0, sigma: float = 0.1) -> list[float]:
    draw = random.Random(seed)
    return [draw.gauss(mean, sigma) for _ in range(count)]


def events(decided: Sequence[Decision], name: str) -> list[int]:
    return [
        at
        for at, decision in enumerate(decided)
        for body in decision.events
        if isinstance(body, CustomEvent) and body.name == name
    ]


def test_a_shift_is_found_and_said_once_and_its_end_too() -> None:
    agent = SpcAgent(config())
    decided = run(agent, [*normal(25), *normal(20, 6), *normal(12, 7, mean=10.5), *normal(9, 12)])
    assert all(not d.explanations for d in decided[:25]), "no limits, no chart"
    assert decided[25].explanations[0].chart == "bore, ring: single values"
    assert events(decided[:45], OUT_OF_CONTROL) == []
    shifted = events(decided[45:57], OUT_OF_CONTROL)
    assert shifted
    assert shifted[0] <= 1
    assert len(shifted) <= 4, "what is known is not said again with each point"
    back = events(decided[57:], IN_CONTROL)
    assert len(back) == 1
    first = decided[45 + shifted[0]]
    assert first.explanations[0].broken
    assert "beyond" in first.reason
    body = first.events[0]
    assert isinstance(body, CustomEvent)
    assert body.data["part"] == "R-1"
    assert body.data["value"] > body.data["centre"]


def test_a_trend_is_found_before_the_tolerance_is_left() -> None:
    agent = SpcAgent(config(tolerance={"ring": {"lower": 9.0, "upper": 11.0}}))
    wear = [value + 0.03 * n for n, value in enumerate(normal(40, 9))]
    decided = run(agent, [*normal(25), *wear])
    alarm = events(decided, OUT_OF_CONTROL)[0]
    outside = [
        at
        for at, d in enumerate(decided)
        if any(isinstance(body, Nonconformance) for body in d.events)
    ]
    assert outside
    assert alarm < outside[0]
    body = next(b for b in decided[outside[0]].events if isinstance(b, Nonconformance))
    assert body.limit == 11.0
    assert body.measured is not None
    assert body.measured > 11.0


def test_limits_are_not_taken_from_what_is_out_of_control() -> None:
    values = normal(25)
    values[12] += 1.5
    decided = run(SpcAgent(config()), [*values, *normal(30, 6)])
    assert "not in control" in decided[24].reason
    charted = [d for d in decided if d.explanations]
    assert charted, "the study goes on and ends"
    assert charted[0].explanations[0].upper < 10.6


def test_means_and_ranges() -> None:
    agent = SpcAgent(config(subgroup=4, baseline=20, most_products=4))
    narrow = [*normal(80), *normal(40, 6)]
    wide = normal(24, 7, sigma=0.4)
    decided = run(agent, [*narrow, *wide])
    charted = [d for d in decided if d.explanations]
    assert len(charted) == (40 + 24) // 4
    assert charted[0].explanations[0].chart.endswith("means")
    found = [d.explanations[1] for d in decided[120:] if d.explanations]
    assert any(point.broken for point in found), "a wider spread is seen by the ranges"


def test_products_have_charts_of_their_own_and_the_least_recent_is_forgotten() -> None:
    agent = SpcAgent(config(most_products=2, baseline=10))
    memory: Any = {}
    for product, mean in (("a", 10.0), ("b", 90.0), ("a", 10.0)):
        decided = run(agent, normal(11, mean=mean), memory, product=product)
        memory = decided[-1].memory
    assert decided[-1].explanations[0].centre == pytest.approx(10, abs=0.2)
    run(agent, normal(1), memory, product="c")
    memory = run(agent, normal(1), memory, product="c")[-1].memory
    assert "value 1 of" in run(agent, normal(1, mean=90), memory, product="b")[0].reason
    assert run(agent, normal(1), memory, product="a")[0].explanations


def test_capability_stands_with_its_interval_beside_it() -> None:
    agent = SpcAgent(config(tolerance={"any": {"lower": 9.5, "upper": 10.5}}))
    scores = run(agent, normal(26))[-1].scores
    assert scores["cp_low"] < scores["cp"] < scores["cp_high"]
    assert scores["cpk"] <= scores["cp"]
    assert scores["capability_items"] == 25
    alone = run(SpcAgent(config(tolerance={"any": {"upper": 10.5}})), normal(26))[-1].scores
    assert "cp" not in alone
    assert alone["cpk_low"] < alone["cpk"]


@pytest.mark.parametrize(
    "worse",
    [
        sample("bore", 10.0, Quality.BAD),
        sample("bore", 10.0, Quality.STALE),
        sample("bore", None),
        sample("bore", "10.0"),
        sample("bore", True),
    ],
)
def test_what_is_no_good_value_is_not_charted(worse: Sample) -> None:
    decision = SpcAgent(config()).decide(observe(worse, {"products": ["x"]}), {})
    assert decision.memory is None
    assert not decision.events
    assert "no good value" in decision.reason


def test_values_that_do_not_differ_give_no_limits() -> None:
    decided = run(SpcAgent(config(baseline=10)), [5.0] * 40)
    assert not any(d.explanations for d in decided)


@pytest.mark.parametrize(
    "wrong",
    [
        {"rules": [9]},
        {"rules": []},
        {"subgroup": 11},
        {"subgroup": 10, "baseline": 60},
        {"tolerance": {"ring": {}}},
        {"tolerance": {"ring": {"lower": 2, "upper": 1}}},
    ],
)
def test_settings_that_make_no_sense_are_refused(wrong: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        config(**wrong)
