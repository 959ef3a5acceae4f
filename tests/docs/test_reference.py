"""The reference is up to date and leaves nothing out."""

from __future__ import annotations

import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import click
import pytest

from millhand.cli.program import program
from millhand.contracts import __all__ as contracts
from millhand.journal.records import Record
from millhand.plugins import hookspecs
from millhand.scenario.json_schema import schema

GENERATORS = ("cli_reference.py", "generate_reference.py")


@pytest.fixture
def reference(root: Path):
    def read(name: str) -> str:
        return (root / "docs" / "reference" / name).read_text(encoding="utf-8")

    return read


@pytest.mark.parametrize("script", GENERATORS)
def test_generated_pages_are_up_to_date(root: Path, script: str) -> None:
    done = subprocess.run(
        [sys.executable, root / "docs" / script, "--check"],
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.returncode, done.stdout) == (0, "")


def test_every_hook_is_documented(reference) -> None:
    hooks = [name for name in vars(hookspecs) if name.startswith("millhand_")]
    assert len(hooks) >= 8
    assert [name for name in hooks if f"\n## {name}\n" not in reference("hooks.md")] == []


def test_every_command_and_option_is_documented(reference) -> None:
    page = reference("cli.md")
    missing = [words for words in _commands(program, "millhand") if f"`{words}`" not in page]
    assert missing == []


def test_every_key_of_a_scenario_is_documented(reference) -> None:
    page = reference("scenario.md")
    document = schema()
    keys = set(document["properties"])
    for part in document["$defs"].values():
        for form in [part, *part.get("anyOf", [])]:
            keys |= form.get("properties", {}).keys()
    assert len(keys) > 50
    assert sorted(key for key in keys if f"| `{key}` |" not in page and key != "record") == []


def test_every_contract_and_record_is_documented(reference) -> None:
    page = reference("contracts.md")
    assert [name for name in contracts if f"\n### {name}\n" not in page] == []
    kinds = [str(kind.__struct_config__.tag) for kind in Record.__args__]
    assert [kind for kind in kinds if f"`{kind}`" not in reference("records.md")] == []


def test_every_alarm_is_documented(root: Path, reference) -> None:
    source = "".join(path.read_text("utf-8") for path in root.glob("core/millhand/**/*.py"))
    raised = set(re.findall(r'\braise_\(\s*"([a-z_]+)"', source))
    raised |= set(re.findall(r'"(activity_[a-z_]+)"', source))
    documented = set(re.findall(r"^\| `([a-z_]+)` \|", reference("alarms.md"), re.MULTILINE))
    assert raised == documented


def _commands(command: click.Command, words: str) -> Iterator[str]:
    yield words
    if isinstance(command, click.Group):
        context = click.Context(command)
        for name in command.list_commands(context):
            inner = command.get_command(context, name)
            assert inner is not None
            yield from _commands(inner, f"{words} {name}")


def test_every_proof_that_is_named_exists(root: Path) -> None:
    page = (root / "docs" / "explanation" / "guarantees.md").read_text(encoding="utf-8")
    named = set(re.findall(r"`(test_[a-z0-9_]+)`", page))
    tests = [*root.glob("core/tests/**/*.py"), *root.glob("tests/**/*.py")]
    tests += [
        *root.glob("core/millhand/testing/conformance/*.py"),
        *root.glob("plugins/*/tests/**/*.py"),
        *root.glob("hardware_adapters/*/tests/**/*.py"),
    ]
    found = set(re.findall(r"def (test_[a-z0-9_]+)", "".join(map(Path.read_text, tests))))
    assert len(named) > 20
    assert named - found == set()
