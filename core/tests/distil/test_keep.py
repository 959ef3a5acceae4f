"""A distillation that is kept: the second run is free, one that was cut off goes on."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest
from filelock import FileLock
from toy_roles import Rule

from millhand.distil.run import SEALED_RECORD, distil
from millhand.errors import PackageError, Unavailable
from millhand.models.package import open_package


def test_a_second_run_is_free_and_leaves_the_seal_closed(
    plugins, points, make_plan, tmp_path
) -> None:
    keep, told = tmp_path / "keep", []
    first = distil(make_plan(), plugins, points, tmp_path / "one", keep=keep)
    labelled, read = Rule.labelled, len(points.read_ids)
    second = distil(make_plan(), plugins, points, tmp_path / "two", told.append, keep=keep)
    assert second.id == first.id
    assert (Rule.labelled, len(points.read_ids)) == (labelled, read)
    assert [step.stage for step in told][-1] == "kept"
    assert open_package(tmp_path / "two").id == first.id
    looked = json.loads((tmp_path / SEALED_RECORD).read_bytes())
    assert sum(len(readings) for readings in looked.values()) == 1


@pytest.mark.parametrize("changed", [{"seed": 6}, {"version": "2"}, {"budget": {"parameters": 9}}])
def test_another_plan_is_another_distillation(
    plugins, points, make_plan, tmp_path, changed
) -> None:
    keep = tmp_path / "keep"
    first = distil(make_plan(), plugins, points, tmp_path / "one", keep=keep)
    second = distil(make_plan(**changed), plugins, points, tmp_path / "two", keep=keep)
    assert second.id != first.id
    assert len([path for path in keep.iterdir() if path.is_dir()]) == 2


def test_other_data_or_another_time_limit_are_another_distillation(
    plugins, points, kit, make_plan, tmp_path
) -> None:
    keep = tmp_path / "keep"
    distil(make_plan(), plugins, points, tmp_path / "one", keep=keep)
    distil(make_plan(), plugins, kit.Points(parts=44), tmp_path / "two", keep=keep)
    distil(make_plan(), plugins, points, tmp_path / "three", keep=keep, seconds=60)
    assert len([path for path in keep.iterdir() if path.is_dir()]) == 3


def test_what_was_kept_and_is_damaged_is_made_anew(plugins, points, make_plan, tmp_path) -> None:
    keep = tmp_path / "keep"
    first = distil(make_plan(), plugins, points, tmp_path / "one", keep=keep)
    (graph,) = keep.glob("*/package/model.onnx")
    graph.write_bytes(graph.read_bytes()[:-1])
    again = distil(make_plan(), plugins, points, tmp_path / "two", keep=keep)
    assert again.manifest.graphs == first.manifest.graphs
    assert open_package(graph.parent).id == again.id


def test_what_a_gate_refuses_is_not_kept_as_a_package(plugins, points, make_plan, tmp_path) -> None:
    keep = tmp_path / "keep"
    noisy = {"use": "toy.linear", "with": {"noise": 30.0}}
    gates = [{"use": "toy.within", "with": {"metric": "accuracy", "margin": 0.0}}]
    plan = make_plan(student=noisy, gates=gates)
    for _ in range(2):
        with pytest.raises(PackageError) as refused:
            distil(plan, plugins, points, tmp_path / "one", keep=keep)
        assert refused.value.fault == "gate"
    assert not list(keep.glob("*/package"))
    assert not (tmp_path / "one").exists()


def test_two_runs_do_not_write_over_each_other(plugins, points, make_plan, tmp_path) -> None:
    keep = tmp_path / "keep"
    distil(make_plan(), plugins, points, tmp_path / "one", keep=keep)
    (folder,) = (path for path in keep.iterdir() if path.is_dir())
    with FileLock(folder / "lock"), pytest.raises(Unavailable, match="Another run"):
        distil(make_plan(), plugins, points, tmp_path / "two", keep=keep)


RUN = """
import os, signal, sys
from pathlib import Path
sys.path[:0] = {paths!r}
import conftest
from millhand.distil.plan import DistilPlan
from millhand.distil.run import distil
from millhand.plugins import Plugins
plan = DistilPlan.model_validate_json(Path(sys.argv[1]).read_bytes())
def told(step):
    if step.stage == sys.argv[4]:
        os.kill(os.getpid(), signal.SIGKILL)
plugins = Plugins.discover([conftest.Plugin()], entry_points=False)
distil(plan, plugins, conftest.Points(), Path(sys.argv[2]), told, keep=Path(sys.argv[3]))
"""


@pytest.mark.skipif(os.name == "nt", reason="Windows has no SIGKILL")
@pytest.mark.parametrize("stage", ["learn", "verify", "test", "gates", "pack"])
def test_killed_at_any_stage_the_next_run_ends_as_if_nothing_had_been(
    plugins, points, make_plan, tmp_path, stage
) -> None:
    keep, plan = tmp_path / "keep", tmp_path / "plan.json"
    plan.write_bytes(make_plan().to_bytes())
    here = Path(__file__).parent
    paths = [str(here), str(here.parent / "models")]
    command = [sys.executable, "-c", RUN.format(paths=paths), str(plan)]
    command += [str(tmp_path / "out"), str(keep), stage]
    done = subprocess.run(command, capture_output=True, timeout=60, check=False)
    assert done.returncode == -signal.SIGKILL, done.stderr.decode()
    assert not (tmp_path / "out").exists(), "no half package"
    package = distil(make_plan(), plugins, points, tmp_path / "out", keep=keep)
    untouched = distil(make_plan(), plugins, points, tmp_path / "other")
    assert package.manifest.graphs == untouched.manifest.graphs
    assert open_package(tmp_path / "out").id == package.id
