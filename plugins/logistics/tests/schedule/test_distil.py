"""The student: gradients, self-labelling, and `millhand distil` from plan to package to plan."""

from __future__ import annotations

import base64
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from click.testing import CliRunner

from millhand.cli.distil import distil
from millhand.errors import ConfigError, PackageError
from millhand.models.package import open_package
from millhand.models.sessions import open_model
from millhand.plugins import Plugins
from millhand_logistics.schedule.commands.random_shops import random_shops
from millhand_logistics.schedule.distil.files import arrays_of, problem_of
from millhand_logistics.schedule.distil.learning import gradient
from millhand_logistics.schedule.distil.random_shops import classical, everyday
from millhand_logistics.schedule.distil.self_labelling import Course, Lesson, Training
from millhand_logistics.schedule.package import describe, packed, policy_of, spans, unlike
from millhand_logistics.schedule.policy import Policy
from millhand_logistics.schedule.propose import propose
from millhand_logistics.schedule.rules import rule
from millhand_logistics.schedule.simulate import Recording, simulate

PLAN = """\
millhand_distil: 1
name: small-dispatcher
task: dispatching
licence: Apache-2.0
seed: {seed}
teacher: {{use: logistics.solver}}
student: {{use: logistics.dispatcher, with: {{steps: 8, samples: 6, watch_every: 4}}}}
data:
  folder: shops
  pattern: "*.npz"
  group: '(?P<group>[^/]+)\\.npz'
  label: '(?P<label>)[^/]+'
  licence: CC0-1.0
split: {{train: 0.7, calibration: 0.15, test: 0.15}}
budget: {{parameters: 3000}}
gates:
  - use: logistics.within_teacher
    with: {{metric: cost of the teacher / cost, margin: {margin}, fewest_items: 1}}
"""


def test_the_gradient_is_the_slope_of_the_loss() -> None:
    policy, recording = Policy.untrained(1), Recording()
    problem = everyday(2)
    simulate(problem, rule(problem, "EDD"), recording=recording)
    _, slopes = gradient(policy, recording)
    for k, slope in enumerate(slopes):
        at = np.unravel_index(int(np.abs(slope).argmax()), slope.shape)
        losses = []
        for step in (1e-5, -1e-5):
            weights = [w.copy() for w in policy.weights]
            weights[k][at] += step
            losses.append(gradient(Policy(*weights), recording)[0])
        assert (losses[0] - losses[1]) / 2e-5 == pytest.approx(slope[at], rel=1e-3)


def test_self_labelling_makes_better_plans() -> None:
    training = Training(Policy.untrained(1), Course(steps=60, samples=16, batch=2), seed=1)
    shops = [classical(seed, (8, 6)) for seed in range(12)]
    held = [classical(1000 + seed, (8, 6)) for seed in range(20)]
    before = np.mean([simulate(p, training.policy.choose(p)).cost for p in held])
    training.run((Lesson(shops[i % 12]) for i in range(10_000)), lambda _: False)
    after = np.mean([simulate(p, training.policy.choose(p)).cost for p in held])
    assert training.done == 60
    assert after < 0.94 * before


@pytest.mark.parametrize("problem", [everyday(1), classical(1, (4, 3))])
def test_a_shop_survives_its_file(problem: Any) -> None:
    again = problem_of(arrays_of(problem))
    assert np.array_equal(again.setup, problem.setup)
    assert again.objective == problem.objective
    for name in ("MWKR", "ATCS"):
        first, second = (simulate(p, rule(p, name)) for p in (problem, again))
        assert first.same_as(second)


def test_a_damaged_shop_is_told() -> None:
    arrays = arrays_of(everyday(1))
    del arrays["alternative"]
    with pytest.raises(ConfigError, match="no shop"):
        problem_of(arrays)
    arrays = arrays_of(everyday(1))
    arrays["alternative"][0, 1] = 99
    with pytest.raises(ConfigError, match="unknown machine"):
        problem_of(arrays)


def test_it_knows_what_it_has_not_learnt() -> None:
    known = spans([describe(classical(seed)) for seed in range(30)])
    assert unlike(classical(99), known) == ""
    assert unlike(classical(99, (100, 20)), known) == ""
    assert unlike(classical(99, (400, 20)), known).startswith("orders 400")
    assert "alternatives" in unlike(everyday(3), known)


@pytest.fixture
def shops(tmp_path: Path) -> Path:
    arguments = [str(tmp_path / "shops"), "--kind", "classical", "--count", "18", "--seed", "9"]
    assert CliRunner().invoke(random_shops, arguments, standalone_mode=False).return_value == 0
    return tmp_path


def run(folder: Path, name: str, *, seed: int = 1, margin: float = 0.9) -> Any:
    plan = folder / f"{name}.yaml"
    plan.write_text(PLAN.format(seed=seed, margin=margin))
    arguments = [str(plan), "--out", str(folder / name)]
    return CliRunner().invoke(distil, arguments, standalone_mode=False)


def test_from_plan_to_package_to_schedule(shops: Path) -> None:
    pytest.importorskip("onnx")
    done = run(shops, "one")
    assert done.exception is None, done.exception
    package = open_package(shops / "one")
    names = [metric.name for metric in package.manifest.metrics]
    assert names == ["cost of the teacher / cost", "cost of the teacher / cost, best of 32"]
    assert package.manifest.teacher.permission == "granted"
    adapter = Plugins.discover().adapter("onnxruntime").load()
    accelerator = adapter("cpu", adapter.Config())
    with open_model(package, accelerator) as model:
        policy, parameters = policy_of(model)
        problem = classical(77, (10, 10))
        assert unlike(problem, parameters.known) == ""
        assert propose(problem, policy=policy).tried
        _forged_weights_are_refused(model, policy)
    accelerator.close()
    assert run(shops, "two").exception is None
    weights = [open_package(shops / n).manifest.parameters["weights"] for n in ("one", "two")]
    assert weights[0] == weights[1]


def _forged_weights_are_refused(model: Any, policy: Policy) -> None:
    class Forged:
        package_id = model.package_id
        parameters = packed(policy, {}).model_dump(mode="json")

        def __call__(self, **inputs: Any) -> Any:
            return model(**inputs)

    assert policy_of(Forged())[0].parameters == policy.parameters
    for weights, fault in (
        (Policy.untrained(5), "weights"),
        (None, "weights"),
    ):
        text = base64.b64encode(b"xx").decode() if weights is None else packed(weights, {}).weights
        forged = Forged()
        forged.parameters = {**Forged.parameters, "weights": text}
        with pytest.raises(PackageError) as caught:
            policy_of(forged)
        assert caught.value.fault == fault
    forged = Forged()
    forged.parameters = {**Forged.parameters, "features_version": 99}
    with pytest.raises(PackageError, match="version 99"):
        policy_of(forged)


def test_a_gate_refuses_a_student_that_is_worse_than_its_teacher(shops: Path) -> None:
    done = run(shops, "refused", margin=0.0)
    assert isinstance(done.exception, PackageError)
    assert done.exception.fault == "gate"
    assert not (shops / "refused").exists()


def test_shops_are_not_mixed_with_what_is_there(shops: Path) -> None:
    done = CliRunner().invoke(random_shops, [str(shops / "shops")], standalone_mode=False)
    assert isinstance(done.exception, ConfigError)
