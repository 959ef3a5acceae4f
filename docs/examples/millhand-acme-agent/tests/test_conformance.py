"""The kit for agents."""

from __future__ import annotations

import pytest
from millhand_acme_agent.agent import Checkweigher
from millhand_acme_agent.config import CheckweigherConfig

from millhand.contracts import Observation, PartTrigger, Quality, Sample
from millhand.testing.conformance import AgentBench, AgentKit


class CheckweigherBench(AgentBench):
    def agent(self) -> Checkweigher:
        return Checkweigher(CheckweigherConfig(nominal_g=500, tolerance_g=5, uncertainty_g=1))

    def observations(self) -> list[Observation]:
        return [weighed(weight) for weight in (500.0, 504.5, 505.5, 520.0)]


def weighed(weight: float) -> Observation:
    trigger = PartTrigger(
        source="plc.trigger",
        trigger_seq=1,
        part_id="P1",
        plc_tick=0,
        detected_utc_ns=0,
        detected_monotonic_ns=0,
    )
    sample = Sample(
        tag="weight",
        value=weight,
        quality=Quality.GOOD,
        received_utc_ns=0,
        received_monotonic_ns=0,
    )
    return Observation(id="cell.1.1", agent="scale", trigger=trigger, samples={"weight": sample})


class TestCheckweigher(AgentKit):
    subject = "acme.checkweigher"

    @pytest.fixture
    def bench(self) -> CheckweigherBench:
        return CheckweigherBench()
