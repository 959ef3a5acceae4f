"""Is a student as sure as it may be on a board that it has never seen? Ways to set its temperature.

::

    python tests/benchmarks/distil_gain.py ../shared/data/inspection/deep_pcb --work runs …
    python tests/benchmarks/distil_calibration.py ../shared/data/inspection/deep_pcb --work runs

Takes the students that ``distil_gain.py`` left in its folder. What is set there on pictures of the
first board is set again: by the worst fifth of those pictures, and by a few pictures of the new
board, whose squares are then no part of the test. For each way: the calibration error on the rest
of the new board, mean and range over the students.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

import numpy as np
from distil_gain import student_says
from numpy.typing import NDArray
from PIL import Image

from millhand.models.package import open_package
from millhand.statistics.calibration import expected_calibration_error, fit_temperature
from millhand_quality.classify.parameters import read_parameters

FEW = (3, 5, 10, 20, 40)
"""How many pictures of the new board are labelled for the temperature."""
DRAWS = 20
FIFTHS = 5

Logits = NDArray[np.float32]
Targets = NDArray[np.int64]
Pictures = NDArray[np.str_]


def main() -> int:
    """Set every student's temperature in each way and print a table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path, help="the data set: holds PCBData")
    parser.add_argument("--work", type=Path, required=True, help="that of distil_gain.py")
    parser.add_argument("--students", default="honest", help="which of them")
    given = parser.parse_args()
    found: dict[str, list[float]] = {}
    runs = sorted(given.work.glob(f"{given.students}-*/package/manifest.json"))
    for run in runs:
        for way, error in ways(run.parents[1]).items():
            found.setdefault(way, []).append(error)
    print(f"{len(runs)} students\n\n| temperature set by | mean | lowest | highest |")
    print("|---|---:|---:|---:|")
    for way, errors in found.items():
        print(f"| {way} | {np.mean(errors):.3f} | {min(errors):.3f} | {max(errors):.3f} |")
    return 0


def ways(work: Path) -> dict[str, float]:
    """Return one student's calibration error by how its temperature was set."""
    held, test = answered(work, "calibration"), answered(work, "test")
    return {
        "as shipped": error_of(*test[:2], 1.0),
        "the worst fifth of the first board's pictures": error_of(*test[:2], worst(*held)),
        **{f"{few} pictures of the new board": drawn(*test, few) for few in FEW},
    }


def answered(work: Path, shelf: str) -> tuple[Logits, Targets, Pictures]:
    """Return logits, kinds and pictures of a shelf."""
    package = open_package(work / "package")
    classes = read_parameters(package.manifest.parameters).classes
    files = sorted((work / "squares" / shelf).glob("*/*.png"))
    squares = np.stack([np.array(Image.open(file).convert("RGB")) for file in files])
    logits = np.log(np.maximum(student_says(package, squares), 1e-9))
    targets = np.array([classes.index(file.parent.name) for file in files])
    return logits, targets, np.array([file.stem.partition("_")[0] for file in files])


def worst(logits: Logits, targets: Targets, pictures: Pictures) -> float:
    """Return the highest temperature that a fifth of the pictures asks for."""
    names = np.unique(pictures)
    parts = [np.isin(pictures, names[first::FIFTHS]) for first in range(FIFTHS)]
    return max(fit_temperature(logits[part], targets[part]) for part in parts)


def drawn(logits: Logits, targets: Targets, pictures: Pictures, few: int) -> float:
    """Return the mean error over draws of so many pictures, on the squares of the others."""
    draw, names, errors = np.random.default_rng(0), np.unique(pictures), []
    for _ in range(DRAWS):
        own = np.isin(pictures, draw.choice(names, few, replace=False))
        temperature = fit_temperature(logits[own], targets[own])
        errors.append(error_of(logits[~own], targets[~own], temperature))
    return float(np.mean(errors))


def error_of(logits: Logits, targets: Targets, temperature: float) -> float:
    """Return the expected calibration error at a temperature."""
    warm = np.exp((logits - logits.max(axis=1, keepdims=True)) / temperature)
    shares = warm / warm.sum(axis=1, keepdims=True)
    right = shares.argmax(axis=1) == targets
    return expected_calibration_error(shares.max(axis=1).astype(np.float64), right)


if __name__ == "__main__":
    sys.exit(main())
