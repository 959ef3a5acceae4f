"""Pictures for the inspection benchmark: where they lie, how they are split, what is marked.

Nothing of them is kept in this repository. All come in one frame shape for each set, with masks of
the same size, and the physical part that each shows.
"""

from __future__ import annotations

import csv
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from millhand_quality.inspect.layout import read_layout
from millhand_quality.inspect.pictures import Pixels, Shape, open_picture

Mask = NDArray[np.bool_]
SHARED = Path(__file__).resolve().parents[2].parent / "shared" / "data" / "inspection"
BALL_SCREW, DEEP_PCB = SHARED / "ball_screw", SHARED / "deep_pcb"


@dataclass(frozen=True, slots=True)
class Shown:
    """One picture of a benchmark set."""

    path: Path
    part: str
    pixels: Pixels
    mask: Mask | None = None
    """What is defective, ``(height, width)``; None for a good picture."""
    step: int = 0
    """Place in time, where the set has one."""


@dataclass(frozen=True, slots=True)
class BenchmarkSet:
    """Good pictures to fit on, and pictures to test on that show other parts."""

    name: str
    frame: Shape
    fit: tuple[Shown, ...]
    test_good: tuple[Shown, ...]
    test_defective: tuple[Shown, ...]
    cell: int
    """Side of the cells in which localisation is measured, in pixels of ``shown`` size."""
    shown: tuple[int, int]
    """Height and width at which localisation is measured."""
    image_level: bool = True
    """Whether good and defective pictures differ in nothing but the defect."""
    notes: tuple[str, ...] = field(default_factory=tuple)


def _resized(pixels: Pixels, frame: Shape) -> Pixels:
    if Shape.of(pixels) == frame:
        return pixels
    image = Image.fromarray(pixels[:, :, 0] if pixels.shape[2] == 1 else pixels)
    image = image.convert("L" if frame.channels == 1 else "RGB")
    array = np.asarray(image.resize((frame.width, frame.height), Image.Resampling.BILINEAR))
    return array[:, :, None] if frame.channels == 1 else array


def _pixels(path: Path, frame: Shape) -> Pixels:
    return _resized(open_picture(path).pixels(), frame)


def _mask(path: Path, frame: Shape) -> Mask:
    with Image.open(path) as image:
        small = image.convert("L").resize((frame.width, frame.height), Image.Resampling.BOX)
    return np.asarray(small) > 0


def ball_screw(root: Path = BALL_SCREW) -> BenchmarkSet:
    """The ball screw: good frames of ten positions, late pitted frames of five others."""
    frame = Shape(460, 1130, 3)
    fit, late = [], []
    with (root / "sequence.csv").open(encoding="utf-8") as file:
        for row in csv.DictReader(file):
            step = int(row["step"])
            if row["split"] == "train":
                path = root / "train/good" / row["file"]
                fit.append(Shown(path, row["position"], _pixels(path, frame), step=step))
            elif row["label"] == "pitting":
                path = root / "test/pitting" / row["file"]
                mask = _mask(root / "masks/pitting" / f"{path.stem}.png", frame)
                late.append(Shown(path, row["position"], _pixels(path, frame), mask, step))
    return BenchmarkSet(
        name="ball screw",
        frame=frame,
        fit=tuple(fit),
        test_good=(),
        test_defective=tuple(late),
        cell=64,
        shown=(192, 512),
        image_level=False,
    )


def deep_pcb(root: Path = DEEP_PCB) -> BenchmarkSet:
    """Circuit boards: templates to fit on; templates and tests of other places to test on."""
    frame = Shape(640, 640, 1)
    templates = sorted(root.rglob("*_temp.jpg"))
    half = len(templates) // 2
    fit = [Shown(path, path.stem[:-5], _pixels(path, frame)) for path in templates[:half]]
    good, bad = [], []
    for path in templates[half:]:
        part = path.stem[:-5]
        good.append(Shown(path, part, _pixels(path, frame)))
        test = path.with_name(f"{part}_test.jpg")
        boxes = next(root.rglob(f"{part}.txt"))
        bad.append(Shown(test, part, _pixels(test, frame), _boxes(boxes, frame)))
    return BenchmarkSet(
        name="DeepPCB",
        frame=frame,
        fit=tuple(fit),
        test_good=tuple(good),
        test_defective=tuple(bad),
        cell=64,
        shown=(640, 640),
        notes=("every picture shows another place of a board: no head can know the layout",),
    )


def _boxes(path: Path, frame: Shape) -> Mask:
    mask = np.zeros((frame.height, frame.width), bool)
    for line in path.read_text(encoding="utf-8").splitlines():
        left, top, right, bottom, _ = (int(word) for word in line.split())
        mask[top:bottom, left:right] = True
    return mask


def own_folder(root: Path, part_pattern: str | None = None) -> BenchmarkSet:
    """Anybody's folder: the MVTec layout, or one category of VisA as it is published."""
    if (root / "Data/Images/Normal").is_dir():
        return _visa(root)
    layout = read_layout(root, part_pattern)
    frame = open_picture(layout.good[0].path).shape
    defective = tuple(_defective(layout, frame))
    return BenchmarkSet(
        name=root.name,
        frame=frame,
        fit=tuple(Shown(one.path, one.part, _pixels(one.path, frame)) for one in layout.good),
        test_good=tuple(
            Shown(one.path, one.part, _pixels(one.path, frame)) for one in layout.test_good
        ),
        test_defective=defective,
        cell=max(16, min(frame.height, frame.width) // 8),
        shown=(frame.height, frame.width),
    )


def _defective(layout, frame: Shape) -> Iterator[Shown]:  # type: ignore[no-untyped-def]
    for kind, listed in layout.test_defects.items():
        for one in listed:
            path = layout.mask_of(kind, one.path)
            empty = np.zeros((frame.height, frame.width), bool)
            mask = empty if path is None else _mask(path, frame)
            yield Shown(one.path, one.part, _pixels(one.path, frame), mask)


def _visa(root: Path) -> BenchmarkSet:
    normal = sorted((root / "Data/Images/Normal").iterdir())
    frame = open_picture(normal[0]).shape
    order = np.random.default_rng(0).permutation(len(normal))
    held = {normal[place] for place in order[: len(normal) // 3]}
    bad = []
    for path in sorted((root / "Data/Images/Anomaly").iterdir()):
        mask = _mask(root / "Data/Masks/Anomaly" / f"{path.stem}.png", frame)
        bad.append(Shown(path, path.stem, _pixels(path, frame), mask))
    shown = [Shown(path, path.stem, _pixels(path, frame)) for path in normal]
    return BenchmarkSet(
        name=root.name,
        frame=frame,
        fit=tuple(one for one in shown if one.path not in held),
        test_good=tuple(one for one in shown if one.path in held),
        test_defective=tuple(bad),
        cell=max(16, min(frame.height, frame.width) // 8),
        shown=(frame.height, frame.width),
    )
