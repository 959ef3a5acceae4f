"""Every block of code in the documentation does what its page says.

A page's blocks are run in order in a folder with copies of the scenarios, as its reader would.
Commands and Python run in processes of their own; scenarios and parts of scenarios are checked
against the plugins; JSON and TOML are parsed; a part of an example is held against the example.
"""

from __future__ import annotations

import doctest
import json
import os
import re
import shutil
import socket
import subprocess
import sys
import time
import tomllib
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from ruamel.yaml import YAML

from millhand.errors import ConfigError
from millhand.plugins import Plugins
from millhand.scenario.check import check
from millhand.scenario.load import load_text
from millhand.scenario.schema import ScenarioFile

CELL = Path("scenarios") / "casting_cell"
TRY_AGAIN = 4
"""Exit code where something outside is away for now."""
LONGEST_S = 300


@dataclass(slots=True)
class Workplace:
    """The folder that a page's reader works in."""

    folder: Path
    root: Path
    environment: dict[str, str]
    plugins: Plugins
    python: str = ""
    """The Python block before, for one that goes on from it."""
    beside: list[subprocess.Popen[str]] = field(default_factory=list)
    """What runs in the reader's other terminals."""

    def end(self) -> None:
        """Close the other terminals."""
        for process in self.beside:
            assert process.stdin is not None
            process.stdin.close()
            try:
                process.wait(10)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()


@pytest.fixture(scope="module")
def examples(root: Path) -> list[Path]:
    return sorted(path.parent for path in root.glob("docs/examples/*/pyproject.toml"))


@pytest.fixture
def workplace(
    tmp_path: Path, root: Path, examples: list[Path], monkeypatch: pytest.MonkeyPatch
) -> Iterator[Workplace]:
    folder, home = tmp_path / "work", tmp_path / "home"
    home.mkdir()
    shutil.copytree(
        root / CELL, folder / CELL, ignore=shutil.ignore_patterns("journal", "data", "*.png")
    )
    for example in examples:
        monkeypatch.syspath_prepend(str(example))
    modules = [__import__(example.name.replace("-", "_")) for example in examples]
    environment = {
        **{name: value for name, value in os.environ.items() if not name.startswith("MILLHAND")},
        "PATH": os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]]),
        "PYTHONPATH": os.pathsep.join(map(str, examples)),
        "HOME": str(home),
        "XDG_CACHE_HOME": str(home),
        "LANGUAGE": "en",
        "NO_COLOR": "1",
        "COLUMNS": "100",
    }
    place = Workplace(folder, root, environment, Plugins.discover(modules))
    yield place
    place.end()


@pytest.mark.timeout(900)
def test_blocks(page, workplace: Workplace) -> None:
    port = str(_free_port())
    for block in page.blocks:
        text = block.text
        for before, after in page.replaced:
            text = text.replace(before, after.replace("FREE PORT", port))
        where = f"{page.name}:{block.line}"
        assert block.language in RUN, f"{where}: say what language this block is"
        if "part of" in block.marks:
            whole = (workplace.root / block.marks["part of"]).read_text(encoding="utf-8")
            assert block.text in whole, f"{where} differs from {block.marks['part of']}"
        elif "file" in block.marks:
            file = workplace.folder / block.marks["file"]
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_text(text, encoding="utf-8")
        if block.run:
            RUN[block.language](text, block.marks, workplace, where)
        else:
            assert block.marks["not run"], f"{where}: say why it is not run"


def test_the_tests_replace_what_the_page_says(page) -> None:
    commands = "".join(block.text for block in page.blocks)
    assert [before for before, _ in page.replaced if before not in commands] == []


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


# --- what is run ---


def _bash(text: str, marks: dict[str, str], workplace: Workplace, where: str) -> None:
    """Run a block as one script, which must end well, or in a terminal of its own."""
    if "beside" in marks:
        _beside(text, workplace)
        return
    _shell(text, workplace, where, int(marks.get("exit", 0)))


def _beside(text: str, workplace: Workplace) -> None:
    """Start a block and wait for its first line; its standard input stays open."""
    output = workplace.folder / "beside.txt"
    with output.open("w") as stream:
        process = subprocess.Popen(
            ["bash", "-c", f"exec {text}"],
            cwd=workplace.folder,
            env=workplace.environment,
            stdin=subprocess.PIPE,
            stdout=stream,
            stderr=subprocess.STDOUT,
            text=True,
        )
    workplace.beside.append(process)
    for _ in range(600):
        if "\n" in output.read_text():
            return
        assert process.poll() is None, output.read_text()
        time.sleep(0.1)
    raise AssertionError(f"nothing came from {text}")


