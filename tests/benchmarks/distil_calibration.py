"""Is a student as sure as it may be on what it has never seen? Ways to set its temperature.

::

    python tests/benchmarks/distil_gain.py ../shared/data/inspection/deep_pcb --work runs …
    python tests/benchmarks/distil_calibration.py runs

Takes the students that ``distil_gain.py`` or ``distil_curves.py`` left in its folder. What was set
there on items held out is set again: by a quarter of them (as where the others prove a promise), by
all, by the worst fifth of them, and by a few groups of the test (for squares: pictures of the new
board), which are then no part of it. For each way: the calibration error on the test's rest, mean
and range over the students.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from millhand.models.package import open_package
from millhand.models.sessions import open_model
from millhand.plugins import Plugins
from millhand.statistics.calibration import expected_calibration_error, fit_temperature
from millhand_quality.classify.parameters import IMAGE, PROBABILITIES
from millhand_quality.signals.parameters import SIGNAL

FEW = (3, 5, 10, 20, 40)
"""How many groups of the test are labelled for the temperature."""
DRAWS = 20
FIFTHS = 5

Logits = NDArray[np.float32]
Targets = NDArray[np.int64]
Groups = NDArray[np.str_]


def main() -> int:
    """Set every student's temperature in each way and print a table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("work", type=Path, help="that of the runs")
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
        "as the package has it": error_of(*test[:2], 1.0),
        "a quarter of what is held out": error_of(*test[:2], quarter(*held)),
        "all that is held out": error_of(*test[:2], fit_temperature(*held[:2])),
        "its worst fifth": error_of(*test[:2], worst(*held)),
        **{f"{few} groups of the test": drawn(*test, few) for few in FEW},
    }


def answered(work: Path, shelf: str) -> tuple[Logits, Targets, Groups]:
    """Return logits, kinds and groups of a shelf."""
    package = open_package(work / "package")
    classes = package.manifest.parameters["classes"]
    files = sorted(work.glob(f"*/{shelf}/*/*.*"))
    accelerator = Plugins.discover().adapter("onnxruntime").load()
    with open_model(package, accelerator("onnxruntime", accelerator.Config())) as model:
        shares = np.stack([model(**shown(file))[PROBABILITIES] for file in files])
    targets = np.array([classes.index(file.parent.name) for file in files])
    logits = np.log(np.maximum(shares, 1e-9))
    return logits, targets, np.array([file.stem.partition("_")[0] for file in files])


def shown(file: Path) -> Mapping[str, NDArray[Any]]:
    """Read a square or a curve."""
    if file.suffix == ".npz":
        return {SIGNAL: np.load(file)[SIGNAL]}
    with Image.open(file) as picture:
        return {IMAGE: np.array(picture.convert("RGB"))}


def quarter(logits: Logits, targets: Targets, groups: Groups) -> float:
    """Return the temperature by every fourth group."""
    own = np.isin(groups, np.unique(groups)[::4])
    return fit_temperature(logits[own], targets[own])


def worst(logits: Logits, targets: Targets, groups: Groups) -> float:
    """Return the highest temperature that a fifth of the groups asks for."""
    names = np.unique(groups)
    parts = [np.isin(groups, names[first::FIFTHS]) for first in range(FIFTHS)]
    return max(fit_temperature(logits[part], targets[part]) for part in parts)


def drawn(logits: Logits, targets: Targets, groups: Groups, few: int) -> float:
    """Return the mean error over draws of so many groups, on the items of the others."""
    draw, names, errors = np.random.default_rng(0), np.unique(groups), []
    for _ in range(DRAWS):
        own = np.isin(groups, draw.choice(names, few, replace=False))
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
