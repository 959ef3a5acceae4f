"""Distilling a classifier: views, teacher, student and control, and what interrupts them."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from millhand.models.package import open_package
from millhand_quality.classify.distil.config import BackboneTeacherConfig, KindsStudentConfig
from millhand_quality.classify.distil.figures import ACCURACY, CONTROL, GAIN, metrics_of, resampled
from millhand_quality.classify.distil.views import MARGIN, SIDE, STORED, Ways
from millhand_quality.classify.parameters import read_parameters

pytest.importorskip("torch")

SIZE = 96


def picture(kind: str, random: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    """A grey plate with a dark dot, a bright line or nothing, and what is marked."""
    pixels = random.normal(120, 6, (SIZE, SIZE, 3))
    mask = np.zeros((SIZE, SIZE), bool)
    row, column = random.integers(20, SIZE - 20, 2)
    rows, columns = np.mgrid[:SIZE, :SIZE]
    if kind == "dot":
        mask = (rows - row) ** 2 + (columns - column) ** 2 <= 25
        pixels[mask] *= 0.4
    if kind == "line":
        mask = (np.abs(rows - row) <= 1) & (np.abs(columns - column) <= 14)
        pixels[mask] *= 1.6
    return np.clip(pixels, 0, 255).astype(np.uint8), mask


def write_pictures(folder: Path, each: int = 40, seed: int = 0) -> Path:
    random = np.random.default_rng(seed)
    for kind in ("good", "dot", "line"):
        for number in range(each):
            pixels, mask = picture(kind, random)
            place = folder / "plate" / "test" / kind / f"{number:03d}.png"
            place.parent.mkdir(parents=True, exist_ok=True)
            Image.fromarray(pixels).save(place)
            if kind != "good":
                marks = folder / "plate" / "ground_truth" / kind / f"{number:03d}_mask.png"
                marks.parent.mkdir(parents=True, exist_ok=True)
                Image.fromarray(mask.astype(np.uint8) * 255).save(marks)
    return folder


PLAN = """
millhand_distil: 1
name: plate-kinds
task: classification
licence: CC0-1.0
seed: 1
teacher:
  use: {teacher}
  with: {settings}
student:
  use: quality.kinds
  with: {{width: 4, steps: {steps}, views: 2, batch: 16}}
data:
  folder: nowhere
  pattern: "*/[tg]*/*/*.png"
  group: '[^/]+/.+/(?P<group>\\d+)(_mask)?\\.png'
  label: '.+/(?P<label>[^/]+)/[^/]+'
  licence: CC0-1.0
split: {{train: 0.5, calibration: 0.3, test: 0.2}}
certify: {{alpha: {alpha}}}
gates:
  - use: quality.within_teacher
    with: {{metric: accuracy, margin: {margin}, fewest_items: 5}}
