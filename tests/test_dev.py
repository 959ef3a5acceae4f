"""``dev.py``: what it promises without installing anything."""

import importlib.util
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]


@pytest.fixture
def dev(tmp_path, monkeypatch):
    """The module, at work in a copy of the files that decide what is installed."""
    spec = importlib.util.spec_from_file_location("dev", ROOT / "dev.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    for name in ("requirements-dev.txt", "requirements-test.txt"):
        (tmp_path / name).write_bytes((ROOT / name).read_bytes())
    for folder in module.distributions():
        target = tmp_path / folder.relative_to(ROOT)
        target.mkdir(parents=True, exist_ok=True)
        (target / "pyproject.toml").write_bytes((folder / "pyproject.toml").read_bytes())
    monkeypatch.setattr(module, "ROOT", tmp_path)
    return module


def call(*arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, str(ROOT / "dev.py"), *arguments],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


def test_help_lists_the_jobs_and_a_wrong_one_ends_with_two(dev):
    shown = call("--help")
    assert shown.returncode == 0
    for job in dev.JOBS:
        assert f"python dev.py {job}" in shown.stdout
    wrong = call("dance")
    assert (wrong.returncode, "demo" in wrong.stderr) == (2, True)
    assert call().returncode == 2
    assert call("check", "something").returncode == 2


def test_the_same_files_need_no_second_installation(dev):
    assert dev.fingerprint(dev.RUN_TIME) == dev.fingerprint(dev.RUN_TIME)
    assert dev.fingerprint(dev.RUN_TIME) != dev.fingerprint(dev.TESTING)


@pytest.mark.parametrize(
    "file", ["requirements-dev.txt", "pyproject.toml", "plugins/quality/pyproject.toml"]
)
def test_a_changed_requirement_is_installed_again(dev, tmp_path, file):
    before = dev.fingerprint(dev.RUN_TIME)
    with (tmp_path / file).open("a") as stream:
        stream.write("\n# changed\n")
    assert dev.fingerprint(dev.RUN_TIME) != before


def test_running_installs_no_torch_and_no_tool(dev):
    assert dev.RUN_TIME == ("requirements-dev.txt",)
    for folder in dev.distributions():
        text = (folder / "pyproject.toml").read_text(encoding="utf-8")
        dependencies = text.partition("dependencies = [")[2].partition("]")[0]
        assert "torch" not in dependencies
        assert "pytest" not in dependencies


def test_a_failing_command_hands_on_its_code(dev):
    assert dev.call([sys.executable, "-c", "raise SystemExit(7)"]) == 7


def test_a_bundle_leaves_out_what_no_run_opens(dev, tmp_path):
    site = tmp_path / "site"
    kept = ["onnxruntime/capi/onnxruntime_pybind11_state.so", "numpy/_core/multiarray.py"]
    left = [
        "onnxruntime/capi/libonnxruntime.so.1.32.0",
        "onnxruntime/tools/a.py",
        "numpy/_core/tests/test_a.py",
        "bin/millhand",
    ]
    for name in (*kept, *left):
        (site / name).parent.mkdir(parents=True, exist_ok=True)
        (site / name).write_bytes(b"x" * 10)
    assert dev.bytes_in(site) == 60
    dev.leave_out(site)
    assert {path.relative_to(site).as_posix() for path in site.rglob("*") if path.is_file()} == {
        *kept
    }


def test_a_bundle_goes_into_a_new_folder(tmp_path):
    (tmp_path / "old").write_text("x")
    refused = call("bundle", str(tmp_path))
    assert (refused.returncode, "not empty" in refused.stderr) == (2, True)
    assert call("bundle").returncode == 2
