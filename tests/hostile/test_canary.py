"""A secret is put where secrets go, and searched in everything that comes out."""

from __future__ import annotations

import asyncio
import os
import re
import signal
import subprocess
import sys
import urllib.request
import zipfile
from collections.abc import Iterator
from pathlib import Path

import pytest

CANARY = "kanarie-5d1f-password"
SECOND = "kanarie-77aa-from-the-environment"
SCENARIO = """
millhand: 1
name: canary
devices:
  plc:
    adapter: opcua
    url: opc.tcp://127.0.0.1:1
    namespace: urn:millhand:simulated
    security: {user: operator, password: "file:secrets/plc", allow_plain_password: true}
    tags: {state: {node: s=Cell.PackML.State, type: int32}}
  other:
    adapter: opcua
    url: opc.tcp://127.0.0.1:1
    security: {user: operator, password: "env:CANARY", allow_plain_password: true}
console: {listen: "127.0.0.1:0", token: "file:secrets/token"}
"""


@pytest.fixture
def cell(tmp_path: Path) -> Path:
    folder = tmp_path / "cell"
    (folder / "secrets").mkdir(parents=True)
    (folder / "scenario.yaml").write_text(SCENARIO)
    for name in ("plc", "token"):
        (folder / "secrets" / name).write_text(CANARY + "\n")
        (folder / "secrets" / name).chmod(0o600)
    return folder


@pytest.fixture
def millhand(tmp_path: Path):
    environment = {**os.environ, "CANARY": SECOND, "XDG_STATE_HOME": str(tmp_path / "logs")}

    def start(*words: str | Path) -> subprocess.Popen[str]:
        return subprocess.Popen(
            [sys.executable, "-u", "-m", "millhand.cli", *map(str, words)],
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            env=environment,
            cwd=tmp_path,
        )

    return start


def everything(folder: Path, without: Path) -> Iterator[tuple[Path, bytes]]:
    for path in folder.rglob("*"):
        if path.is_file() and not path.is_relative_to(without):
            yield path, path.read_bytes()
            if zipfile.is_zipfile(path):
                with zipfile.ZipFile(path) as archive:
                    yield from ((path / name, archive.read(name)) for name in archive.namelist())


def test_no_output_tells_a_secret(cell: Path, millhand, tmp_path: Path) -> None:
    said, found = "", None
    with millhand("-v", "run", cell) as run:
        assert run.stdout is not None
        for line in run.stdout:
            said += line
            if found := re.search(r"Console: (http\S+)", line):
                break
        assert found, said
        request = urllib.request.Request(
            f"{found[1]}/metrics", headers={"Authorization": f"Bearer {CANARY}"}
        )
        with urllib.request.urlopen(request, timeout=20) as answer:
            said += answer.read().decode()
        run.send_signal(signal.SIGINT)
        said += run.communicate(timeout=60)[0]
    assert "millhand_ready 0.0" in said, "the metrics were really asked for"
    for words in (
        ["check", cell],
        ["check", cell, "--json"],
        ["doctor", cell, "--bundle", tmp_path / "help.zip"],
        ["backup", cell, "-o", tmp_path / "cell.millhand"],
        ["status", "--at", cell],
        ["journal", "export", "--at", cell, "-o", tmp_path / "export.jsonl"],
    ):
        said += millhand(*words).communicate(timeout=100)[0]
    (cell / "scenario.yaml").write_text(SCENARIO.replace("file:secrets/plc", CANARY))
    told = millhand("check", cell).communicate(timeout=100)[0]
    assert "A secret stands in the file itself" in told
    for secret in (CANARY, SECOND):
        assert secret not in said + told
        leaks = [
            str(path)
            for path, data in everything(tmp_path, cell / "secrets")
            if secret.encode() in data and path != cell / "scenario.yaml"
        ]
        assert leaks == []
    assert (tmp_path / "help.zip").stat().st_size > 1000
    assert (cell / "journal" / "journal.sqlite").exists()


async def test_errors_of_a_refused_secret_do_not_hold_it(cell: Path) -> None:
    from millhand.errors import ConfigError
    from millhand.scenario.load import load

    (cell / "secrets" / "plc").chmod(0o644)
    loaded = load(cell)
    with pytest.raises(ConfigError) as caught:
        await asyncio.to_thread(loaded.device_options, "plc")
    assert CANARY not in str(caught.value)
    assert CANARY not in repr(loaded)
