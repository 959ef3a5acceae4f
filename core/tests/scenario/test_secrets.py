from __future__ import annotations

import os
from pathlib import Path

import pytest
from pydantic import SecretStr

from millhand.errors import ConfigError
from millhand.scenario import load_text
from millhand.scenario.secrets import is_secret_key, resolve

HEAD = "millhand: 1\nname: cell\n"
posix = pytest.mark.skipif(os.name != "posix", reason="file modes are POSIX")


@pytest.fixture
def secret(tmp_path: Path) -> Path:
    path = tmp_path / "secrets" / "plc"
    path.parent.mkdir()
    path.write_text("hunter2\n")
    path.chmod(0o600)
    return path


def test_a_file_is_read_without_its_line_end(secret: Path, tmp_path: Path) -> None:
    found = resolve("file:secrets/plc", tmp_path)
    assert found.get_secret_value() == "hunter2"
    assert "hunter2" not in repr(found)


@posix
def test_a_file_that_all_may_read_is_refused(secret: Path, tmp_path: Path) -> None:
    secret.chmod(0o644)
    with pytest.raises(ConfigError, match="may read the secret") as caught:
        resolve("file:secrets/plc", tmp_path)
    assert caught.value.mend == f"chmod 600 {secret}"
    assert "hunter2" not in str(caught.value)


@pytest.mark.parametrize("content", [b"", b"\n", b"\xff\xfe", b"x" * 200_000])
def test_a_file_that_is_no_secret_is_refused(content: bytes, secret: Path, tmp_path: Path) -> None:
    secret.write_bytes(content)
    with pytest.raises(ConfigError):
        resolve("file:secrets/plc", tmp_path)


@pytest.mark.parametrize("reference", ["file:nowhere", "file:secrets", "env:MILLHAND_NOT_SET", "x"])
def test_a_secret_that_is_not_there_is_refused(
    reference: str, secret: Path, tmp_path: Path
) -> None:
    with pytest.raises(ConfigError) as caught:
        resolve(reference, tmp_path)
    assert caught.value.mend


def test_the_environment_is_read(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("MILLHAND_TEST_SECRET", "hunter2")
    assert resolve("env:MILLHAND_TEST_SECRET", tmp_path).get_secret_value() == "hunter2"


@pytest.mark.parametrize(
    ("key", "is_secret"),
    [
        ("password", True),
        ("key_passphrase", True),
        ("api_key", True),
        ("apikey", True),
        ("access-token", True),
        ("Secret", True),
        ("passwords_allowed", False),
        ("allow_plain_password", True),
        ("private_key", False),
        ("tokens", False),
        ("path", False),
    ],
)
def test_which_keys_hold_secrets(key: str, is_secret: bool) -> None:
    assert is_secret_key(key) is is_secret


@pytest.mark.parametrize(
    "device",
    [
        "{adapter: x, password: hunter2}",
        "{adapter: x, password: 12345}",
        "{adapter: x, security: {user: me, password: hunter2}}",
        "{adapter: x, peers: [{token: hunter2}]}",
        "{adapter: x, url: 'opc.tcp://me:hunter2@plc:4840'}",
    ],
)
def test_a_secret_in_the_file_is_refused_and_not_repeated(device: str) -> None:
    with pytest.raises(ConfigError, match="secret stands in the file") as caught:
        load_text(f"{HEAD}devices:\n  plc: {device}\n")
    problem = caught.value.problems[0]
    assert problem.place.line == 4
    assert "file:secrets/NAME" in problem.expected
    assert "hunter2" not in str(caught.value)
    assert "12345" not in str(caught.value)


@pytest.mark.parametrize(
    "device",
    [
        "{adapter: x, allow_plain_password: true}",
        "{adapter: x, password: null}",
        "{adapter: x, tags: {token: s=Cell.Token}}",
        "{adapter: x, url: 'opc.tcp://plc:4840/a@b'}",
        "{adapter: x, password: 'env:PLC'}",
    ],
)
def test_what_is_no_secret_is_let_pass(device: str) -> None:
    load_text(f"{HEAD}devices:\n  plc: {device}\n")


def test_options_carry_the_secret_hidden(secret: Path, tmp_path: Path) -> None:
    text = f"{HEAD}devices:\n  plc: {{adapter: x, security: {{password: 'file:secrets/plc'}}}}\n"
    scenario = load_text(text, tmp_path / "scenario.yaml")
    options = scenario.device_options("plc")
    assert options == {"security": {"password": SecretStr("hunter2")}}
    assert "hunter2" not in repr(options)
    assert "hunter2" not in repr(scenario)


def test_the_journals_database_may_be_a_secret(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("MILLHAND_TEST_SECRET", "postgresql://me:hunter2@db/cell")
    scenario = load_text(f"{HEAD}journal: {{url: 'env:MILLHAND_TEST_SECRET'}}\n")
    assert scenario.journal_url == "postgresql://me:hunter2@db/cell"
    assert load_text(HEAD).journal_url is None
