"""The whole graph against the numpy pipeline, for every candidate and kind of frame."""

from __future__ import annotations

import numpy as np
import onnx
import pytest

from millhand.errors import ConfigError
from millhand_quality.inspect.detector import Detector, enlarged, fit_detector, folds
from millhand_quality.inspect.features import FeatureExtractor, plan_input
from millhand_quality.inspect.inspector import GraphRunner
from millhand_quality.inspect.pictures import Shape
from millhand_quality.inspect.select import CANDIDATES, taps_of

from .conftest import make_part, scratch


def build(name: str, frame: Shape, size: int = 96) -> tuple[Detector, FeatureExtractor]:
    plan = plan_input(frame, size)
    extractor = FeatureExtractor(plan, taps_of({name: CANDIDATES[name]}))
    pictures = [make_part(seed, frame.channels, frame.height) for seed in range(8)]
    features = extractor.stack(pictures)
    return fit_detector(plan, CANDIDATES[name], features, [str(one) for one in range(8)]), extractor


@pytest.mark.parametrize("name", list(CANDIDATES))
@pytest.mark.parametrize(
    "frame", [Shape(96, 96, 3), Shape(150, 150, 1), Shape(250, 250, 3)], ids=str
)
def test_graph_equals_numpy(name: str, frame: Shape) -> None:
    detector, extractor = build(name, frame)
    runner = GraphRunner(detector.graph().SerializeToString())
    for pixels in (
        make_part(20, frame.channels, frame.height),
        scratch(make_part(21, frame.channels, frame.height)),
    ):
        reading = runner(pixels)
        maps = detector.maps({taps: one[None] for taps, one in extractor(pixels).items()})
        assert reading.heat.shape == detector.grid
        np.testing.assert_allclose(reading.heat, maps.heat[0], atol=1e-4, rtol=1e-4)
        assert reading.score == pytest.approx(maps.score[0], rel=1e-4)
        assert reading.novelty == pytest.approx(maps.novelty[0], rel=1e-4)


def test_graph_is_one_self_contained_file() -> None:
    model = build("fused", Shape(96, 96, 3))[0].graph()
    assert [one.name for one in model.graph.input] == ["image"]
    assert {one.name for one in model.graph.output} == {"score", "heat", "novelty"}
    assert all(not one.external_data for one in model.graph.initializer)
    assert {one.domain for one in model.opset_import} == {""}
    onnx.checker.check_model(model, full_check=True)


def test_same_pictures_give_the_same_graph() -> None:
    graphs = [build("bank", Shape(96, 96, 3))[0].graph().SerializeToString() for _ in range(2)]
    assert graphs[0] == graphs[1]


def test_a_defect_is_found_where_it_is() -> None:
    detector, _ = build("padim-fine", Shape(96, 96, 3))
    runner = GraphRunner(detector.graph().SerializeToString())
    whole, hurt = make_part(30), scratch(make_part(30), row=40)
    assert runner(hurt).score > 1.5 * runner(whole).score
    row, column = np.unravel_index(runner(hurt).heat.argmax(), detector.grid)
    stride = 96 // detector.grid[0]
    assert 36 <= row * stride <= 48
    assert 10 <= column * stride <= 28


def test_a_foreign_picture_is_novel_and_a_defect_is_not() -> None:
    detector, _ = build("diagonal", Shape(96, 96, 3))
    runner = GraphRunner(detector.graph().SerializeToString())
    ordinary = max(runner(make_part(seed)).novelty for seed in range(40, 50))
    assert runner(scratch(make_part(41))).novelty < 2 * ordinary
    assert runner(np.zeros((96, 96, 3), np.uint8)).novelty > 3 * ordinary


@pytest.mark.parametrize(
    ("frame", "size", "wanted"),
    [
        (Shape(256, 256, 3), 256, (256, 256)),
        (Shape(460, 1130, 3), 392, (256, 608)),
        (Shape(2048, 2448, 3), 256, (240, 272)),
        (Shape(100, 100, 3), 256, (96, 96)),
        (Shape(64, 900, 1), 256, (64, 896)),
    ],
)
def test_input_keeps_proportion_and_never_grows(
    frame: Shape, size: int, wanted: tuple[int, int]
) -> None:
    plan = plan_input(frame, size)
    assert (plan.height, plan.width) == wanted
    assert plan.height <= frame.height
    assert plan.width <= frame.width


def test_tiny_pictures_are_refused() -> None:
    with pytest.raises(ConfigError, match="too small"):
        plan_input(Shape(40, 200, 3), 256)


def test_enlarging_equals_half_pixel_interpolation() -> None:
    import cv2

    heat = np.random.default_rng(0).uniform(size=(2, 4, 5)).astype(np.float32)
    for one, large in zip(heat, enlarged(heat, (16, 20)), strict=True):
        wanted = cv2.resize(one, (20, 16), interpolation=cv2.INTER_LINEAR)
        np.testing.assert_allclose(large, wanted, atol=1e-5)


def test_folds_never_part_a_part() -> None:
    parts = [f"p{index // 3}" for index in range(30)]
    dealt = folds(parts, 4)
    assert sorted(index for fold in dealt for index in fold) == list(range(30))
    for fold in dealt:
        inside = {parts[index] for index in fold}
        assert not inside & {parts[index] for index in range(30) if index not in set(fold)}
