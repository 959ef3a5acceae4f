"""``millhand models``: what people see of packages, whole and tampered with."""

from __future__ import annotations

import json

import pytest
from click.testing import CliRunner

from millhand.cli.exits import ExitCode
from millhand.cli.program import program


@pytest.fixture
def run():
    def invoke(*arguments):
        return CliRunner().invoke(program, ["models", *map(str, arguments)])

    return invoke


def test_show_prints_the_passport(run, package):
    said = run("show", package.folder).stdout
    assert "Permission to distil: granted" in said
    assert json.loads(run("show", package.folder, "--json").stdout)["id"] == package.id


def test_list_names_every_package_and_the_fault_of_a_broken_one(run, kit, tmp_path):
    whole = kit.full_builder().write(tmp_path / "whole")
    broken = kit.full_builder().write(tmp_path / "nested" / "broken").folder
    (broken / "model.onnx").write_bytes(b"not what the manifest says")
    found = run("list", tmp_path, "--json")
    assert found.exit_code == ExitCode.PROBLEMS
    rows = {row["folder"]: row for row in json.loads(found.stdout)}
    assert rows["whole"]["id"] == whole.id
    assert rows["nested/broken"]["fault"] == "hash"
    assert "hash:" in run("list", tmp_path).stdout


def test_list_of_nothing_says_so(run, tmp_path):
    assert "no package" in run("list", tmp_path).stdout


@pytest.mark.parametrize(
    ("tamper", "fault"),
    [
        (lambda f: (f / "model.onnx").write_bytes(b""), "truncated"),
        (lambda f: (f / "model.onnx").write_bytes(b"x" * 100), "hash"),
        (lambda f: (f / "weights.pkl").write_bytes(b"\x80\x05."), "pickle"),
        (lambda f: (f / "more.txt").write_text("hello"), "unlisted"),
        (lambda f: (f / "golden" / "fp32-0.npz").unlink(), "missing"),
    ],
)
def test_verify_refuses_a_tampered_package_by_the_faults_name(run, folder, tamper, fault):
    tamper(folder)
    refused = run("verify", folder, "--json")
    assert refused.exit_code == ExitCode.NEEDS_PERSON
    assert refused.stdout == ""
    listed = json.loads(run("list", folder, "--json").stdout)
    assert [row["fault"] for row in listed] == [fault]


def test_verify_of_a_whole_package_counts_its_files(run, package):
    said = json.loads(run("verify", package.folder, "--json").stdout)
    assert said["id"] == package.id
    assert said["files"] == 3


def test_diff_of_a_package_with_itself_is_nothing(run, package):
    same = run("diff", package.folder, package.folder)
    assert (same.exit_code, "same package" in same.stdout) == (ExitCode.FINE, True)


def test_diff_names_what_changed_and_nothing_else(run, kit, tmp_path):
    before = kit.full_builder().write(tmp_path / "before").folder
    after = kit.full_builder(parameters={"threshold": 0.75}, seed=3).write(tmp_path / "after")
    found = run("diff", before, after.folder, "--json")
    assert found.exit_code == ExitCode.PROBLEMS
    changed = {row["key"]: row for row in json.loads(found.stdout)["differences"]}
    card = {"files.card.md.sha256"}
    assert changed.keys() == {"parameters.threshold", "seed"} | card
    assert changed["parameters.threshold"] == {
        "key": "parameters.threshold",
        "before": 0.5,
        "after": 0.75,
    }
