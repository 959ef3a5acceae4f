import json

import numpy as np
import pytest
from onnx_reference import Reference
from toy_roles import Rule

from millhand.distil.dataset import Split
from millhand.distil.packing import PLAN_FILE
from millhand.distil.run import SEALED_RECORD, distil
from millhand.errors import ConfigError, NotAllowed, PackageError
from millhand.models.package import open_package
from millhand.models.sessions import open_model


def test_from_teacher_to_package(plugins, points, make_plan, tmp_path):
    plan, told = make_plan(), []
    package = distil(
        plan, plugins, points, tmp_path / "toy", told.append, command="millhand distil toy.yaml"
    )
    manifest = open_package(package.folder).manifest
    assert package.id == manifest.package_id
    assert manifest.plan_sha256 == plan.sha256
    assert (package.folder / PLAN_FILE).read_bytes() == plan.to_bytes()
    assert (manifest.seed, manifest.command) == (5, "millhand distil toy.yaml")
    assert manifest.teacher.permission == "granted"
    assert manifest.sources == points.sources()
    assert (package.folder / "LICENSE").read_bytes() == b"CC0"
    (accuracy,) = manifest.metrics
    assert accuracy.value >= 0.9
    (time,) = manifest.latency
    assert 0 < time.p50_ms <= time.p99_ms
    assert any("Gate toy.within: pass" in note for note in manifest.notes)
    assert "The sealed test was looked at 1 times." in manifest.notes
    stages = list(dict.fromkeys(step.stage for step in told))
    assert stages == ["permission", "data", "learn", "verify", "time", "test", "gates", "pack"]
    with open_model(package, Reference("r", Reference.Config())) as model:
        sure = np.array([[2, 2], [-2, -2]], np.float32)
        assert model(x=sure)["p"][0, 0] > 0.99 > 0.01 > model(x=sure)["p"][1, 0]


def test_the_same_plan_and_data_make_the_same_graph(plugins, points, make_plan, kit, tmp_path):
    one = distil(make_plan(), plugins, points, tmp_path / "one")
    two = distil(make_plan(), plugins, kit.Points(), tmp_path / "two")
    assert one.manifest.graphs == two.manifest.graphs
    noisy = {"use": "toy.linear", "with": {"noise": 0.1}}
    other = distil(make_plan(student=noisy, seed=6), plugins, points, tmp_path / "other")
    assert other.manifest.graphs != one.manifest.graphs


@pytest.mark.parametrize("permission", ["denied", "unknown"])
def test_no_permission_stops_before_anything_else(plugins, points, make_plan, tmp_path, permission):
    teacher = {"use": "toy.rule", "with": {"permission": permission}}
    # Everything else in this plan is wrong too; permission is what is said.
    plan = make_plan(teacher=teacher, student={"use": "nobody"}, gates=[{"use": "nobody"}])
    before = Rule.labelled
    with pytest.raises(NotAllowed):
        distil(plan, plugins, points, tmp_path / "toy")
    assert Rule.labelled == before
    assert points.read_ids == []
    assert list(tmp_path.iterdir()) == []


def statement(permission="granted"):
    return {"permission": permission, "evidence": "Section 3, read 2026-11-23.", "stated_by": "Ann"}


def test_the_owners_word_is_recorded(plugins, points, make_plan, tmp_path):
    settings = {"permission": "unknown"}
    teacher = {"use": "toy.rule", "with": settings, "statement": statement()}
    package = distil(make_plan(teacher=teacher), plugins, points, tmp_path / "toy")
    card = package.manifest.teacher
    assert (card.permission, card.stated_by) == ("granted", "Ann")
    assert card.evidence == "Section 3, read 2026-11-23."


@pytest.mark.parametrize(("card", "word"), [("denied", "granted"), ("granted", "denied")])
def test_no_word_overrules_a_denial(plugins, points, make_plan, tmp_path, card, word):
    teacher = {"use": "toy.rule", "with": {"permission": card}, "statement": statement(word)}
    with pytest.raises(NotAllowed):
        distil(make_plan(teacher=teacher), plugins, points, tmp_path / "toy")


