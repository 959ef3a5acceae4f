"""The container file: read, and where buildah is, built and run without a container engine."""

from __future__ import annotations

import importlib.util
import io
import json
import os
import re
import shlex
import shutil
import subprocess
from pathlib import Path

import pytest
from click.testing import CliRunner
from dockerfile_parse import DockerfileParser

from millhand.cli.program import program

ROOT = Path(__file__).parents[2]
CELL = """
millhand: 1
name: boxed
devices:
  camera: {adapter: folder, path: images}
console: {}
"""


@pytest.fixture(scope="module")
def steps() -> list[dict[str, str]]:
    parser = DockerfileParser(fileobj=io.BytesIO((ROOT / "Containerfile").read_bytes()))
    return [one for one in parser.structure if one["instruction"] != "COMMENT"]


def values(steps: list[dict[str, str]], instruction: str) -> list[str]:
    return [one["value"] for one in steps if one["instruction"] == instruction]


def test_it_ends_as_a_user_without_rights(steps) -> None:
    (user,) = values(steps, "USER")
    assert int(user.partition(":")[0]) >= 10_000
    names = [one["instruction"] for one in steps]
    assert names.index("USER") < names.index("ENTRYPOINT")
    assert "RUN" not in names[names.index("USER") :]
    assert "ADD" not in names


def test_what_it_copies_and_installs_is_there(steps) -> None:
    for copied in values(steps, "COPY"):
        words = shlex.split(copied)
        if not words[0].startswith("--from"):
            assert [word for word in words[:-1] if not (ROOT / word).exists()] == []
    install = next(one for one in values(steps, "RUN") if "pip install" in one)
    folders = [word for word in shlex.split(install) if re.fullmatch(r"[a-z_]+/[a-z_]+", word)]
    assert len(folders) >= 4
    assert [one for one in folders if not (ROOT / one / "pyproject.toml").exists()] == []


def test_the_base_image_has_a_python_that_we_support(steps) -> None:
    bases = values(steps, "FROM")
    assert {re.sub(r" AS .*", "", base) for base in bases} == {"docker.io/library/python:3.12-slim"}


def test_its_probe_and_its_command_exist(steps) -> None:
    (health,) = values(steps, "HEALTHCHECK")
    probe = json.loads(health.partition("CMD ")[2])
    assert probe[:2] == ["python", "-m"]
    assert importlib.util.find_spec(probe[2]) is not None
    assert values(steps, "ENTRYPOINT") == ['["millhand"]']
    command = json.loads(values(steps, "CMD")[-1])
    options = program.get_command(None, command[0]).params
    known = {word for option in options for word in option.opts}
    assert [word for word in command if word.startswith("--") and word not in known] == []
    assert CliRunner().invoke(program, [command[0], "--help"]).exit_code == 0


BASE = os.environ.get("MILLHAND_CONTAINER_BASE")
"""A Debian's root with Python, made as ``prove_container.sh`` says."""


@pytest.mark.slow
@pytest.mark.timeout(900)
@pytest.mark.skipif(
    BASE is None or shutil.which("buildah") is None or os.geteuid() != 0,
    reason="needs root, buildah, and MILLHAND_CONTAINER_BASE: see prove_container.sh",
)
def test_it_builds_and_a_cell_lives_in_it(tmp_path: Path) -> None:
    cell, out = tmp_path / "cell", tmp_path / "out"
    (cell / "images").mkdir(parents=True)
    shutil.copy(next((ROOT / "docs" / "images").glob("*.png")), cell / "images")
    (cell / "scenario.yaml").write_text(CELL, encoding="utf-8")
    out.mkdir()
    words = ["bash", Path(__file__).with_name("prove_container.sh"), BASE, cell, out]
    done = subprocess.run(words, capture_output=True, text=True, timeout=880, check=False)
    assert done.returncode == 0, done.stderr[-4000:]
    lines = (out / "facts").read_text(encoding="utf-8").splitlines()
    facts = dict(line.split(" ", 1) for line in lines if " " in line)
    assert facts["user"] == "10001"
    assert facts["writes"] == "no", "nothing of the program can be changed"
    assert (facts["alive"], facts["ended"], facts["verified"]) == ("0", "0", "yes")
    assert facts["done"] == "yes"
