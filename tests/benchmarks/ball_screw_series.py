"""The ball screw as a series in time: every frame of it, and what the trunk says of it."""

from __future__ import annotations

import csv
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from inspection_data import BALL_SCREW, Mask, _mask, _pixels
from numpy.typing import NDArray

from millhand.engine.drift import picture_values
from millhand_quality.inspect.features import FeatureExtractor, InputPlan, Taps, plan_input
from millhand_quality.inspect.pictures import Shape

FRAME = Shape(460, 1130, 3)
TAPS: Taps = (10,)
SIZE = 320
"""Side of the square that has as many pixels as the trunk sees, as in the benchmark of heads."""
FOLDERS = {
    ("train", "good"): "train/good",
    ("test", "good"): "test/good",
    ("test", "pitting"): "test/pitting",
    ("unsure", "unsure"): "unsure",
}


@dataclass(frozen=True, slots=True)
class Frame:
    """One frame; ``features`` are those of the trunk, ``(112, rows, columns)``."""

    position: str
    step: int
    label: str
    held_out: bool
    """Whether its position is one of the five that no head was ever fitted on before the alarm."""
    features: NDArray[np.float32]
    picture: dict[str, float]
    mask: Mask | None


@dataclass(frozen=True, slots=True)
class Series:
    """All frames in the order of time, positions within a step."""

    plan: InputPlan
    frames: tuple[Frame, ...]

    def some(self, *, held_out: bool, label: str, first: int = 0, last: int = 999) -> list[Frame]:
        """Return the frames of a label between two steps, both taken."""
        return [
            one
            for one in self.frames
            if one.held_out is held_out and one.label == label and first <= one.step <= last
        ]


def read_series(root: Path = BALL_SCREW) -> Series:
    """Read it and compute the trunk's features: a minute."""
    plan = plan_input(FRAME, SIZE)
    trunk = FeatureExtractor(plan, [TAPS])
    frames = []
    with (root / "sequence.csv").open(encoding="utf-8") as file:
        rows = sorted(csv.DictReader(file), key=lambda row: (int(row["step"]), row["position"]))
    for row in rows:
        path = root / FOLDERS[row["split"], row["label"]] / row["file"]
        pixels = _pixels(path, FRAME)
        mask = None
        if row["label"] == "pitting":
            mask = _mask(root / "masks/pitting" / f"{path.stem}.png", FRAME)
        frames.append(
            Frame(
                row["position"], int(row["step"]), row["label"], row["split"] != "train",
                trunk(pixels)[TAPS], picture_values(pixels), mask,
            )
        )  # fmt: skip
    return Series(plan, tuple(frames))