def _console(text: str, marks: dict[str, str], workplace: Workplace, where: str) -> None:
    """Run each ``$ command`` and hold what it prints against what stands below it."""
    parts = re.split(r"^\$ ", text, flags=re.MULTILINE)
    assert not parts[0].strip(), f"{where}: begin with $ and a command"
    for part in parts[1:]:
        command, _, wanted = part.partition("\n")
        while command.endswith("\\"):
            more, _, wanted = wanted.partition("\n")
            command = f"{command[:-1]} {more}"
        printed = _shell(command, workplace, where, int(marks.get("exit", 0)))
        flags = doctest.ELLIPSIS | doctest.NORMALIZE_WHITESPACE
        fits = doctest.OutputChecker().check_output(wanted, printed, flags)
        assert fits, f"{where}: {command}\n--- the page says\n{wanted}\n--- it prints\n{printed}"


def _shell(script: str, workplace: Workplace, where: str, code: int) -> str:
    """Run a script; what says "try again" is tried again while the terminal beside comes up."""
    done = _ran(script, workplace)
    until = time.monotonic() + 60
    while done.returncode == TRY_AGAIN != code and workplace.beside and time.monotonic() < until:
        time.sleep(0.2)
        done = _ran(script, workplace)
    assert done.returncode == code, f"{where} ended with {done.returncode}:\n{done.stdout}"
    return done.stdout


def _ran(script: str, workplace: Workplace) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        ["bash", "-euo", "pipefail", "-c", script],
        cwd=workplace.folder,
        env=workplace.environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=LONGEST_S,
        check=False,
    )


def _python(text: str, marks: dict[str, str], workplace: Workplace, where: str) -> None:
    """Run a block in a Python of its own, in which every warning is an error."""
    if "part of" in marks or "file" in marks:
        return
    workplace.python = workplace.python + text if "continues" in marks else text
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", workplace.python],
        cwd=workplace.folder,
        env=workplace.environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=LONGEST_S,
        check=False,
    )
    assert done.returncode == 0, f"{where}:\n{done.stdout}"


def _yaml(text: str, marks: dict[str, str], workplace: Workplace, where: str) -> None:
    """Check a scenario; a part of one is put into the casting cell's first."""
    data = YAML(typ="safe", pure=True).load(text)
    assert isinstance(data, dict), where
    if "millhand_distil" in data:
        assert "file" in marks, f"{where}: a command further down must read the plan"
        return
    if "part of" in marks or not data.keys() <= ScenarioFile.model_fields.keys():
        assert "part of" in marks, f"{where}: begin with a key of the scenario"
        return
    file = workplace.folder / marks.get("file", f"{CELL}/scenario.yaml")
    secret = file.parent / "secrets" / "plc"
    if not secret.exists():
        secret.parent.mkdir(exist_ok=True)
        secret.write_text("only for tests\n", encoding="utf-8")
        secret.chmod(0o600)
    if "millhand" not in data:
        base = YAML(typ="safe", pure=True).load(file.read_text(encoding="utf-8"))
        text = _written(_merged(base, data))
    try:
        problems = check(load_text(text, file), workplace.plugins)
    except ConfigError as error:
        problems = list(error.problems)
    assert not problems, f"{where}:\n" + "\n".join(map(str, problems))


def _merged(base: Any, part: Any) -> Any:
    if not isinstance(base, dict) or not isinstance(part, dict):
        return part
    if base.get("adapter") != part.get("adapter", base.get("adapter")):
        return part  # another adapter has other options
    return base | {key: _merged(base.get(key), value) for key, value in part.items()}


def _written(data: Any) -> str:
    stream = StringIO()
    YAML(typ="safe", pure=True).dump(data, stream)
    return stream.getvalue()


def _diff(text: str, marks: dict[str, str], workplace: Workplace, where: str) -> None:
    """Change a file as the page tells its reader to."""
    file = workplace.folder / marks["edit"]
    lines = text.splitlines(keepends=True)
    before = "".join(line[1:] for line in lines if line[0] in " -")
    after = "".join(line[1:] for line in lines if line[0] in " +")
    whole = file.read_text(encoding="utf-8")
    assert whole.count(before) == 1, f"{where}: this does not stand in {marks['edit']}:\n{before}"
    file.write_text(whole.replace(before, after), encoding="utf-8")


def _json(text: str, marks: dict[str, str], workplace: Workplace, where: str) -> None:
    json.loads(text)


def _toml(text: str, marks: dict[str, str], workplace: Workplace, where: str) -> None:
    tomllib.loads(text)


def _nothing(text: str, marks: dict[str, str], workplace: Workplace, where: str) -> None:
    """Text is for people."""


RUN: dict[str, Callable[[str, dict[str, str], Workplace, str], None]] = {
    "bash": _bash,
    "console": _console,
    "python": _python,
    "yaml": _yaml,
    "diff": _diff,
    "json": _json,
    "toml": _toml,
    "text": _nothing,
    "iecst": _nothing,
}
