"""The agent: a pure function of frame and model."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from observing import observation

from millhand.contracts import (
    ActionKind,
    HeatMap,
    Nonconformance,
    Observation,
    TriggerKind,
    Verdict,
)
from millhand.contracts.codec import from_json, to_json
from millhand.errors import PackageError
from millhand.models.package import Package
from millhand_quality.inspect.agent import AT_THRESHOLD, InspectAgent
from millhand_quality.inspect.config import InspectConfig
from millhand_quality.inspect.fit import FitRequest, fit_package
from millhand_quality.inspect.inspector import GraphRunner

from .conftest import make_part, scratch, write_folder


class OpenPackage:
    """A package as the worker opens it."""

    def __init__(self, package: Package, **changed: Any) -> None:
        self.package_id = package.id
        self.parameters: Mapping[str, Any] = {**package.manifest.parameters, **changed}
        self._runner = GraphRunner((package.folder / "model.onnx").read_bytes())

    def __call__(self, **inputs: NDArray[Any]) -> Mapping[str, NDArray[Any]]:
        return self._runner(inputs["image"]).outputs()


@pytest.fixture(scope="module")
def package(tmp_path_factory: pytest.TempPathFactory) -> Package:
    root = tmp_path_factory.mktemp("agent")
    folder = write_folder(root / "ring", 40)
    request = FitRequest(
        folder, root / "out", "ring", head="diagonal", size=96, false_reject_rate=0.05
    )
    return fit_package(request).package


def observe(pixels: NDArray[np.uint8] | None) -> Observation:
    return observation(pixels, "inspector", lot="L7")


def agent(**settings: Any) -> InspectAgent:
    return InspectAgent(InspectConfig(**settings))


def test_needs() -> None:
    needs = agent().needs()
    assert needs.triggers == {TriggerKind.PART}
    assert needs.frames == {"frame"}
    assert needs.models == {"model"}
    assert needs.actions == {"disposition": ActionKind.SEND_DISPOSITION}


def test_a_good_part_is_ok(package: Package) -> None:
    decision = agent().decide(observe(make_part(3)), {"model": OpenPackage(package)})
    assert decision.verdict is Verdict.OK
    assert decision.events == ()
    assert decision.confidence is None
    assert decision.models == {"model": package.id}
    assert decision.scores["score"] <= decision.scores["limit"]
    assert 0 < decision.scores["p_good"] <= 1


def test_a_scratched_part_is_reported_and_explained(package: Package) -> None:
    decision = agent().decide(observe(scratch(make_part(3))), {"model": OpenPackage(package)})
    assert decision.verdict is Verdict.NOT_OK
    (event,) = decision.events
    assert isinstance(event, Nonconformance)
    assert (event.part_id, event.product, event.lot) == ("P1", "ring", "L7")
    assert event.evidence == ("ab" * 32,)
    assert event.measured is not None
    assert event.limit is not None
    assert event.measured > event.limit
    (heat,) = decision.explanations
    assert isinstance(heat, HeatMap)
    cells = np.frombuffer(heat.values, np.uint8).reshape(heat.rows, heat.columns)
    assert heat.at_threshold == AT_THRESHOLD
    assert cells.max() > AT_THRESHOLD
    row, column = np.unravel_index(cells.argmax(), cells.shape)
    assert abs((row + 0.5) * 96 / heat.rows - 50) <= 12
    assert abs((column + 0.5) * 96 / heat.columns - 20) <= 14


def test_decisions_are_the_same_every_time_and_survive_the_journal(package: Package) -> None:
    seen = observe(scratch(make_part(5)))
    first = agent().decide(seen, {"model": OpenPackage(package)})
    second = agent().decide(seen, {"model": OpenPackage(package)})
    assert to_json(first) == to_json(second)
    assert from_json(type(first))(to_json(first)) == first


@pytest.mark.parametrize("pixels", [make_part(1, size=100), make_part(1, channels=1)], ids=str)
def test_another_frame_is_not_decidable(package: Package, pixels: NDArray[np.uint8]) -> None:
    decision = agent().decide(observe(pixels), {"model": OpenPackage(package)})
    assert decision.verdict is Verdict.NOT_DECIDABLE
    assert "fitted on" in decision.reason


def test_no_frame_and_no_model_are_not_decidable(package: Package) -> None:
    assert agent().decide(observe(None), {"model": OpenPackage(package)}).verdict is (
        Verdict.NOT_DECIDABLE
    )
    assert agent().decide(observe(make_part(1)), {}).verdict is Verdict.NOT_DECIDABLE


def test_between_the_thresholds_nothing_is_decided(package: Package) -> None:
    seen = observe(make_part(3))
    score = agent().decide(seen, {"model": OpenPackage(package)}).scores["score"]
    band = OpenPackage(package, pass_up_to=score - 0.01, reject_above=score + 0.01)
    assert agent().decide(seen, {"model": band}).verdict is Verdict.NOT_DECIDABLE
    assert agent(abstain=False).decide(seen, {"model": band}).verdict is Verdict.OK


def test_a_dark_picture_blames_the_camera(package: Package) -> None:
    dark = np.zeros((96, 96, 3), np.uint8)
    decision = agent().decide(observe(dark), {"model": OpenPackage(package)})
    assert decision.verdict is Verdict.NOT_DECIDABLE
    assert "whole picture" in decision.reason


def test_no_number_is_not_decidable(package: Package) -> None:
    class Broken(OpenPackage):
        def __call__(self, **inputs: NDArray[Any]) -> Mapping[str, NDArray[Any]]:
            nan = np.array([np.nan], np.float32)
            return {"score": nan, "novelty": nan, "heat": np.full((6, 6), np.nan, np.float32)}

    decision = agent().decide(observe(make_part(1)), {"model": Broken(package)})
    assert decision.verdict is Verdict.NOT_DECIDABLE
    assert b"NaN" not in to_json(decision)


def test_a_package_of_another_kind_is_refused(package: Package) -> None:
    with pytest.raises(PackageError, match="do not fit"):
        agent().decide(observe(make_part(1)), {"model": OpenPackage(package, reject_above="high")})


def test_settings_silence_what_nobody_wants(package: Package) -> None:
    quiet = agent(heat_map=False, report_nonconformance=False)
    decision = quiet.decide(observe(scratch(make_part(3))), {"model": OpenPackage(package)})
    assert decision.verdict is Verdict.NOT_OK
    assert decision.events == ()
    assert decision.explanations == ()


class Counted(OpenPackage):
    """A package that knows how often it was asked."""

    def __init__(self, package: Package, **changed: Any) -> None:
        super().__init__(package, **changed)
        self.asked = 0

    def __call__(self, **inputs: NDArray[Any]) -> Mapping[str, NDArray[Any]]:
        self.asked += 1
        return super().__call__(**inputs)


def test_without_a_cascade_no_quick_model_is_wanted() -> None:
    assert agent().needs().models == {"model"}
    assert agent(clear_from=0.2).needs().models == {"model", "quick"}


def test_the_quick_model_clears_what_is_ordinary(package: Package) -> None:
    quick, model = Counted(package), Counted(package)
    quick.package_id = "quick@0"
    quick.parameters = {**quick.parameters, "calibration": [1e9]}
    decision = agent(clear_from=0.9).decide(
        observe(make_part(70)), {"model": model, "quick": quick}
    )
    assert (decision.verdict, model.asked) == (Verdict.OK, 0)
    assert decision.models == {"quick": "quick@0"}
    assert "quick model" in decision.reason
    assert decision.scores["quick"] == 1
    assert isinstance(decision.explanations[0], HeatMap)


@pytest.mark.parametrize("picture", ["ordinary enough is not", "defective"])
def test_what_the_quick_model_does_not_clear_the_other_decides(
    package: Package, picture: str
) -> None:
    quick, model = Counted(package), Counted(package)
    quick.package_id = "quick@0"
    pixels = make_part(70)
    if picture == "defective":
        pixels = scratch(pixels)
    else:
        quick.parameters = {**quick.parameters, "calibration": [0.0]}
    alone = agent().decide(observe(pixels), {"model": model})
    decision = agent(clear_from=0.9).decide(observe(pixels), {"model": model, "quick": quick})
    assert (decision.verdict, decision.reason) == (alone.verdict, alone.reason)
    assert (quick.asked, model.asked) == (1, 2)
    assert decision.models == {"model": package.id, "quick": "quick@0"}
    assert decision.scores["quick"] < 0.9


def test_a_part_that_the_quick_model_would_reject_is_not_cleared(package: Package) -> None:
    """Whatever share is asked: a verdict of its own other than OK goes on to the other model."""
    quick = Counted(package, pass_up_to=-2.0, reject_above=-1.0, calibration=[1e9])
    quick.package_id = "quick@0"
    model = Counted(package)
    agent(clear_from=0.0001).decide(observe(make_part(70)), {"model": model, "quick": quick})
    assert model.asked == 1


def test_a_quick_model_for_another_camera_leaves_all_to_the_other(package: Package) -> None:
    other = {**package.manifest.parameters["frame"], "height": 50}
    quick, model = Counted(package, frame=other), Counted(package)
    quick.package_id = "quick@0"
    decision = agent(clear_from=0.1).decide(
        observe(make_part(70)), {"model": model, "quick": quick}
    )
    assert (quick.asked, model.asked) == (0, 1)
    assert decision.models == {"model": package.id}
