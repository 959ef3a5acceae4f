"""The student that is shipped: its passport, its plan, and that it earns its place."""

from __future__ import annotations

from pathlib import Path

import numpy as np

import millhand_logistics
from millhand.distil.plan import load_plan
from millhand.models.package import open_package
from millhand_logistics.schedule.distil.random_shops import classical
from millhand_logistics.schedule.package import policy_in, read_parameters, unlike
from millhand_logistics.schedule.rules import every_rule
from millhand_logistics.schedule.simulate import simulate

PACKAGE = Path(millhand_logistics.__file__).parent / "students" / "classical"
PLAN = Path(millhand_logistics.__file__).parents[1] / "distil" / "classical.yaml"


def test_its_plan_is_the_one_beside_it() -> None:
    manifest = open_package(PACKAGE).manifest
    assert manifest.plan_sha256 == load_plan(PLAN).sha256
    assert manifest.teacher.permission == "granted"
    assert all(metric.low is not None and metric.low > 1 for metric in manifest.metrics)


def test_on_shops_it_never_saw_it_is_cheaper_than_the_best_rule_on_average() -> None:
    policy = policy_in(open_package(PACKAGE))
    known = read_parameters(open_package(PACKAGE).manifest.parameters).known
    ratios = []
    for seed in range(40):
        problem = classical(880_000_000 + seed, (15, 10))
        assert unlike(problem, known) == ""
        rules = min(simulate(problem, choice).cost for _, choice in every_rule(problem))
        drawn = (simulate(problem, policy.choose(problem, s)).cost for s in range(9))
        ratios.append(min(drawn) / rules)
    assert np.mean(ratios) < 0.98
