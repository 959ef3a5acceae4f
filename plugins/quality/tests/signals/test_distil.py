"""Distilling a classifier of curves: kernels, student, control, and their package."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from millhand.models.package import open_package
from millhand_quality.classify.distil.figures import ACCURACY, CONTROL, GAIN
from millhand_quality.signals.parameters import PROBABILITIES, SIGNAL, read_parameters

torch = pytest.importorskip("torch")

MOMENTS = 32
KINDS = ("good", "tilted", "missing")


def press(kind: str, random: np.random.Generator) -> np.ndarray:
    """Force in N and way in mm of a press fit: the force rises, and jumps at the end stop."""
    time = np.linspace(0, 1, MOMENTS)
    force = 300 * time + 900 / (1 + np.exp(-40 * (time - 0.8 + random.normal(0, 0.02))))
    if kind == "tilted":
        force += 400 * np.exp(-(((time - 0.3) / 0.06) ** 2)) * random.uniform(0.6, 1.4)
    if kind == "missing":
        force *= 0.25
    noise = random.normal(0, 25, MOMENTS)
    return np.stack([force + noise, 40 * time + random.normal(0, 0.2, MOMENTS)]).astype(np.float32)


def write_curves(folder: Path, each: int = 60, seed: int = 0) -> Path:
    random = np.random.default_rng(seed)
    for kind in KINDS:
        for number in range(each):
            place = folder / kind / f"{number:03d}.npz"
            place.parent.mkdir(parents=True, exist_ok=True)
            np.savez(place, **{SIGNAL: press(kind, random)})
    return folder


PLAN = """
millhand_distil: 1
name: press-curves
task: classification
licence: CC0-1.0
seed: 1
teacher:
  use: quality.kernels
  with: {kernels: 100, views: 2}
student:
  use: quality.curves
  with: {width: 4, steps: 250, views: 4, batch: 16}
data:
  folder: nowhere
  group: '(?P<group>[^/]+/\\d+)\\.npz'
  label: '(?P<label>[^/]+)/[^/]+'
  licence: CC0-1.0
split: {train: 0.3, pool: 0.3, calibration: 0.25, test: 0.15}
certify: {alpha: 0.3}
gates:
  - use: quality.within_teacher
    with: {metric: accuracy, margin: 0.5, fewest_items: 10}