"""


@pytest.fixture
def command(tmp_path):
    """Write pictures and a plan; return the command that distils it."""

    def make(
        steps=150,
        teacher="quality.backbone",
        settings="{size: 64, views: 2}",
        margin=0.9,
        alpha=0.3,
    ):
        if not (tmp_path / "pictures").exists():
            write_pictures(tmp_path / "pictures")
        plan = tmp_path / "plan.yaml"
        plan.write_text(
            PLAN.format(steps=steps, teacher=teacher, settings=settings, margin=margin, alpha=alpha)
        )
        words = [sys.executable, "-m", "millhand.cli", "distil", str(plan)]
        words += ["--data", str(tmp_path / "pictures"), "--keep", str(tmp_path / "keep")]
        return words

    return make


def run(words, out, *more):
    return subprocess.run(
        [*words, "--out", str(out), *more],
        capture_output=True,
        text=True,
        timeout=170,
        check=False,
        env={**os.environ, "OMP_NUM_THREADS": "1", "LANGUAGE": "en"},
    )


@pytest.mark.torch
def test_from_pictures_to_a_package_with_its_control_beside_it(command, tmp_path):
    words = command()
    done = run(words, tmp_path / "kinds", "--target", "this-machine", "--minutes", "1")
    assert done.returncode == 0, done.stderr
    package = open_package(tmp_path / "kinds")
    found = read_parameters(package.manifest.parameters)
    assert found.classes == ("good", "dot", "line")
    figures = {metric.name: metric for metric in package.manifest.metrics}
    assert figures[ACCURACY].value >= 0.8
    assert figures[ACCURACY].teacher is not None
    assert figures[CONTROL].low is not None
    assert figures[GAIN].low <= figures[GAIN].value <= figures[GAIN].high
    assert figures[GAIN].value == pytest.approx(
        figures[ACCURACY].value - figures[CONTROL].value, abs=1e-4
    )
    promised = package.manifest.abstention
    assert promised is not None
    if promised.threshold is None:
        assert (found.answer_from, found.promise) == (2.0, None)
    else:
        assert found.answer_from == promised.threshold
        assert found.promise.wrong <= 0.3 * found.promise.answered
    assert "left" in done.stderr, "progress says how long it may still take"
    began = time.monotonic()
    again = run(words, tmp_path / "again", "--minutes", "1")
    assert again.returncode == 0, again.stderr
    assert "learn" not in again.stderr
    assert open_package(tmp_path / "again").id == package.id
    assert time.monotonic() - began < 30


@pytest.mark.torch
def test_the_pool_is_learnt_from_the_teacher_alone(command, tmp_path):
    words = command(steps=60)
    plan = tmp_path / "plan.yaml"
    text = plan.read_text()
    pooled = text.replace("{train: 0.5, calib", "{train: 0.2, pool: 0.3, calib")
    assert pooled != text
    plan.write_text(pooled)
    done = run(words, tmp_path / "kinds")
    assert done.returncode == 0, done.stderr
    (student,) = (tmp_path / "keep").glob("*/student")
    train, pool = (len(np.load(student / f"{name}.npy")) for name in ("train", "pool"))
    assert pool > train > 0
    assert len(np.load(student / "features.npy")) == train + pool, "the teacher saw both"

    plan.write_text(pooled.replace("views: 2, batch", "teacher_weight: 0, views: 2, batch"))
    refused = run(words, tmp_path / "alone")
    assert refused.returncode != 0
    assert "nothing can be learnt from the pool" in refused.stderr


@pytest.mark.slow
@pytest.mark.torch
@pytest.mark.skipif(os.name == "nt", reason="Windows has no SIGKILL")
def test_killed_while_learning_it_goes_on_and_ends_the_same(command, tmp_path):
    words = command(steps=300)
    victim = subprocess.Popen(
        [*words, "--out", str(tmp_path / "kinds")],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
        env={**os.environ, "OMP_NUM_THREADS": "1", "LANGUAGE": "en"},
    )
    with victim:
        assert victim.stderr is not None
        for line in victim.stderr:
            if line.startswith("learn 50 %"):
                break
        victim.send_signal(signal.SIGKILL)
        victim.wait(30)
    (student,) = (tmp_path / "keep").glob("*/student")
    answered = (student / "features.npy").stat().st_mtime_ns
    assert not (tmp_path / "kinds").exists()
    done = run(words, tmp_path / "kinds")
    assert done.returncode == 0, done.stderr
    assert (student / "features.npy").stat().st_mtime_ns == answered, "nobody was asked again"
    untouched = run(words, tmp_path / "other", "--anew")
    assert untouched.returncode == 0, untouched.stderr
    one, two = (open_package(tmp_path / name).manifest for name in ("kinds", "other"))
    assert one.graphs == two.graphs


@pytest.mark.torch
def test_a_teacher_as_onnx_needs_its_permission_stated(command, tmp_path):
    first = run(command(steps=60), tmp_path / "kinds")
    assert first.returncode == 0, first.stderr
    # The package's own graph has squares in and probabilities out, but takes no batch; what is
    # held here is that terms are asked for before the file is ever run.
    graph = tmp_path / "kinds" / "model.onnx"
    about = "{id: theirs, licence: LicenseRef-theirs}"
    settings = f"{{file: {graph}, about: {about}}}"
    done = run(command(teacher="quality.onnx", settings=settings), tmp_path / "second")
    assert done.returncode != 0
    assert "Nobody states" in done.stderr
    assert not (tmp_path / "second").exists()


@pytest.mark.torch
def test_an_onnx_teacher_teaches(tmp_path):
    from onnx import TensorProto, helper, numpy_helper

    from millhand_quality.classify.distil.onnx_teacher import OnnxTeacher, OnnxTeacherConfig

    weight = np.zeros((3, 2), np.float32)
    weight[0, 0], weight[2, 1] = 1, 1
    graph = helper.make_graph(
        [
            helper.make_node("GlobalAveragePool", ["x"], ["m"]),
            helper.make_node("Flatten", ["m"], ["f"]),
            helper.make_node("MatMul", ["f", "w"], ["y"]),
        ],
        "red-or-blue",
        [helper.make_tensor_value_info("x", TensorProto.FLOAT, [1, 3, "h", "w_"])],
        [helper.make_tensor_value_info("y", TensorProto.FLOAT, [1, 2])],
        [numpy_helper.from_array(weight, "w")],
    )
    opsets = [helper.make_opsetid("", 17)]
    file = tmp_path / "teacher.onnx"
    model = helper.make_model(graph, opset_imports=opsets, ir_version=8)
    file.write_bytes(model.SerializeToString())
    about = {"id": "x", "licence": "CC0-1.0", "permission": "granted", "evidence": "our own model"}
    teacher = OnnxTeacher(OnnxTeacherConfig.model_validate({"file": file, "about": about}))
    assert teacher.card().kind == "onnx"
    assert teacher.card().sha256 is not None
    red = np.zeros((5, 7, 3), np.uint8)
    red[..., 0] = 255
    (answer,) = teacher.label([{"image": red}])
    assert answer["logits"].tolist() == [1.0, 0.0]
    teacher.close()


@pytest.mark.torch
def test_learning_that_is_cut_off_at_any_step_gives_the_same_net(tmp_path, monkeypatch):
    import torch

    from millhand_quality.classify.distil import training
    from millhand_quality.classify.distil.net import KindsNet

    monkeypatch.setattr(training, "SAVED_EVERY_S", -1.0)
    draw = np.random.default_rng(0)
    shown = training.Shown(
        draw.integers(0, 256, (12, 2, SIDE, SIDE, 3), dtype=np.uint8),
        draw.integers(0, 3, 12),
        draw.normal(size=(12, 2, 3)).astype(np.float32),
    )
    config = KindsStudentConfig(width=2, steps=12, batch=4)

    def build():
        return KindsNet(config.width, 3)

    def learn(file, report=lambda *_: None):
        return training.train(shown, build, config, steps=12, seed=4, file=file, report=report)

    class Cut(Exception):
        pass

    def cutting(fraction, text):
        if fraction >= 0.5:
            raise Cut

    whole = learn(tmp_path / "whole.pt")
    with pytest.raises(Cut):
        learn(tmp_path / "cut.pt", cutting)
    resumed = learn(tmp_path / "cut.pt")
    for one, two in zip(whole.state_dict().values(), resumed.state_dict().values(), strict=True):
        assert torch.equal(one, two)
    told = []
    learn(tmp_path / "cut.pt", lambda fraction, text: told.append(fraction))
    assert told == [1.0], "what is finished is only read"


@pytest.mark.torch
def test_torch_and_onnx_run_the_same_backbone():
    from millhand_quality.classify.distil.backbone import backbone

    draw = np.random.default_rng(1)
    pictures = draw.integers(0, 256, (3, SIDE, SIDE, 3), dtype=np.uint8)
    one, two = (backbone(name, 64)(pictures) for name in ("onnxruntime", "torch"))
    assert one.shape == (3, 2 * (40 + 112))
    np.testing.assert_allclose(one, two, rtol=1e-3, atol=1e-3)
    assert BackboneTeacherConfig().run_by == "onnxruntime"


def test_views_move_turn_and_light_but_keep_the_middle():
    square = np.zeros((1, STORED, STORED, 3), np.uint8)
    square[0, STORED // 2, STORED // 2] = 200
    draw = np.random.default_rng(0)
    still = Ways(shift=0, exposure=0.0, turns=False).view(square, draw)
    assert still[0, SIDE // 2, SIDE // 2, 0] == 200
    for _ in range(40):
        view = Ways(shift=MARGIN, exposure=0.2, turns=True).view(square, draw)
        assert view.shape == (1, SIDE, SIDE, 3)
        assert view.max() >= 160, "never moved out of sight"
        assert view.max() <= 240


def test_figures_of_equals_do_not_pretend_a_gain():
    draw = np.random.default_rng(2)
    right = draw.random(400) < 0.9
    groups = [f"part {n // 2}" for n in range(400)]
    metrics = metrics_of(right, right, right, np.full(400, 0.9), groups, 0.5)
    found = {metric.name: metric for metric in metrics}
    assert (found[GAIN].value, found[GAIN].low, found[GAIN].high) == (0, 0, 0)
    assert found[ACCURACY].teacher == pytest.approx(right.mean(), abs=1e-5)


def test_the_paired_interval_holds_the_true_gain_as_often_as_it_says():
    draw, held, runs = np.random.default_rng(3), 0, 300
    groups = [str(n) for n in range(200)]
    for _ in range(runs):
        own, control = draw.random(200) < 0.9, draw.random(200) < 0.8
        _, low, high = resampled(own.astype(float) - control.astype(float), groups)
        held += low <= 0.1 <= high
    assert held / runs == pytest.approx(0.95, abs=0.04)


def test_the_shipped_classifier_is_what_its_plan_makes():
    cell = Path(__file__).parents[4] / "scenarios" / "casting_cell"
    manifest = open_package(cell / "models" / "kinds").manifest
    plan = json.loads((cell / "models" / "kinds" / "plan.json").read_bytes())
    from millhand.distil.plan import load_plan

    assert load_plan(cell / "distil" / "kinds.yaml").sha256 == manifest.plan_sha256
    assert plan["student"]["use"] == "quality.kinds"
    assert read_parameters(manifest.parameters).classes[0] == "good"
