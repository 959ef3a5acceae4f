"""The agent: names the kind of a curve that arrives as arrays of tags, or says why it cannot."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from millhand.contracts import CustomEvent, Observation, Quality, Sample, TagEdge
from millhand.errors import PackageError
from millhand_quality.signals.agent import CURVE_NAMED, SignalsAgent
from millhand_quality.signals.config import SignalsConfig


class Classifier:
    """Calls high what is above 1 in its first channel."""

    package_id = "curves-1"

    def __init__(self, answer_from: float = 0.7) -> None:
        self.parameters: Mapping[str, Any] = {
            "classes": ("good", "high"),
            "channels": 2,
            "length": 4,
            "answer_from": answer_from,
        }

    def __call__(self, **inputs: NDArray[Any]) -> Mapping[str, NDArray[Any]]:
        curve = inputs["signal"]
        assert (curve.shape, curve.dtype) == ((2, 4), np.float32)
        high = curve[0].max() > 1
        return {"probabilities": np.array([0.1, 0.9] if high else [0.6, 0.4], np.float32)}


def sample(value: Any, quality: Quality = Quality.GOOD) -> Sample:
    return Sample(tag="x", value=value, quality=quality, received_utc_ns=1, received_monotonic_ns=1)


WAY = sample([0, 1, 2, 3])


def decide(force: Any, way: Sample = WAY, model: Classifier | None = None) -> Any:
    assert agent().needs().samples == {"force", "way"}
    return agent().decide(observe(force, way), {"curves": model or Classifier()})


def agent() -> SignalsAgent:
    return SignalsAgent(SignalsConfig(channels=("force", "way")))


def observe(force: Sample, way: Sample = WAY) -> Observation:
    return Observation(
        id="cell.1.1",
        agent="curves",
        trigger=TagEdge(source="plc.count", before=sample(1), now=sample(2)),
        samples={"force": force, "way": way},
        product="ring",
    )


def test_it_names_the_kind_and_says_how_sure() -> None:
    decision = decide(sample([0.5, 2, 0.5, 0]))
    assert decision.confidence == pytest.approx(0.9)
    assert decision.reason == "high, 90 % sure"
    assert decision.scores == pytest.approx({"p_good": 0.1, "p_high": 0.9})
    (event,) = decision.events
    assert isinstance(event, CustomEvent)
    assert event.name == CURVE_NAMED
    assert event.data["kind"] == "high"
    assert decision.models == {"curves": "curves-1"}
    assert not decision.actions


def test_below_what_is_proven_it_abstains() -> None:
    decision = decide(sample([0, 0.0, 0, 0]))
    assert decision.confidence is None
    assert "cannot tell" in decision.reason
    assert decision.events[0].data["kind"] is None
    assert "no error rate" in decide(sample([0, 2, 0, 0]), model=Classifier(2.0)).reason


@pytest.mark.parametrize(
    "force",
    [
        sample([0, 2, 0, 0], Quality.BAD),
        sample(1.0),
        sample([]),
        sample([0, None, 1, 2]),
        sample([0, "2", 1, 2]),
        sample([True, False, True, True]),
        sample([0, float("inf"), 1, 2]),
        sample([0, 1, 2]),
    ],
)
def test_what_is_no_good_curve_is_not_guessed_at(force: Sample) -> None:
    decision = decide(force)
    assert decision.confidence is None
    assert decision.reason == "There is no good curve of this part."
    assert not decision.events


def test_a_curve_of_another_length_is_said() -> None:
    longer = sample([0, 1, 2, 3, 4])
    decision = decide(longer, longer)
    assert "2 channels of 5 values, the model wants 2 of 4" in decision.reason


def test_a_package_for_another_agent_is_refused() -> None:
    model = Classifier()
    model.parameters = {"classes": ("good", "high"), "side": 64, "answer_from": 0.5}
    with pytest.raises(PackageError, match="no classifier"):
        decide(sample([0, 2, 0, 0]), model=model)
