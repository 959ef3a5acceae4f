"""A classifier of real pictures by the shipped plan: every stage, up to the passport."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from PIL import Image

from millhand.models.package import open_package
from millhand_quality.classify.parameters import read_parameters

ROOT = Path(__file__).parents[2]
PLAN = ROOT / "scenarios" / "casting_cell" / "distil" / "kinds.yaml"
BOARDS = ROOT.parent / "shared" / "data" / "inspection" / "deep_pcb" / "PCBData"
KINDS = ("open", "short", "mousebite", "spur", "copper", "pinhole")
SIDE = 64


def write_squares(out: Path) -> int:
    """Write a square around each defect; those of one picture have its number, so one part's."""
    count = 0
    for number, picture in enumerate(sorted(BOARDS.glob("group*/*/*_test.jpg"))):
        folder = picture.parent
        marks = folder.with_name(f"{folder.name}_not") / f"{picture.stem[:-5]}.txt"
        with Image.open(picture) as opened:
            whole = opened.convert("RGB")
        for place, line in enumerate(marks.read_text(encoding="ascii").splitlines()):
            left, top, right, bottom, kind = map(int, line.split())
            x, y = (left + right) // 2 - SIDE // 2, (top + bottom) // 2 - SIDE // 2
            x, y = max(0, min(x, whole.width - SIDE)), max(0, min(y, whole.height - SIDE))
            file = out / f"defect-{place}" / "test" / KINDS[kind - 1] / f"{number}.png"
            file.parent.mkdir(parents=True, exist_ok=True)
            whole.crop((x, y, x + SIDE, y + SIDE)).save(file)
            count += 1
    return count


@pytest.mark.slow
@pytest.mark.torch
@pytest.mark.timeout(1500)
@pytest.mark.skipif(not BOARDS.exists(), reason="the pictures of DeepPCB are not here")
@pytest.mark.skipif(not shutil.which("qemu-x86_64"), reason="needs qemu-user")
def test_the_shipped_plan_on_real_pictures(tmp_path: Path) -> None:
    assert write_squares(tmp_path / "squares") > 2000
    command = [sys.executable, "-m", "millhand.cli", "distil", str(PLAN)]
    command += ["--data", str(tmp_path / "squares"), "--out", str(tmp_path / "kinds")]
    command += ["--target", "this-machine", "--minutes", "8", "--keep", str(tmp_path / "keep")]
    done = subprocess.run(command, capture_output=True, text=True, timeout=1400, check=False)
    assert done.returncode == 0, done.stderr[-3000:]
    said = {line.partition(" ")[0] for line in done.stderr.splitlines()}
    assert said >= {"data", "learn", "quantise", "verify", "certify", "test", "gates", "pack"}

    package = open_package(tmp_path / "kinds")
    manifest = package.manifest
    promise = manifest.abstention
    assert promise is not None
    parameters = read_parameters(manifest.parameters)
    if promise.threshold is None:
        assert promise.items < 1.5 * promise.needed, "too few boards to promise anything, it says"
        assert parameters.answer_from > 1, "so it never answers"
    else:
        assert parameters.answer_from == promise.threshold, "the agent keeps what is promised"
    figures = {metric.name: metric for metric in manifest.metrics}
    assert figures["accuracy"].value > 0.85
    told = " ".join(manifest.notes)
    assert "int8" in told, "it was tried, and the report says what came of it"
    assert ("int8" in package.precisions) or ("fp32 stays" in told)
    processors = {one.processor for one in manifest.parity if one.precision == "fp32"}
    assert any("haswell" in one.lower() for one in processors)
    assert any("nehalem" in one.lower() for one in processors)
    assert all(one.difference <= 1e-4 for one in manifest.parity if one.precision == "fp32")
    shown = subprocess.run(
        [sys.executable, "-m", "millhand.cli", "models", "show", str(tmp_path / "kinds"), "--json"],
        capture_output=True, text=True, timeout=60, check=True,
    )  # fmt: skip
    assert json.loads(shown.stdout)["manifest"]["abstention"]["threshold"] == promise.threshold