"""


@pytest.fixture
def distilled(tmp_path):
    """Distil as a person does; return what the command did and the folder of the package."""
    (tmp_path / "plan.yaml").write_text(PLAN)

    def make(curves):
        words = [sys.executable, "-m", "millhand.cli", "distil", str(tmp_path / "plan.yaml")]
        words += ["--data", str(curves), "--out", str(tmp_path / "press"), "--anew"]
        return subprocess.run(
            [*words, "--minutes", "2"],
            capture_output=True,
            text=True,
            timeout=170,
            check=False,
            env={**os.environ, "OMP_NUM_THREADS": "1", "LANGUAGE": "en"},
        ), tmp_path / "press"

    return make


@pytest.mark.torch
def test_from_curves_to_a_package_with_its_control_beside_it(distilled, tmp_path):
    from millhand.models.sessions import open_model
    from millhand.plugins import Plugins

    done, folder = distilled(write_curves(tmp_path / "curves"))
    assert done.returncode == 0, done.stderr
    package = open_package(folder)
    found = read_parameters(package.manifest.parameters)
    assert (found.classes, found.channels, found.length) == (
        ("good", "missing", "tilted"),
        2,
        MOMENTS,
    )
    figures = {metric.name: metric for metric in package.manifest.metrics}
    assert figures[ACCURACY].value >= 0.8
    assert figures[CONTROL].low is not None
    assert figures[GAIN].low <= figures[GAIN].value <= figures[GAIN].high
    assert package.manifest.teacher.permission == "granted"
    promised = package.manifest.abstention
    assert promised is not None
    assert found.answer_from == (2.0 if promised.threshold is None else promised.threshold)
    accelerator = Plugins.discover().adapter("onnxruntime").load()
    with open_model(package, accelerator("onnxruntime", accelerator.Config())) as model:
        random = np.random.default_rng(9)
        shares = model(**{SIGNAL: press("missing", random)})[PROBABILITIES]
    assert shares.sum() == pytest.approx(1, abs=1e-5)
    assert found.classes[int(shares.argmax())] == "missing"


@pytest.mark.torch
@pytest.mark.parametrize(
    ("array", "said"),
    [
        ({SIGNAL: np.zeros((2, MOMENTS + 1), np.float32)}, "shape"),
        ({SIGNAL: np.full((2, MOMENTS), np.nan, np.float32)}, "is no curve"),
        ({SIGNAL: np.zeros((3, 4, 5), np.float32)}, "is no curve"),
        ({"other": np.zeros((2, MOMENTS), np.float32)}, "holds no array"),
    ],
)
def test_what_is_no_curve_is_named(tmp_path, array, said):
    from millhand.distil.dataset import Items
    from millhand.distil.folder import plan_data
    from millhand.distil.plan import load_plan
    from millhand.errors import ConfigError
    from millhand_quality.signals.distil.curves import read_curves

    curves = write_curves(tmp_path / "curves", each=2)
    np.savez(curves / "tilted" / "zz9.npz", **array)
    (tmp_path / "plan.yaml").write_text(PLAN.replace("\\d+", "\\w+"))
    source = plan_data(load_plan(tmp_path / "plan.yaml"), tmp_path, curves)
    with pytest.raises(ConfigError, match=said) as error:
        read_curves(Items(source, source.items()), tmp_path / "train.npy", lambda _: None)
    assert "zz9" in str(error.value)
    assert not (tmp_path / "train.npy").exists()


@pytest.mark.torch
def test_the_same_seed_draws_the_same_kernels():
    from millhand_quality.signals.distil.kernels import Kernels

    curves = np.random.default_rng(0).standard_normal((5, 2, MOMENTS)).astype(np.float32)
    one, two, other = (Kernels(40, 2, MOMENTS, seed)(curves) for seed in (3, 3, 4))
    assert one.shape == (5, 2 * 40 + 2)
    assert (one == two).all()
    assert (one != other).any()
    assert Kernels(10, 1, 5, 0)(curves[:, :1, :5]).shape == (5, 21), "shorter than any kernel"


@pytest.mark.torch
def test_a_kernel_answers_as_a_plain_convolution_does():
    from millhand_quality.signals.distil.kernels import Kernels

    kernels = Kernels(1, 2, MOMENTS, 5)
    ((weight, bias, dilation, pad),) = kernels._groups
    curve = np.random.default_rng(1).standard_normal((2, MOMENTS)).astype(np.float32)
    around = np.pad(curve, ((0, 0), (pad, pad)))
    taps = np.arange(weight.shape[2]) * dilation
    answers = [
        float((around[:, start + taps] * weight[0].numpy()).sum() + bias[0])
        for start in range(around.shape[1] - taps[-1])
    ]
    share, most = kernels(curve[None])[0, 2:]
    assert share == pytest.approx(np.mean(np.array(answers) > 0), abs=1e-6)
    assert most == pytest.approx(max(answers), abs=1e-4)


@pytest.mark.torch
def test_a_teacher_that_has_not_studied_says_so():
    from millhand.errors import ConfigError
    from millhand_quality.signals.distil.config import KernelsTeacherConfig
    from millhand_quality.signals.distil.teacher import KernelsTeacher

    teacher = KernelsTeacher(KernelsTeacherConfig(kernels=10))
    with pytest.raises(ConfigError, match="not studied"):
        teacher.label([{SIGNAL: np.zeros((2, MOMENTS), np.float32)}])


def test_views_move_scale_and_shake_but_keep_the_curve():
    from millhand_quality.signals.distil.curves import CurveWays

    curves = np.zeros((3, 2, MOMENTS), np.float32)
    curves[:, :, 10] = 5.0
    draw = np.random.default_rng(0)
    still = CurveWays(shift=0, gain=0.0, noise=0.0).view(curves, draw)
    assert (still == curves).all()
    moved = CurveWays(shift=3, gain=0.2, noise=0.0).view(curves, draw)
    assert (np.abs(moved.argmax(axis=2) - 10) <= 3).all()
    assert ((moved.max(axis=2) >= 4) & (moved.max(axis=2) <= 6)).all()
    assert (moved[:, 0].argmax(axis=1) == moved[:, 1].argmax(axis=1)).all(), "channels together"
    shaken = CurveWays(shift=0, gain=0.0, noise=0.5).view(curves, draw)
    assert 0 < np.abs(shaken - curves).max() < 5
