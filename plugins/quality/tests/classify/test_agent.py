"""The agent: looks where the inspector is alarmed, names what is there, or says that it cannot."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from observing import observation

from millhand.contracts import CustomEvent, Highlight, Observation
from millhand.errors import PackageError
from millhand_quality.classify.agent import ClassifyAgent
from millhand_quality.classify.config import ClassifyConfig
from millhand_quality.classify.crop import cut

CLASSES = ("good", "pit", "scratch")


class Inspector:
    """Is alarmed by bright pixels: a heat map of cells of 8 pixels."""

    package_id = "inspector-1"
    parameters: Mapping[str, Any] = {
        "frame": {"height": 96, "width": 128, "channels": 3},
        "detector": "bright",
        "pass_up_to": 1.0,
        "reject_above": 1.5,
        "novelty_above": 9.0,
        "calibration": [0.5, 1.0],
        "asked_rate": 0.05,
        "promised_rate": 0.05,
        "undecided_rate": 0.0,
        "guarantee": "estimate",
    }

    def __call__(self, **inputs: NDArray[Any]) -> Mapping[str, NDArray[Any]]:
        cells = inputs["image"][..., 0].reshape(12, 8, 16, 8).max(axis=(1, 3)) / 100.0
        heat = cells.astype(np.float32)
        return {"score": np.array([heat.max()], np.float32), "heat": heat, "novelty": np.zeros(1)}


class Classifier:
    """Says pit where the middle of the square is bright, scratch where the upper left is."""

    package_id = "kinds-1"

    def __init__(self, answer_from: float = 0.8) -> None:
        self.parameters: Mapping[str, Any] = {
            "classes": CLASSES,
            "side": 32,
            "answer_from": answer_from,
        }
        self.seen: list[NDArray[Any]] = []

    def __call__(self, **inputs: NDArray[Any]) -> Mapping[str, NDArray[Any]]:
        square = inputs["image"]
        assert square.shape == (32, 32, 3)
        assert square.dtype == np.uint8
        self.seen.append(square)
        bright = square[12:20, 12:20].max() > 150
        return {"probabilities": np.array([0.05, 0.9, 0.05] if bright else [0.3, 0.3, 0.4])}


def observe(pixels: NDArray[np.uint8] | None) -> Observation:
    return observation(pixels, "kinds")


def part(row: int | None = None, column: int = 0) -> NDArray[np.uint8]:
    pixels = np.full((96, 128, 3), 40, np.uint8)
    if row is not None:
        pixels[row, column] = 200
    return pixels


def decide(pixels: Any, classifier: Classifier, **settings: Any) -> Any:
    agent = ClassifyAgent(ClassifyConfig(**settings))
    return agent.decide(observe(pixels), {"where": Inspector(), "kinds": classifier})


@pytest.mark.parametrize(("row", "column"), [(50, 70), (3, 2), (95, 127), (0, 127)])
def test_it_looks_where_the_inspector_is_alarmed(row: int, column: int) -> None:
    classifier = Classifier()
    decision = decide(part(row, column), classifier)
    assert decision.verdict is None, "it judges no part"
    assert decision.confidence == pytest.approx(0.9)
    assert decision.reason == "pit, 90 % sure"
    (event,) = decision.events
    assert isinstance(event, CustomEvent)
    assert (event.name, event.data["part"], event.data["kind"]) == (
        "quality.kind_found",
        "P1",
        "pit",
    )
    (shown,) = decision.explanations
    assert isinstance(shown, Highlight)
    assert abs(int(str(shown.fields["row"])) - row) <= 4
    assert abs(int(str(shown.fields["column"])) - column) <= 4
    assert decision.models == {"where": "inspector-1", "kinds": "kinds-1"}


def test_below_its_proven_confidence_it_does_not_answer() -> None:
    decision = decide(part(50, 70), Classifier(answer_from=0.95))
    assert decision.confidence is None
    assert "cannot tell" in decision.reason
    assert decision.events[0].data["kind"] is None
    assert decision.scores["p_pit"] == pytest.approx(0.9)
    assert "has proven no error rate" in decide(part(50, 70), Classifier(answer_from=2.0)).reason


def test_a_part_that_nothing_is_wrong_with_is_not_classified() -> None:
    classifier = Classifier()
    decision = decide(part(), classifier)
    assert not classifier.seen
    assert not decision.events
    assert decide(part(), classifier, everything=True).events
    assert len(classifier.seen) == 1


def test_without_picture_or_with_another_size_it_says_so() -> None:
    assert "no picture" in decide(None, Classifier()).reason
    assert "another size" in decide(np.zeros((10, 10, 3), np.uint8), Classifier()).reason


def test_a_package_of_another_kind_is_refused() -> None:
    other = Classifier()
    other.parameters = {"classes": ["a"]}
    with pytest.raises(PackageError):
        decide(part(50, 70), other)


def test_beyond_the_edge_the_picture_is_mirrored() -> None:
    pixels = np.arange(5 * 6 * 1, dtype=np.uint8).reshape(5, 6, 1)
    square = cut(pixels, 0, 0, 4)
    assert square.shape == (4, 4, 3)
    assert square[2:, 2:, 0].tolist() == pixels[:2, :2, 0].tolist()
    assert square[1, 2:, 0].tolist() == pixels[1, :2, 0].tolist(), "row -1 is row 1"
    far = cut(np.zeros((3, 3, 3), np.uint8), 1, 1, 64)
    assert far.shape == (64, 64, 3)
