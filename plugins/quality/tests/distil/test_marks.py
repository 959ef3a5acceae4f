"""The net that learns marked defects beside the Gaussian: what is exported is what was learnt."""

import json
import os
import subprocess
import sys

import numpy as np
import pytest

from millhand.errors import ConfigError
from millhand.models.golden import check_golden
from millhand.models.package import open_package
from millhand.models.sessions import open_model
from millhand.plugins import Plugins
from millhand_quality.inspect.features import InputPlan
from millhand_quality.inspect.parameters import read_parameters
from millhand_quality.inspect.pictures import Shape

pytestmark = pytest.mark.torch


@pytest.fixture
def plan(write_plan):
    """A plan for the student, on little pictures of a plate."""
    path = write_plan(good=60, bad=40, seed=3)
    text = path.read_text()
    start, end = text.index("student:"), text.index("data:")
    student = (
        "student:\n  use: quality.marks\n"
        "  with: {steps: 60, batch: 4, crop: 32, width: 4, false_reject_rate: 0.1}\n"
    )
    path.write_text(text[:start] + student + text[end:])
    return path


def distil(plan, out):
    command = [
        sys.executable,
        "-m",
        "millhand.cli",
        "distil",
        str(plan),
        "--out",
        str(out),
        "--anew",
    ]
    done = subprocess.run(
        command,
        capture_output=True,
        text=True,
        timeout=110,
        check=False,
        env={**os.environ, "OMP_NUM_THREADS": "1"},
    )
    assert "Traceback" not in done.stderr
    return done


@pytest.fixture
def processor():
    adapter = Plugins.discover().adapter("onnxruntime").load()
    accelerator = adapter("cpu", adapter.Config())
    yield accelerator
    accelerator.close()


def test_one_graph_holds_gaussian_and_marks(plan, processor, tmp_path):
    done = distil(plan, tmp_path / "plate")
    assert done.returncode == 0, done.stderr
    package = open_package(tmp_path / "plate")
    parameters = read_parameters(package.manifest.parameters)
    assert parameters.guarantee == "split-conformal"
    # 15 good pictures on the shelf: a fifth weighs the maps, the others set the limits.
    assert len(parameters.calibration) == 12
    figures = {metric.name: metric for metric in package.manifest.metrics}
    assert figures["image AUROC"].value >= figures["image AUROC"].teacher - 0.05
    with open_model(package, processor) as model:
        # The golden outputs are numpy's and torch's own.
        report = check_golden(model.session, package, "fp32")
        assert len({case.path for case in report.cases}) == 2
        assert report.largest_difference < 5e-3
        assert model(image=np.zeros((64, 64, 3), np.uint8))["heat"].shape == (16, 16)


def test_the_same_plan_makes_the_same_graph(plan, tmp_path):
    graphs = []
    for name in ("one", "two"):
        assert distil(plan, tmp_path / name).returncode == 0
        graphs.append(json.loads((tmp_path / name / "manifest.json").read_bytes())["graphs"])
    assert graphs[0] == graphs[1]


def test_pictures_that_the_trunk_would_shrink_are_refused():
    from millhand_quality.inspect.distil.marks_features import MarksFeatures

    with pytest.raises(ConfigError, match="as large as they are"):
        MarksFeatures(InputPlan(Shape(128, 128, 3), 64, 64))
