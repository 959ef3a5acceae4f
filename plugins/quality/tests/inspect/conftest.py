from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image, ImageDraw

SIZE = 96


def make_part(seed: int, channels: int = 3, size: int = SIZE) -> NDArray[np.uint8]:
    """A machined ring on a dark ground: same drawing, a little noise, light and shift."""
    random = np.random.default_rng(seed)
    image = Image.new("L", (size, size), 30)
    pen = ImageDraw.Draw(image)
    shift = random.integers(-1, 2, 2)
    middle, outer, inner = size / 2, size * 0.42, size * 0.16
    for radius, grey in ((outer, 150), (inner, 40)):
        x, y = middle + shift[0], middle + shift[1]
        pen.ellipse((x - radius, y - radius, x + radius, y + radius), fill=grey)
    pixels = np.asarray(image, np.float32) * random.uniform(0.95, 1.05)
    pixels = pixels + random.normal(0, 3, pixels.shape)
    grey8 = np.clip(np.rint(pixels), 0, 255).astype(np.uint8)[:, :, None]
    return np.repeat(grey8, channels, axis=2)


def scratch(pixels: NDArray[np.uint8], row: int | None = None) -> NDArray[np.uint8]:
    """The same part with a deep mark on its left half."""
    hurt = pixels.copy()
    at = pixels.shape[0] // 2 if row is None else row
    hurt[at : at + 6, 14:26] = 240
    return hurt


def save(path: Path, pixels: NDArray[np.uint8]) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(pixels[:, :, 0] if pixels.shape[2] == 1 else pixels).save(path)
    return path


def write_folder(root: Path, good: int, test_good: int = 0, defects: int = 0) -> Path:
    """A folder in the MVTec layout, with masks."""
    for index in range(good):
        save(root / f"train/good/{index:03d}.png", make_part(index))
    for index in range(test_good):
        save(root / f"test/good/{index:03d}.png", make_part(1000 + index))
    for index in range(defects):
        whole = make_part(2000 + index)
        hurt = scratch(whole)
        save(root / f"test/scratch/{index:03d}.png", hurt)
        mask = ((hurt != whole).any(axis=2, keepdims=True) * 255).astype(np.uint8)
        save(root / f"ground_truth/scratch/{index:03d}_mask.png", mask)
    return root


@pytest.fixture(scope="session")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Thirty good parts, ten more to test on, six scratched."""
    return write_folder(tmp_path_factory.mktemp("parts") / "ring", 30, 10, 6)