def test_the_student_never_sees_the_test(plugins, points, make_plan, tmp_path):
    plan = make_plan(gates=[])
    distil(plan, plugins, points, tmp_path / "toy")
    test = {i.id for i in points.items() if plan.split.shelf(i.group) == "test"}
    assert test
    first = min(points.read_ids.index(name) for name in test)
    assert not test & set(points.read_ids[:first])
    assert set(points.read_ids[first:]) == test


def test_every_look_at_the_test_is_counted(plugins, points, make_plan, tmp_path):
    for turn in (1, 2, 3):
        package = distil(make_plan(), plugins, points, tmp_path / f"toy{turn}")
        assert f"The sealed test was looked at {turn} times." in package.manifest.notes
    (readings,) = json.loads((tmp_path / SEALED_RECORD).read_bytes()).values()
    assert [r["plan_sha256"] for r in readings] == [make_plan().sha256] * 3


def refused(plan, plugins, points, folder):
    with pytest.raises(PackageError) as caught:
        distil(plan, plugins, points, folder / "toy")
    assert not (folder / "toy").exists()
    return caught.value


def test_a_gate_refuses_with_its_reason(plugins, points, make_plan, tmp_path):
    poor = {"use": "toy.linear", "with": {"noise": 60}}
    error = refused(make_plan(student=poor), plugins, points, tmp_path)
    assert error.fault == "gate"
    assert "accuracy is 0." in str(error)
    # A refused candidate has cost a look all the same.
    assert (tmp_path / SEALED_RECORD).exists()


@pytest.mark.parametrize(
    "settings", [{"metric": "recall"}, {"metric": "accuracy", "fewest_items": 999}]
)
def test_a_gate_that_cannot_judge_does_not_pass(plugins, points, make_plan, tmp_path, settings):
    gate = {"use": "toy.within", "with": {"margin": 0.1, **settings}}
    error = refused(make_plan(gates=[gate]), plugins, points, tmp_path)
    assert error.fault == "gate"
    assert "cannot judge" in str(error)


@pytest.mark.parametrize("budget", [{"parameters": 2}, {"p50_ms": 1e-6}])
def test_over_budget(plugins, points, make_plan, tmp_path, budget):
    assert refused(make_plan(budget=budget), plugins, points, tmp_path).fault == "budget"
    assert not (tmp_path / SEALED_RECORD).exists()


def test_a_graph_that_is_not_what_was_trained(plugins, points, make_plan, tmp_path):
    off = {"use": "toy.linear", "with": {"golden_error": 0.01}}
    assert refused(make_plan(student=off), plugins, points, tmp_path).fault == "golden"


def test_an_existing_folder_is_kept(plugins, points, make_plan, tmp_path):
    (tmp_path / "toy").mkdir()
    with pytest.raises(PackageError) as caught:
        distil(make_plan(), plugins, points, tmp_path / "toy")
    assert caught.value.fault == "exists"
    assert distil(make_plan(), plugins, points, tmp_path / "toy", replace=True)


@pytest.mark.parametrize("role", ["teacher", "student", "accelerator"])
def test_names_and_settings_that_are_wrong(plugins, points, make_plan, tmp_path, role):
    with pytest.raises(ConfigError, match="nobody"):
        distil(make_plan(**{role: {"use": "nobody"}}), plugins, points, tmp_path / "toy")
    use = {"teacher": "toy.rule", "student": "toy.linear", "accelerator": "reference"}[role]
    wrong = {role: {"use": use, "with": {"surprise": 1}}}
    with pytest.raises(ConfigError, match="surprise"):
        distil(make_plan(**wrong), plugins, points, tmp_path / "toy")


def test_a_shelf_without_groups(plugins, make_plan, kit, tmp_path):
    with pytest.raises(ConfigError, match="empty"):
        distil(make_plan(), plugins, kit.Points(parts=1), tmp_path / "toy")
    with pytest.raises(ConfigError, match="empty"):
        distil(make_plan(split=Split()), plugins, kit.Points(shelf="train"), tmp_path / "toy")
