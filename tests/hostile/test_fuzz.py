"""Bytes of a stranger: scenarios, packages and pictures that are nearly right.

Each may be refused by an error of ours, quickly, and by nothing else. With ``--slow`` many more.
"""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from PIL import Image

from millhand.errors import ConfigError, PackageError, Unavailable
from millhand.models.package import open_package
from millhand.scenario.load import load_text
from millhand_cameras.config import FolderConfig
from millhand_cameras.decode import read_picture

CELL = Path(__file__).parents[2] / "scenarios" / "casting_cell"
TEXT = (CELL / "scenario.yaml").read_text(encoding="utf-8")
LONGEST_S = 5.0
FEW = settings(
    max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
MANY = settings(FEW, max_examples=3000)

PIECES = st.sampled_from(
    ["&a", "*a", "<<: *a", "!!python/object:os.system", "{", "}", "[", ":", "\t", "\0", "1e999",
     "NaN", "0x7fffffffffffffff", "\u202e", "on", "- " * 50, "../../etc/passwd", "file:/etc/shadow",
     "env:PATH", "9" * 400, "{x: " * 60, "plc.state == 6 and (" * 30, "|\n" * 20]
)  # fmt: skip


@st.composite
def damaged_text(draw: st.DrawFn) -> str:
    text = TEXT
    for _ in range(draw(st.integers(1, 4))):
        start = draw(st.integers(0, len(text)))
        end = min(len(text), start + draw(st.integers(0, 30)))
        text = text[:start] + draw(PIECES | st.text(max_size=12)) + text[end:]
    return text


@dataclass(frozen=True)
class Damage:
    """What is put where, and where the end is. Small, since hypothesis keeps all that it draws."""

    pieces: list[tuple[float, int, bytes]]
    """Where (a share of the length), how many bytes are taken out, and what is put in."""
    kept: float

    def to(self, data: bytes) -> bytes:
        for place, taken, put in self.pieces:
            start = int(place * len(data))
            data = data[:start] + put + data[start + taken :]
        return data[: int(self.kept * len(data))]


DAMAGES = st.builds(
    Damage,
    st.lists(
        st.tuples(st.floats(0, 1), st.integers(0, 16), st.binary(max_size=16)),
        min_size=1,
        max_size=4,
    ),
    st.just(1.0) | st.floats(0.5, 1),
)


@contextmanager
def quickly() -> Iterator[None]:
    """Nothing may burn more of the processor than this; how busy the computer is does not count."""
    started = time.process_time()
    try:
        yield
    finally:
        assert time.process_time() - started < LONGEST_S


def scenario(text: str) -> None:
    try:
        load_text(text)
    except ConfigError:
        return


def package(folder: Path, name: str, data: bytes) -> None:
    file = folder / name
    whole = file.read_bytes()
    file.write_bytes(data)
    try:
        with quickly():
            open_package(folder)
    except PackageError:
        return
    finally:
        file.write_bytes(whole)


def picture(folder: Path, data: bytes, suffix: str) -> None:
    file = folder / f"picture{suffix}"
    file.write_bytes(data)
    config = FolderConfig(path=folder, max_pixels=1_000_000)
    try:
        with quickly():
            found = read_picture(file, "test", config)
    except Unavailable:
        return
    height, width, _ = found.pixels.shape
    assert height * width <= config.max_pixels


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("package") / "impeller"
    shutil.copytree(CELL / "models" / "impeller", folder)
    return folder


def pictures(folder: Path) -> dict[str, bytes]:
    """One small picture of each form."""
    pixels = np.random.default_rng(1).integers(0, 255, (24, 32, 3), np.uint8)
    found = {}
    for suffix in (".png", ".jpg", ".bmp", ".tif", ".webp"):
        Image.fromarray(pixels).save(folder / f"whole{suffix}")
        found[suffix] = (folder / f"whole{suffix}").read_bytes()
    return found


@FEW
@given(damaged_text())
def test_scenarios(text: str) -> None:
    with quickly():
        scenario(text)


@FEW
@given(data=st.data())
@pytest.mark.parametrize("name", ["manifest.json", "model.onnx"])
def test_packages(folder: Path, name: str, data: st.DataObject) -> None:
    whole = (folder / name).read_bytes()
    package(folder, name, data.draw(DAMAGES).to(whole))


@FEW
@given(data=st.data())
@pytest.mark.filterwarnings("ignore")
def test_pictures(tmp_path_factory: pytest.TempPathFactory, data: st.DataObject) -> None:
    place = tmp_path_factory.getbasetemp()
    suffix, whole = data.draw(st.sampled_from(sorted(pictures(place).items())))
    picture(place, data.draw(DAMAGES).to(whole), suffix)


@pytest.mark.slow
@pytest.mark.timeout(900)
@pytest.mark.filterwarnings("ignore")
@MANY
@given(data=st.data())
@pytest.mark.parametrize("what", ["scenario", "manifest.json", "model.onnx", "picture"])
def test_many(
    what: str, folder: Path, tmp_path_factory: pytest.TempPathFactory, data: st.DataObject
) -> None:
    if what == "scenario":
        text = data.draw(damaged_text())
        with quickly():
            scenario(text)
    elif what == "picture":
        place = tmp_path_factory.getbasetemp()
        suffix, whole = data.draw(st.sampled_from(sorted(pictures(place).items())))
        picture(place, data.draw(DAMAGES).to(whole), suffix)
    else:
        whole = (folder / what).read_bytes()
        package(folder, what, data.draw(DAMAGES).to(whole))


SEEDS = {
    "graph": lambda: (CELL / "models" / "impeller" / "model.onnx").read_bytes()[:4096],
    "manifest": (CELL / "models" / "impeller" / "manifest.json").read_bytes,
    "scenario": TEXT.encode,
}


@pytest.mark.slow
@pytest.mark.timeout(900)
@pytest.mark.parametrize("what", sorted(SEEDS))
def test_readers_by_coverage(what: str, tmp_path: Path) -> None:
    """Let atheris look for bytes that make a reader of ours raise anything but our own errors."""
    pytest.importorskip("atheris", reason="pip install atheris")
    corpus = tmp_path / "corpus"
    corpus.mkdir()
    (corpus / "seed").write_bytes(SEEDS[what]())
    bounds = ["-max_total_time=60", "-max_len=16384", "-timeout=20", "-rss_limit_mb=2048"]
    done = subprocess.run(
        [sys.executable, Path(__file__).with_name("fuzz_readers.py"), what, *bounds, corpus],
        capture_output=True,
        text=True,
        timeout=300,
        cwd=tmp_path,
        check=False,
    )
    assert done.returncode == 0, done.stderr[-3000:]
    runs = re.search(r"Done (\d+) runs", done.stderr)
    assert runs, done.stderr[-3000:]
    assert int(runs[1]) > 100
    print(what, runs[0])
