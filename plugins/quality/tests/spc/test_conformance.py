"""The kit for agents on ``quality.spc``."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

import msgspec
import pytest

from millhand.contracts import Models, Observation
from millhand.testing.conformance import AgentBench, AgentCapability, AgentKit
from millhand_quality.spc.agent import SpcAgent

from .test_agent import config, normal, observe, run


class SpcBench(AgentBench):
    def agent(self) -> SpcAgent:
        return SpcAgent(config(tolerance={"any": {"lower": 9.9, "upper": 10.1}}))

    def models(self) -> Models:
        return {}

    def observations(self) -> Sequence[Observation]:
        memory = run(self.agent(), normal(30))[-1].memory
        values = [*normal(6, 4), 20.0]
        seen = [observe(value, product=p) for value in values for p in ("ring", "disc")]
        return [*seen, msgspec.structs.replace(seen[-2], memory=memory)]


class TestSpc(AgentKit):
    subject = "quality.spc"
    lacks: ClassVar[dict[str, str]] = {
        AgentCapability.VERDICT: "it judges a process, not a part",
    }

    @pytest.fixture
    def bench(self) -> SpcBench:
        return SpcBench()
