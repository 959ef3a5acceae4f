"""`millhand distil` as a person runs it, from a plan and a folder to a package that judges."""

import json
import os
import subprocess
import sys

import numpy as np
import pytest
from PIL import Image

from millhand.distil.plan import load_plan
from millhand.models.golden import check_golden
from millhand.models.package import open_package
from millhand.models.sessions import open_model
from millhand.plugins import Plugins
from millhand_quality.inspect.parameters import TASK, read_parameters

pytestmark = pytest.mark.torch


@pytest.fixture
def distil(tmp_path):
    """Run the command in a process of its own."""

    def call(plan, out, *options):
        return subprocess.run(
            [
                sys.executable,
                "-m",
                "millhand.cli",
                "distil",
                str(plan),
                "--out",
                str(out),
                *options,
            ],
            capture_output=True,
            text=True,
            timeout=110,
            check=False,
            cwd=tmp_path,
            env={
                **os.environ,
                "OMP_NUM_THREADS": "1",
                "XDG_CACHE_HOME": str(tmp_path / "cache"),
            },
        )

    return call


@pytest.fixture
def processor():
    """ONNX Runtime on one thread, as a scenario has it."""
    adapter = Plugins.discover().adapter("onnxruntime").load()
    accelerator = adapter("cpu", adapter.Config())
    yield accelerator
    accelerator.close()


def test_a_plan_makes_a_package_that_finds_the_spots(distil, write_plan, processor, tmp_path):
    plan = write_plan(steps=250, good=60, bad=40)
    done = distil(plan, tmp_path / "plate")
    assert done.returncode == 0, done.stderr
    assert "Traceback" not in done.stderr
    package = open_package(tmp_path / "plate")
    manifest = package.manifest
    parameters = read_parameters(manifest.parameters)
    assert (manifest.task, manifest.product) == (TASK, "plate")
    assert manifest.teacher.permission == "granted"
    assert "Apache-2.0, section 2" in manifest.teacher.evidence
    assert manifest.plan_sha256 == load_plan(plan).sha256
    assert manifest.command.endswith("--out " + str(tmp_path / "plate"))
    (source,) = manifest.sources
    assert (source.licence, source.items) == ("CC0-1.0", 60 + 2 * 40)
    assert 0 < parameters.pass_up_to <= parameters.reject_above
    assert parameters.guarantee == "split-conformal"
    figures = {metric.name: metric for metric in manifest.metrics}
    assert figures["image AUROC"].value > 0.95
    assert figures["image AUROC"].teacher is not None
    with open_model(package, processor) as model:
        black = model(image=np.zeros((64, 64, 3), np.uint8))
        assert black["novelty"][0] > parameters.novelty_above
        path = next((tmp_path / "pictures/test/spot").iterdir())
        spot = model(image=np.asarray(Image.open(path)))
        assert spot["novelty"][0] <= parameters.novelty_above
        assert spot["score"][0] == spot["heat"].max()


def test_the_graph_does_what_was_trained(distil, write_plan, processor, tmp_path):
    assert distil(write_plan(), tmp_path / "plate").returncode == 0
    package = open_package(tmp_path / "plate")
    # The golden outputs are torch's own; the graph must agree far closer than a plant needs.
    with open_model(package, processor) as model:
        report = check_golden(model.session, package, "fp32")
        assert len({case.path for case in report.cases}) == 2
        assert report.largest_difference < 1e-3


def test_plan_and_pictures_decide_the_student(distil, write_plan, tmp_path):
    for name in ("one", "two"):
        assert distil(write_plan(), tmp_path / name, "--anew").returncode == 0
    assert distil(write_plan(seed=2), tmp_path / "other").returncode == 0
    one, two, other = (
        json.loads((tmp_path / name / "manifest.json").read_bytes())
        for name in ("one", "two", "other")
    )
    assert one["graphs"] == two["graphs"]
    assert one["parameters"] == two["parameters"]
    assert other["graphs"] != one["graphs"]


def test_the_teacher_has_a_say(distil, write_plan, tmp_path):
    assert distil(write_plan(), tmp_path / "taught").returncode == 0
    assert distil(write_plan(teacher_weight=0.0), tmp_path / "alone").returncode == 0
    taught, alone = (open_package(tmp_path / name).manifest for name in ("taught", "alone"))
    assert taught.graphs != alone.graphs


def test_no_permission_no_student(distil, write_plan, tmp_path):
    statement = """
  statement:
    permission: denied
    evidence: Our contract with the maker of the weights, clause 7.
    stated_by: Ann
"""
    done = distil(write_plan(statement=statement), tmp_path / "plate")
    assert done.returncode != 0
    assert "do not permit distillation" in done.stderr
    assert "clause 7" in done.stderr
    assert "Traceback" not in done.stderr
    assert not (tmp_path / "plate").exists()


def test_a_student_below_its_teacher_is_not_released(distil, write_plan, tmp_path):
    done = distil(write_plan(steps=1, margin=0.0), tmp_path / "plate")
    assert done.returncode != 0
    assert "image AUROC" in done.stderr
    assert not (tmp_path / "plate").exists()


def test_a_mask_that_is_not_there(distil, write_plan, tmp_path):
    plan = write_plan()
    for path in (tmp_path / "pictures/ground_truth/spot").iterdir():
        path.unlink()
    done = distil(plan, tmp_path / "plate")
    assert done.returncode != 0
    assert "has no mask" in done.stderr
    assert "Traceback" not in done.stderr
