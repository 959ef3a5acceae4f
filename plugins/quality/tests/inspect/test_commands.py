"""``millhand inspect`` as a person types it."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from .conftest import make_part, save, scratch, write_folder


def millhand(*args: str | Path) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-c", "from millhand.cli import main; main()", *map(str, args)]
    return subprocess.run(command, capture_output=True, text=True, timeout=100, check=False)


@pytest.fixture(scope="module")
def package(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("cli")
    write_folder(root / "ring", 30, 5, 4)
    done = millhand(
        "inspect", "fit", root / "ring", "--out", root / "models/ring", "--size", "96",
        "--false-reject", "10%",
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert "Head:" in done.stdout
    assert "at most 10.00% of good parts" in done.stdout
    assert "defects rejected" in done.stdout
    assert (root / "models/ring-worst-cases.png").is_file()
    return root / "models/ring"


def test_score_says_verdict_and_why(package: Path, tmp_path: Path) -> None:
    good = save(tmp_path / "good.png", make_part(50))
    bad = save(tmp_path / "bad.png", scratch(make_part(51)))
    odd = save(tmp_path / "odd.png", make_part(52, size=120))
    (tmp_path / "text.png").write_text("no picture")
    done = millhand(
        "inspect", "score", package, good, bad, odd, tmp_path / "text.png",
        "--heat", tmp_path / "maps", "--json",
    )  # fmt: skip
    assert done.returncode == 1
    found = [json.loads(line) for line in done.stdout.splitlines()]
    assert [one["verdict"] for one in found][1:] == ["not_ok", "not_decidable", "not_decidable"]
    assert "120x120" in found[2]["reason"]
    assert "cannot be read" in found[3]["reason"]
    assert (tmp_path / "maps/bad-heat.png").is_file()


def test_good_pictures_end_with_zero(package: Path, tmp_path: Path) -> None:
    path = save(tmp_path / "part.png", make_part(3))
    done = millhand("inspect", "score", package, path)
    assert done.returncode == 0, done.stdout
    assert "ok" in done.stdout


def test_few_pictures_are_told(tmp_path: Path) -> None:
    write_folder(tmp_path / "few", 6)
    done = millhand("inspect", "fit", tmp_path / "few", "--out", tmp_path / "out", "--size", "96")
    assert done.returncode == 0, done.stderr
    assert "Too few good parts to promise anything: 99 must be held out for 1.00%" in done.stdout


@pytest.mark.parametrize(
    ("args", "code", "word"),
    [
        (["nowhere", "--out", "x"], 3, "no folder"),
        ([".", "--out", "x", "--false-reject", "0"], 2, "never be promised"),
        ([".", "--out", "x", "--false-reject", "many"], 2, "no share"),
        ([".", "--out", "x", "--head", "magic"], 2, "magic"),
    ],
)
def test_mistakes_are_told_without_a_traceback(args: list[str], code: int, word: str) -> None:
    done = millhand("inspect", "fit", *args)
    assert done.returncode == code
    assert word in done.stderr
    assert "Traceback" not in done.stderr


def test_score_refuses_what_is_no_package(tmp_path: Path) -> None:
    done = millhand("inspect", "score", tmp_path, tmp_path / "x.png")
    assert done.returncode == 3
    assert "Traceback" not in done.stderr


def without_onnx(*args: str | Path) -> subprocess.CompletedProcess[str]:
    """Run as where ``onnx`` is not installed: importing it fails."""
    code = "import sys; sys.modules['onnx'] = None; from millhand.cli import main; main()"
    command = [sys.executable, "-c", code, *map(str, args)]
    return subprocess.run(command, capture_output=True, text=True, timeout=100, check=False)


def test_a_package_is_judged_with_where_none_can_be_made(package: Path, tmp_path: Path) -> None:
    bad = save(tmp_path / "bad.png", scratch(make_part(51)))
    done = without_onnx("inspect", "score", package, bad, "--json")
    assert done.returncode == 1, done.stderr
    assert json.loads(done.stdout)["verdict"] == "not_ok"


def test_fit_says_how_to_install_what_it_lacks(tmp_path: Path) -> None:
    write_folder(tmp_path / "ring", 5, 0, 0)
    done = without_onnx("inspect", "fit", tmp_path / "ring", "--out", tmp_path / "model")
    assert done.returncode not in (0, 1)
    assert "pip install 'millhand-quality[fit]'" in done.stderr
    assert "Traceback" not in done.stderr
    assert not (tmp_path / "model").exists()
