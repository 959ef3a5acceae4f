"""The plugins in the documentation: pip installs them, they are found, their tests pass."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

EXAMPLES = ("millhand-acme-agent", "millhand-acme-adapter")


@pytest.fixture(scope="module")
def installed(tmp_path_factory: pytest.TempPathFactory, root: Path) -> Path:
    """Install the examples as a stranger's, into a folder of their own."""
    site = tmp_path_factory.mktemp("site")
    sources = [tmp_path_factory.mktemp(name) / name for name in EXAMPLES]
    for name, source in zip(EXAMPLES, sources, strict=True):
        shutil.copytree(root / "docs" / "examples" / name, source)
    options = ["--no-deps", "--no-build-isolation", "--disable-pip-version-check", "--no-index"]
    done = subprocess.run(
        [sys.executable, "-m", "pip", "install", *options, "--target", site, *sources],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return site


def _run(site: Path, *command: str | Path, cwd: Path) -> subprocess.CompletedProcess[str]:
    environment = {**os.environ, "PYTHONPATH": str(site), "LANGUAGE": "en"}
    return subprocess.run(
        [sys.executable, "-m", *command],
        cwd=cwd,
        env=environment,
        capture_output=True,
        text=True,
        timeout=100,
        check=False,
    )


def test_installed_they_are_found_with_what_they_may_do(installed: Path, tmp_path: Path) -> None:
    done = _run(installed, "millhand.cli", "plugins", "--json", cwd=tmp_path)
    plugins = {plugin["name"]: plugin for plugin in json.loads(done.stdout)["plugins"]}
    agent, adapter = plugins["acme"], plugins["acme_scale"]
    assert [one["name"] for one in agent["provides"]["agents"]] == ["acme.checkweigher"]
    assert [one["name"] for one in adapter["provides"]["adapters"]] == ["acme.scale"]
    assert (agent["error"], adapter["error"]) == ("", "")
    assert not agent["capabilities"]["network"]
    assert adapter["capabilities"]["writes_hardware"]


@pytest.mark.parametrize("name", EXAMPLES)
def test_their_own_tests_pass(installed: Path, root: Path, name: str) -> None:
    folder = root / "docs" / "examples" / name
    done = _run(
        installed, "pytest", "-q", "-p", "no:cacheprovider", "-c", "pyproject.toml", cwd=folder
    )
    assert done.returncode == 0, done.stdout + done.stderr
