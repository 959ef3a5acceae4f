"""Strangers' distributions: pip installs them into a fresh environment, they are found, their
tests and kits pass, they run, and they go again. So do the skeletons of ``millhand new``.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sysconfig
import venv
from collections.abc import Iterator
from pathlib import Path

import pytest

EXAMPLES = ("millhand-acme-agent", "millhand-acme-adapter")
SKELETONS = {"plugin": "millhand-new-judge", "adapter": "millhand-new-box"}
ALL = (*EXAMPLES, *SKELETONS.values())


class Plant:
    """A stranger's computer: an environment of its own, and the sources of the distributions."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.python = folder / "env" / "bin" / "python"
        self.sources = folder / "sources"

    def run(
        self, *command: str | Path, cwd: Path | None = None, code: int | None = 0
    ) -> subprocess.CompletedProcess[str]:
        done = subprocess.run(
            [self.python, "-m", *command],
            cwd=cwd or self.folder,
            env={**os.environ, "LANGUAGE": "en"},
            capture_output=True,
            text=True,
            timeout=100,
            check=False,
        )
        assert code is None or done.returncode == code, done.stdout + done.stderr
        return done

    def pip(self, *arguments: str | Path) -> None:
        self.run("pip", "--disable-pip-version-check", *arguments)

    def plugins(self) -> dict[str, dict]:
        said = self.run("millhand.cli", "plugins", "--json").stdout
        return {plugin["name"]: plugin for plugin in json.loads(said)["plugins"]}


@pytest.fixture(scope="module")
def plant(tmp_path_factory: pytest.TempPathFactory, root: Path) -> Iterator[Plant]:
    """Make the environment; what Millhand itself needs is lent from ours, nothing is downloaded."""
    plant = Plant(tmp_path_factory.mktemp("stranger"))
    venv.create(plant.folder / "env", with_pip=True, symlinks=True)
    (site,) = (plant.folder / "env").glob("lib/python*/site-packages")
    (site / "lent.pth").write_text(
        f"import site; site.addsitedir({sysconfig.get_path('purelib')!r})\n"
    )
    plant.sources.mkdir()
    for name in EXAMPLES:
        shutil.copytree(root / "docs" / "examples" / name, plant.sources / name)
    for kind, name in SKELETONS.items():
        short = name.removeprefix("millhand-")
        plant.run("millhand.cli", "new", kind, short, "--folder", plant.sources / name)
    sources = [plant.sources / name for name in ALL]
    plant.pip("install", "--no-deps", "--no-build-isolation", "--no-index", *sources)
    return plant


def test_installed_they_are_found_with_what_they_may_do(plant: Plant) -> None:
    plugins = plant.plugins()
    agent, adapter = plugins["acme"], plugins["acme_scale"]
    assert [one["name"] for one in agent["provides"]["agents"]] == ["acme.checkweigher"]
    assert [one["name"] for one in adapter["provides"]["adapters"]] == ["acme.scale"]
    assert {plugins[name]["error"] for name in ("acme", "acme_scale", "new_judge", "new_box")} == {
        ""
    }
    assert not agent["capabilities"]["network"]
    assert adapter["capabilities"]["writes_hardware"]


@pytest.mark.parametrize("name", ALL)
def test_their_own_tests_and_kits_pass(plant: Plant, name: str, tmp_path: Path) -> None:
    results = tmp_path / "results.json"
    options = ["-q", "-p", "no:cacheprovider", "-c", "pyproject.toml", "--conformance", results]
    plant.run("pytest", *options, cwd=plant.sources / name)
    (trial,) = json.loads(results.read_text())["trials"]
    assert {one["outcome"].partition(":")[0] for one in trial["promises"].values()} <= {
        "passed",
        "lacks",
    }


def test_a_skeleton_of_a_scenario_is_right_and_connects_to_nothing_yet(plant: Plant) -> None:
    plant.run("millhand.cli", "new", "scenario", "new-cell")
    plant.run("millhand.cli", "check", "new-cell")
    shown = plant.run("millhand.cli", "connect", "new-cell", "camera")
    assert "connected" in shown.stdout


def test_removed_they_are_gone_and_their_scenario_says_what_to_install(plant: Plant) -> None:
    scenario = plant.folder / "scale.yaml"
    scenario.write_text(
        "millhand: 1\nname: scales\n"
        "devices: {scale: {adapter: acme.scale, host: 127.0.0.1, tags: {weight: weight}}}\n"
    )
    plant.run("millhand.cli", "check", scenario)
    plant.pip("uninstall", "--yes", *ALL)
    assert not {"acme", "acme_scale", "new_judge", "new_box"} & plant.plugins().keys()
    gone = plant.run("millhand.cli", "check", scenario, code=1)
    assert "pip install millhand-acme" in gone.stdout
