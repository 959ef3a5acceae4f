"""The kit for agents on ``quality.inspect``, with a package fitted for it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, ClassVar

import pytest

from millhand.contracts import Models, Observation
from millhand.testing.conformance import AgentBench, AgentCapability, AgentKit
from millhand_quality.inspect.agent import InspectAgent
from millhand_quality.inspect.config import InspectConfig

from .conftest import make_part, scratch
from .test_agent import OpenPackage, observe, package

__all__ = ["package"]


class InspectBench(AgentBench):
    def __init__(self, model: OpenPackage) -> None:
        self._model = model

    def agent(self) -> InspectAgent:
        return InspectAgent(InspectConfig())

    def models(self) -> Models:
        return {"model": self._model}

    def observations(self) -> Sequence[Observation]:
        good, other = make_part(3), make_part(4)
        return [observe(good), observe(other), observe(scratch(good))]


class TestInspect(AgentKit):
    subject = "quality.inspect"
    lacks: ClassVar[dict[str, str]] = {
        AgentCapability.SAMPLES: "it looks at a picture, not at values of tags",
    }

    @pytest.fixture
    def bench(self, package: Any) -> InspectBench:
        return InspectBench(OpenPackage(package))
