"""The passport's schema: licences, older versions, and statements that contradict themselves."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from millhand.errors import PackageError
from millhand.models.licences import as_spdx, spdx
from millhand.models.manifest import Abstention, Energy, Manifest
from millhand.models.migrations import LATEST, upgraded
from millhand.models.package import open_package


def made_by_version_one(data):
    """Turn a manifest into what version 1 wrote; its licences could be any words."""
    data["manifest_version"] = 1
    for key in ("energy", "parity", "budget_p50_ms", "abstention"):
        del data[key]
    data["licence"] = "for our plant only"
    data["teacher"]["licence"] = "apache-2.0"


def test_a_package_of_version_one_opens_under_the_id_it_always_had(folder, kit):
    kit.rewrite(folder, made_by_version_one)
    raw = (folder / "manifest.json").read_bytes()
    package = open_package(folder)
    assert package.manifest.manifest_version == LATEST
    assert package.manifest.licence == "LicenseRef-for-our-plant-only"
    assert package.manifest.teacher.licence == "Apache-2.0"
    assert (package.manifest.energy, package.manifest.abstention) == ((), None)
    assert (folder / "manifest.json").read_bytes() == raw
    assert open_package(folder, expected_id=package.id) == package


def test_the_shipped_packages_of_version_one_still_open():
    """They lie in every plant; the casting cell's were written by version 1."""
    folder = Path(__file__).parents[3] / "scenarios/casting_cell/models/students/impeller"
    assert open_package(folder).id.startswith("casting-impeller@")


@pytest.mark.parametrize("version", [0, 3, -1, "2", 2.5, True, None])
def test_an_unknown_version_is_no_key(version):
    with pytest.raises(LookupError):
        upgraded({"manifest_version": version})


@given(st.text(max_size=60))
def test_whatever_was_called_a_licence_becomes_an_expression(words):
    assert spdx(as_spdx(words)) == as_spdx(words)


@pytest.mark.parametrize("words", ["", "free", "MIT or something", "Apache 2", "(MIT"])
def test_words_that_are_no_licence_are_refused_with_the_mend(words):
    with pytest.raises(ValueError, match="LicenseRef-"):
        spdx(words)


def test_a_package_whose_licence_is_no_licence_is_refused_by_its_schema(folder, kit):
    kit.rewrite(folder, lambda data: data.update(licence="take it"))
    with pytest.raises(PackageError, match="LicenseRef-take-it") as caught:
        open_package(folder)
    assert caught.value.fault == "schema"


ENERGY = {
    "target": "cpu",
    "runtime": "r",
    "precision": "fp32",
    "threads": 1,
    "method": "counter",
    "measured": "2026-11-25",
    "source": "measured",
    "millijoules": 2.0,
    "low": 1.0,
    "high": 3.0,
}
PROMISE = {
    "threshold": 0.9,
    "alpha": 0.05,
    "delta": 0.05,
    "tried": 8,
    "items": 10,
    "answered": 9,
    "wrong": 0,
    "upper": 0.05,
    "needed": 99,
    "data": "d",
}


@pytest.mark.parametrize("wrong", [{"low": 2.5}, {"high": 1.5}, {"source": "guessed"}])
def test_an_energy_must_lie_in_its_range_and_say_its_source(wrong):
    assert Energy(**ENERGY)
    with pytest.raises(ValidationError):
        Energy(**{**ENERGY, **wrong})


@pytest.mark.parametrize(
    "wrong",
    [{"upper": 0.06}, {"threshold": None}, {"upper": None}, {"answered": 11}, {"wrong": 10}],
)
def test_a_promise_must_not_contradict_itself(wrong):
    assert Abstention(**PROMISE)
    with pytest.raises(ValidationError):
        Abstention(**{**PROMISE, **wrong})


def test_canonical_json_is_that_of_the_standard(package):
    """RFC 8785: as another implementation of it reads numbers, keys and strings."""
    raw = (package.folder / "manifest.json").read_bytes()
    data = json.loads(raw)
    assert raw == package.manifest.to_bytes()
    assert list(data) == sorted(data)
    assert b'"absolute":0.0001' in raw
    assert Manifest.model_validate(data) == package.manifest
