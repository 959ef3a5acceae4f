"""From folder to package, and the package's golden pictures."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from millhand.contracts import Used
from millhand.errors import ConfigError, PackageError
from millhand.models.golden import check_golden
from millhand.models.package import Package, open_package
from millhand_quality.inspect.fit import FitRequest, Fitted, candidates_for, fit_package
from millhand_quality.inspect.inspector import GraphRunner
from millhand_quality.inspect.overview import overview
from millhand_quality.inspect.parameters import read_parameters

from .conftest import make_part, save, scratch, write_folder


class PlainSession:
    """A package's graph on ONNX Runtime, with nothing between."""

    def __init__(self, package: Package) -> None:
        self._runner = GraphRunner(package.path(package.graph()).read_bytes())

    @property
    def used(self) -> Used:
        raise NotImplementedError

    def run(self, inputs: Mapping[str, NDArray[Any]]) -> Mapping[str, NDArray[Any]]:
        return self._runner(inputs["image"]).outputs()

    def close(self) -> None: ...


@pytest.fixture(scope="module")
def fitted(folder: Path, tmp_path_factory: pytest.TempPathFactory) -> Fitted:
    out = tmp_path_factory.mktemp("packages") / "ring"
    request = FitRequest(folder, out, "ring", product="ring", false_reject_rate=0.1, size=96)
    return fit_package(request)


def test_the_package_is_whole(fitted: Fitted) -> None:
    package = open_package(fitted.package.folder)
    manifest = package.manifest
    assert manifest.task == "anomaly-inspection"
    assert manifest.product == "ring"
    assert manifest.teacher.permission == "granted"
    assert "section 2" in manifest.teacher.evidence
    assert [one.items for one in manifest.sources] == [21, 9, 16]
    assert {one.name for one in manifest.inputs} == {"image"}
    assert manifest.inputs[0].shape == (96, 96, 3)
    assert read_parameters(manifest.parameters) == fitted.parameters


def test_golden_pictures_reproduce(fitted: Fitted) -> None:
    report = check_golden(PlainSession(fitted.package), fitted.package, "fp32")
    assert len(report.cases) == 9
    assert report.largest_difference < 1e-4


def test_golden_notices_another_model(fitted: Fitted, folder: Path, tmp_path: Path) -> None:
    head = fitted.parameters.detector
    request = FitRequest(folder, tmp_path / "other", "other", head=head, size=96, seed=3)
    other = fit_package(request).package
    with pytest.raises(PackageError) as raised:
        check_golden(PlainSession(other), fitted.package, "fp32")
    assert raised.value.fault == "golden"


def test_defects_are_found_and_good_parts_pass(fitted: Fitted) -> None:
    metrics = {one.name: one for one in fitted.measured.metrics}
    assert metrics["defects rejected"].value == 1
    assert metrics["peak on defect"].value == 1
    assert metrics["image AUROC"].value == 1
    assert metrics["false reject rate"].value <= 0.3
    assert metrics["false reject rate"].high is not None


def test_the_threshold_is_calibrated_on_parts_never_fitted(fitted: Fitted) -> None:
    fit = {one.sha256 for one in fitted.division.fit}
    held = {one.sha256 for one in fitted.division.held_out}
    assert not fit & held
    assert len(fitted.parameters.calibration) == len(held) == 9
    assert fitted.thresholds.enough
    assert fitted.selection is not None
    assert {one.name for one in fitted.selection.trials} >= {"diagonal", "padim", "bank", "fused"}


def test_fitting_twice_gives_the_same_model(fitted: Fitted, folder: Path, tmp_path: Path) -> None:
    request = FitRequest(
        folder, tmp_path / "again", "ring", product="ring", false_reject_rate=0.1, size=96
    )
    again = fit_package(request)
    assert again.parameters == fitted.parameters
    assert again.package.manifest.graphs == fitted.package.manifest.graphs


def test_few_pictures_promise_nothing_and_say_so(tmp_path: Path) -> None:
    folder = write_folder(tmp_path / "few", 8)
    fitted = fit_package(FitRequest(folder, tmp_path / "out", "few", head="diagonal", size=96))
    assert fitted.thresholds.guarantee == "estimate"
    assert not fitted.thresholds.enough
    assert fitted.division.held_out == ()
    assert "none" in fitted.package.manifest.notes[0]
    runner = GraphRunner((fitted.package.folder / "model.onnx").read_bytes())
    assert runner(scratch(make_part(99))).score > fitted.parameters.reject_above


def test_copies_of_a_picture_count_once(tmp_path: Path) -> None:
    folder = write_folder(tmp_path / "copies", 6)
    for index in range(5):
        save(folder / f"train/good/copy{index}.png", make_part(0))
    fitted = fit_package(FitRequest(folder, tmp_path / "out", "x", head="diagonal", size=96))
    assert len(fitted.division.fit) == 6


def test_a_broken_picture_is_left_out_by_name(tmp_path: Path) -> None:
    folder = write_folder(tmp_path / "broken", 6)
    (folder / "train/good/bad.png").write_bytes(b"no picture")
    fitted = fit_package(FitRequest(folder, tmp_path / "out", "x", head="diagonal", size=96))
    assert [error.message for error in fitted.skipped if "bad.png" in error.message]
    assert len(fitted.division.fit) == 6


def test_another_size_needs_leave(tmp_path: Path) -> None:
    folder = write_folder(tmp_path / "sizes", 6)
    save(folder / "train/good/odd.png", make_part(7, size=120))
    request = FitRequest(folder, tmp_path / "out", "x", head="diagonal", size=96)
    with pytest.raises(ConfigError, match=r"odd\.png"):
        fit_package(request)
    assert len(fit_package(replace(request, resize=True)).division.fit) == 7


def test_a_package_is_not_overwritten(fitted: Fitted, folder: Path) -> None:
    request = FitRequest(folder, fitted.package.folder, "ring", head="diagonal", size=96)
    with pytest.raises(PackageError) as raised:
        fit_package(request)
    assert raised.value.fault == "exists"


def test_an_unknown_head_is_refused(folder: Path, tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="no head magic"):
        fit_package(FitRequest(folder, tmp_path / "x", "x", head="magic", size=96))


def test_worst_cases_are_drawn(fitted: Fitted) -> None:
    sheet = overview(fitted.judged, fitted.parameters)
    assert sheet is not None
    assert np.asarray(sheet).std() > 10
    assert overview((), fitted.parameters) is None


def test_a_head_on_the_general_student_is_a_package_like_others(tmp_path: Path) -> None:
    folder = write_folder(tmp_path / "ring", 24)
    request = FitRequest(
        folder, tmp_path / "out", "ring", head="diagonal", size=128, body="student",
        false_reject_rate=0.1,
    )  # fmt: skip
    fitted = fit_package(request)
    assert fitted.package.path(fitted.package.graph()).stat().st_size < 1_200_000
    assert any("general student" in note for note in fitted.package.manifest.notes)
    runner = GraphRunner(fitted.package.path(fitted.package.graph()).read_bytes())
    good, bad = make_part(90), scratch(make_part(90))
    assert runner(bad).score > runner(good).score


def test_the_student_has_no_fine_head() -> None:
    assert "padim-fine" not in candidates_for("auto", 50, "student")
    with pytest.raises(ConfigError, match="no head padim-fine"):
        candidates_for("padim-fine", 50, "student")
