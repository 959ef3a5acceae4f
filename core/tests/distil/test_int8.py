"""int8 is kept where it answers alike and wins, and is left out with the reason where not."""

from __future__ import annotations

import pytest
from onnx_reference import Reference

from millhand.distil.run import distil
from millhand.errors import ConfigError, PackageError, Unavailable
from millhand.models.older import emulation
from millhand.models.sessions import open_model

SLOWER_IS_FINE = -9
"""The reference evaluator is no run time: its times decide nothing here."""


@pytest.fixture
def make(plugins, points, make_plan, tmp_path):
    def call(*, judged=60, student=(), turned=False, **terms):
        use = {"use": "toy.rounded", "with": {"turned": turned}, "gain": SLOWER_IS_FINE, **terms}
        settings = {"judged": judged, **dict(student)}
        plan = make_plan(student={"use": "toy.linear", "with": settings}, quantise=use)
        return distil(plan, plugins, points, tmp_path / "toy")

    return call


def said(package):
    return " ".join(package.manifest.notes)


def test_it_is_packed_beside_fp32_with_golden_outputs_of_its_own(make):
    package = make()
    assert package.precisions == ("fp32", "int8")
    accelerator = Reference("r", Reference.Config())
    with open_model(package, accelerator, "int8") as model:
        assert model.golden.cases
    by_precision = {seen.precision: seen for seen in package.manifest.parity}
    assert by_precision["int8"].items == 60
    assert by_precision["int8"].agreement >= 0.98
    assert by_precision["fp32"].difference <= 1e-4
    # No older processor was asked, so that weights have 7 bits, which cannot overflow anywhere.
    assert "7-bit weights cannot overflow" in said(package)


def test_one_that_answers_otherwise_is_left_out(make):
    package = make(turned=True)
    assert package.precisions == ("fp32",)
    assert "answers are the same as in fp32, 98.0% are needed" in said(package)
    assert "fp32 stays" in said(package)


def test_one_that_saves_no_time_is_left_out_once(make):
    package = make(gain=0.99)
    assert package.precisions == ("fp32",)
    assert said(package).count("is left out: it takes") == 1
    assert "it must be 99% faster" in said(package)


def test_too_few_inputs_cannot_judge_it(make):
    package = make(judged=49)
    assert package.precisions == ("fp32",)
    assert "49 inputs cannot judge int8, 50 can" in said(package)


def test_a_quantiser_that_is_not_there_is_found_before_the_student_learns(
    plugins, points, make_plan, tmp_path
):
    plan = make_plan(quantise={"use": "toy.roundde"})
    with pytest.raises(ConfigError, match="quantisers"):
        distil(plan, plugins, points, tmp_path / "toy")
    assert points.read_ids == []


def test_plans_of_before_keep_their_hash(make_plan):
    plain = make_plan()
    assert b"quantise" not in plain.to_bytes()
    assert b"processors" not in plain.to_bytes()
    assert make_plan(quantise={"use": "toy.rounded"}).sha256 != plain.sha256


def test_an_export_that_differs_from_what_was_trained_is_refused_whatever_it_asks_for(
    plugins, points, make_plan, tmp_path
):
    """The student states bounds of its own for other run times; these do not count here."""
    wrong = {"use": "toy.linear", "with": {"golden_error": 3e-4, "golden_bound": 0.01}}
    with pytest.raises(PackageError, match="what was trained") as caught:
        distil(make_plan(student=wrong), plugins, points, tmp_path / "toy")
    assert caught.value.fault == "parity"
    assert not (tmp_path / "toy").exists()


def test_an_older_processor_is_really_asked(plugins, points, make_plan, tmp_path):
    """QEMU runs this very Python as a Nehalem."""
    try:
        emulation("nehalem")
    except Unavailable as error:
        pytest.skip(str(error))
    package = distil(make_plan(processors=["nehalem"]), plugins, points, tmp_path / "old")
    here, there = package.manifest.parity
    assert (here.emulated, there.emulated) == (False, True)
    assert there.processor.startswith("nehalem (2008")
    assert max(here.difference, there.difference) <= 1e-4
