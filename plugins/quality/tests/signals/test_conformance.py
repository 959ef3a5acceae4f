"""The kit for agents on ``quality.signals``."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

import pytest

from millhand.contracts import Models, Observation
from millhand.testing.conformance import AgentBench, AgentCapability, AgentKit
from millhand_quality.signals.agent import SignalsAgent

from .test_agent import Classifier, agent, observe, sample


class CurvesBench(AgentBench):
    def agent(self) -> SignalsAgent:
        return agent()

    def models(self) -> Models:
        return {"curves": Classifier()}

    def observations(self) -> Sequence[Observation]:
        return [observe(sample(values)) for values in ([0, 2, 0, 0], [0, 0, 0, 0], [0, 1])]


class TestSignals(AgentKit):
    subject = "quality.signals"
    lacks: ClassVar[dict[str, str]] = {
        AgentCapability.VERDICT: "it names a curve's kind and judges no part",
    }

    @pytest.fixture
    def bench(self) -> CurvesBench:
        return CurvesBench()
