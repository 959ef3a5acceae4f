"""The container file, as far as it can be proved without a container engine."""

from __future__ import annotations

import importlib.util
import io
import json
import re
import shlex
from pathlib import Path

import pytest
from click.testing import CliRunner
from dockerfile_parse import DockerfileParser

from millhand.cli.program import program

ROOT = Path(__file__).parents[2]


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
