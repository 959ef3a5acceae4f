"""Little pictures of a plate under a fixed camera, good and with dark spots, and a plan on them."""

import importlib.util
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

SIDE = 64


def plate(random):
    """A bright disc on a dark belt, with grain: (SIDE, SIDE, 3) uint8."""
    rows, columns = np.mgrid[:SIDE, :SIDE]
    disc = (rows - 32) ** 2 + (columns - 32) ** 2 < 26**2
    levels = np.where(disc, 150.0, 25.0)[..., None] + random.normal(0, 4, (SIDE, SIDE, 3))
    return np.clip(levels, 0, 255).astype(np.uint8)


def spotted(random):
    """A plate with a dark spot, and the mask of the spot."""
    pixels = plate(random).astype(np.float32)
    row, column = random.integers(18, 46, 2)
    rows, columns = np.mgrid[:SIDE, :SIDE]
    mask = (rows - row) ** 2 + (columns - column) ** 2 <= 9
    pixels[mask] *= 0.4
    return pixels.astype(np.uint8), mask


def save(path: Path, pixels):
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(pixels).save(path)


def write_pictures(folder: Path, good=30, bad=12, seed=0):
    """Write pictures in the MVTec layout; a number is a family."""
    random = np.random.default_rng(seed)
    for number in range(good):
        save(folder / f"train/good/{number:03d}.png", plate(random))
    for number in range(bad):
        pixels, mask = spotted(random)
        save(folder / f"test/spot/{number:03d}.png", pixels)
        save(folder / f"ground_truth/spot/{number:03d}_mask.png", mask.astype(np.uint8) * 255)
    return folder


PLAN = """
millhand_distil: 1
name: plate
task: anomaly-inspection
product: plate
licence: CC0-1.0
seed: {seed}
teacher:
  use: quality.trunk
  with: {{head: diagonal, pictures: 10}}
{statement}
student:
  use: quality.cells
  with: {{steps: {steps}, batch: 4, crop: 32, stem: 4, fine: 8, coarse: 8,
          teacher_weight: {teacher_weight}}}
data:
  folder: pictures
  pattern: "*/*/*.png"
  group: '.+/(?P<group>\\d+)(_mask)?\\.png'
  label: '[^/]+/(?P<label>[^/]+)/[^/]+'
  licence: CC0-1.0
split: {{train: 0.5, calibration: 0.25, test: 0.25}}
gates:
  - use: quality.within_teacher
    with: {{metric: image AUROC, margin: {margin}, fewest_items: 5}}
"""


@pytest.fixture
def write_plan(tmp_path):
    """Write a plan, and its pictures once; return the plan's file."""

    def write(*, seed=1, steps=8, teacher_weight=0.2, margin=1.0, statement="", **pictures):
        if not (tmp_path / "pictures").exists():
            write_pictures(tmp_path / "pictures", **pictures)
        plan = tmp_path / "plan.yaml"
        plan.write_text(
            PLAN.format(
                seed=seed,
                steps=steps,
                teacher_weight=teacher_weight,
                margin=margin,
                statement=statement,
            )
        )
        return plan

    return write


def pytest_collection_modifyitems(items):
    """Skip what needs torch where it is not installed."""
    if importlib.util.find_spec("torch") is None:
        for item in items:
            if item.get_closest_marker("torch"):
                item.add_marker(pytest.mark.skip(reason="torch, which only distilling needs"))
