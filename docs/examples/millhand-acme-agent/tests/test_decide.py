"""The agent alone: an observation in, a decision out. No engine, no device."""

from __future__ import annotations

import pytest
from millhand_acme_agent.agent import Checkweigher
from millhand_acme_agent.config import CheckweigherConfig

from millhand.contracts import Observation, PartTrigger, Quality, Sample, Verdict

AGENT = Checkweigher(CheckweigherConfig(nominal_g=500, tolerance_g=5, uncertainty_g=1))


def observation(weight: float | None, quality: Quality = Quality.GOOD, **more) -> Observation:
    sample = Sample(
        tag="weight", value=weight, quality=quality, received_utc_ns=0, received_monotonic_ns=0
    )
    trigger = PartTrigger(
        source="plc.trigger",
        trigger_seq=1,
        part_id="P1",
        plc_tick=0,
        detected_utc_ns=0,
        detected_monotonic_ns=0,
    )
    return Observation(
        id="cell.1.1", agent="scale", trigger=trigger, samples={"weight": sample}, **more
    )


@pytest.mark.parametrize(
    ("weight", "verdict"),
    [
        (500.0, Verdict.OK),
        (504.0, Verdict.OK),
        (505.0, Verdict.NOT_DECIDABLE),
        (494.5, Verdict.NOT_DECIDABLE),
        (506.5, Verdict.NOT_OK),
        (12.0, Verdict.NOT_OK),
    ],
)
def test_the_verdict_follows_from_the_weight(weight: float, verdict: Verdict) -> None:
    assert AGENT.decide(observation(weight), {}).verdict is verdict


@pytest.mark.parametrize("quality", [Quality.BAD, Quality.UNCERTAIN, Quality.DISCONNECTED])
def test_a_weight_that_is_not_good_decides_nothing(quality: Quality) -> None:
    assert AGENT.decide(observation(500.0, quality), {}).verdict is Verdict.NOT_DECIDABLE


def test_other_agents_hear_of_a_bad_part() -> None:
    (event,) = AGENT.decide(observation(510.0), {}).events
    assert (event.part_id, event.measured) == ("P1", 510.0)


def test_it_remembers_the_mean_of_good_parts_only() -> None:
    memory = {}
    for weight in (499.0, 501.0, 520.0):
        decision = AGENT.decide(observation(weight, memory=memory), {})
        memory = memory if decision.memory is None else decision.memory
    assert memory == {"count": 2, "mean_g": 500.0}


def test_the_same_observation_gives_the_same_decision() -> None:
    seen = observation(503.0, memory={"count": 7, "mean_g": 499.25})
    assert AGENT.decide(seen, {}) == AGENT.decide(seen, {})
