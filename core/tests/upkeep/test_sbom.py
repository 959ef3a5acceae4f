"""The bill of materials follows its standard; the audit finds what advisories say, offline."""

from __future__ import annotations

import json
import zipfile
from pathlib import Path

import pytest
from click.testing import CliRunner
from cyclonedx.schema import SchemaVersion
from cyclonedx.validation.json import JsonStrictValidator

from millhand.cli.program import program
from millhand.errors import ConfigError
from millhand.upkeep.audit import audit
from millhand.upkeep.sbom import installed


def advisory(name: str = "msgspec", **changes: object) -> dict[str, object]:
    events = changes.pop("events", [{"introduced": "0"}, {"fixed": "99"}])
    return {
        "id": "PYSEC-1",
        "summary": "It is weak.",
        "aliases": ["CVE-1"],
        "affected": [
            {
                "package": {"ecosystem": "PyPI", "name": name},
                "ranges": [{"type": "ECOSYSTEM", "events": events}],
            }
        ],
        **changes,
    }


@pytest.fixture
def write(tmp_path: Path):
    def write_file(*advisories: dict[str, object]) -> Path:
        file = tmp_path / "advisories.json"
        file.write_text(json.dumps(list(advisories)))
        return file

    return write_file


def test_the_bill_follows_its_standard_and_names_what_we_need(tmp_path: Path) -> None:
    file = tmp_path / "sbom.json"
    done = CliRunner().invoke(program, ["sbom", "-o", str(file)])
    assert done.exit_code == 0, done.output
    text = file.read_text()
    assert JsonStrictValidator(SchemaVersion.V1_6).validate_str(text) is None
    found = {one["name"]: one for one in json.loads(text)["components"]}
    assert {"millhand", "millhand-opcua", "asyncua", "msgspec", "SQLAlchemy"} <= found.keys()
    assert found["msgspec"]["purl"].startswith("pkg:pypi/msgspec@")
    assert "mypy" not in found, "what developers need is no part of it"


@pytest.mark.parametrize(
    ("version", "events", "hit"),
    [
        ("1.5", [{"introduced": "0"}, {"fixed": "2.0"}], True),
        ("2.0", [{"introduced": "0"}, {"fixed": "2.0"}], False),
        ("2.0", [{"introduced": "1.0"}, {"last_affected": "2.0"}], True),
        ("2.0.1", [{"introduced": "1.0"}, {"last_affected": "2.0"}], False),
        ("0.9", [{"introduced": "1.0"}], False),
        ("3.1", [{"introduced": "0"}, {"fixed": "2"}, {"introduced": "3"}], True),
        ("2.0rc1", [{"introduced": "0"}, {"fixed": "2.0"}], True),
        ("no version", [{"introduced": "0"}], False),
    ],
)
def test_ranges(write, version: str, events: list[dict[str, str]], hit: bool) -> None:
    found, count = audit(write(advisory(events=events)), {"msgspec": version})
    assert (bool(found), count) == (hit, 1)


def test_withdrawn_other_packages_and_other_registries_are_passed_over(write) -> None:
    other = advisory()
    other["affected"][0]["package"]["ecosystem"] = "npm"  # type: ignore[index]
    file = write(advisory(withdrawn="2026-01-01"), advisory("nobody-has-this"), other)
    assert audit(file, {"msgspec": "1"}) == ([], 3)


def test_the_command_finds_it_in_what_is_installed_and_ends_with_one(write, tmp_path) -> None:
    archive = tmp_path / "all.zip"
    with zipfile.ZipFile(archive, "w") as file:
        file.writestr("PYSEC-1.json", json.dumps(advisory()))
        file.writestr("notes.txt", "none of it")
    done = CliRunner().invoke(program, ["audit", "--advisories", str(archive)])
    assert done.exit_code == 1
    assert f"msgspec {installed()['msgspec'].version}" in done.output
    assert "CVE-1" in done.output
    done = CliRunner().invoke(program, ["audit", "--advisories", str(write(advisory("none")))])
    assert done.exit_code == 0


@pytest.mark.parametrize("text", ["", "[]", "{", '{"id": 5}', "PK\x03\x04 no archive"])
def test_what_holds_no_advisories_says_so(tmp_path: Path, text: str) -> None:
    file = tmp_path / "x"
    file.write_text(text)
    with pytest.raises(ConfigError, match="holds no advisories"):
        audit(file, {})
