"""The general student: starts as the trunk's blocks, is exported as it was, learns in pieces."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

torch = pytest.importorskip("torch")

from millhand_quality.inspect.distil.general.__main__ import student_bytes  # noqa: E402
from millhand_quality.inspect.distil.general.net import StudentNet  # noqa: E402
from millhand_quality.inspect.distil.general.pool import (  # noqa: E402
    PAIRS_OF_SHARD,
    SIDE,
    pictures_of,
)
from millhand_quality.inspect.distil.general.textures import KINDS, surface  # noqa: E402
from millhand_quality.inspect.distil.general.training import TrainingPlan, train  # noqa: E402
from millhand_quality.inspect.distil.trunk import Trunk  # noqa: E402
from millhand_quality.inspect.features import (  # noqa: E402
    FeatureExtractor,
    image_spec,
    plan_input,
    record_pixels,
)
from millhand_quality.inspect.network import FLOAT, Recorder  # noqa: E402
from millhand_quality.inspect.pictures import Shape  # noqa: E402
from millhand_quality.inspect.runtime import open_session  # noqa: E402
from millhand_quality.inspect.student import (  # noqa: E402
    STUDENT_FILE,
    record_student,
    student_parameter_names,
    student_parameters,
)
from millhand_quality.inspect.trunk import PIXEL_MEAN, trunk_parameters  # noqa: E402

RANDOM = np.random.default_rng(0)


def test_it_starts_as_the_trunk_on_half_the_size() -> None:
    net = StudentNet().eval()
    net.start.take(trunk_parameters())
    x = torch.from_numpy(RANDOM.integers(0, 256, (2, 3, 64, 96)).astype(np.float32))
    with torch.no_grad():
        half = torch.nn.functional.avg_pool2d(x, 2)
        (wanted,) = Trunk(4).load_folded(trunk_parameters())(half, (4,))
        torch.testing.assert_close(net.start(x), wanted, atol=2e-3, rtol=1e-4)


def test_the_exported_graph_is_what_learnt() -> None:
    net = StudentNet()
    net.start.take(trunk_parameters())
    x = RANDOM.integers(0, 256, (64, 96, 3), np.uint8)
    planes = torch.from_numpy(x).permute(2, 0, 1)[None].float()
    net.train()(planes.repeat(2, 1, 1, 1))  # normalisation has seen something
    net.eval()
    mean, deviation = RANDOM.normal(size=112), RANDOM.uniform(0.5, 2, 112)
    arrays = net.arrays(mean.astype(np.float32), deviation.astype(np.float32))
    assert set(arrays) == set(student_parameter_names())
    recorder, plan = Recorder(), plan_input(Shape(64, 96, 3), 80)
    pixels = record_pixels(recorder, plan, PIXEL_MEAN)
    name = record_student(recorder, pixels, 3, arrays)[10]
    model = recorder.model({"image": image_spec(plan)}, {name: (FLOAT, (1, 112, 4, 6))}, "test")
    (found,) = open_session(model.SerializeToString()).run(None, {"image": x})
    with torch.no_grad():
        wanted = net(planes).numpy() * deviation[:, None, None] + mean[:, None, None]
    np.testing.assert_allclose(found, wanted, atol=1e-3)


def test_the_shipped_one_is_small_and_near_the_trunk() -> None:
    """On surfaces that it never saw; what no student knows would leave 1."""
    assert sum(array.size for array in student_parameters().values()) < 125_000
    assert STUDENT_FILE.stat().st_size < 500_000
    frame = Shape(SIDE, SIDE, 3)
    pictures = [surface(np.random.default_rng([77, number]), SIDE) for number in range(6)]
    trunk, student = (
        FeatureExtractor(plan_input(frame, SIDE, body), [(10,)]).stack(pictures)[(10,)]
        for body in ("trunk", "student")
    )
    off = np.square(student - trunk).mean(axis=(0, 2, 3))
    assert (off / trunk.var(axis=(0, 2, 3))).mean() < 0.75


@pytest.mark.parametrize("kind", KINDS)
def test_surfaces_are_the_same_for_a_seed(kind: object) -> None:
    one, other = (kind(np.random.default_rng(3), 64) for _ in range(2))  # type: ignore[operator]
    np.testing.assert_array_equal(one, other)
    assert one.shape == (64, 64)
    assert np.ptp(one) > 0.01


@pytest.fixture
def pool(tmp_path: Path) -> Path:
    """Two shards of noise, as small as a step."""
    random = np.random.default_rng(1)
    for shard in range(2):
        features = tmp_path / f"shard-{shard:04}.features.npy"
        np.save(features, random.normal(size=(4, 2, 112, 4, 4)).astype(np.float16))
        np.save(pictures_of(features), random.integers(0, 256, (4, 2, 64, 64, 3), np.uint8))
    return tmp_path


def test_it_learns_in_pieces(pool: Path, tmp_path: Path) -> None:
    plan = TrainingPlan(tail_steps=3, whole_steps=2, tail_pairs=2, whole_pairs=2, warm_steps=1)
    stopped = train(pool, tmp_path / "run", plan, seconds=0)
    assert stopped.step == 0
    before = student_bytes(stopped)
    done = train(pool, tmp_path / "run", plan, seconds=60)
    assert done.step == 5
    assert not done.on_tail
    again = train(pool, tmp_path / "run", plan, seconds=60)
    assert student_bytes(again) == student_bytes(done) != before


def test_a_shard_is_of_pairs() -> None:
    assert PAIRS_OF_SHARD > 1
