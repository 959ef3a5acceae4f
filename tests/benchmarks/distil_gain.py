"""Does distilling gain, where labels are few and pictures many? One task, chosen beforehand.

::

    python tests/benchmarks/distil_gain.py ../shared/data/inspection/deep_pcb --seeds 5

DeepPCB's six kinds of defect in squares of 64 pixels. Of every ``--labelled`` pictures of one board
one has labels; the squares of the others are the pool, whose labels are not read. A teacher that
knows no more labels than the student, a linear head on a pre-trained backbone, answers for both.
Held against it: the same net with the same labels, steps and seed, and no teacher. The sealed test
is another board. Each seed draws other pictures to label, other views and other weights.

``--pilot`` tests on pictures of the first board that are else for calibration, to choose settings
without looking at the test. Nothing of the data set is shipped: its licence allows research.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import multiprocessing
import sys
import tempfile
import time
from concurrent.futures import ProcessPoolExecutor, as_completed
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from classify_pcb import TESTED, pictures, write_square
from numpy.typing import NDArray
from PIL import Image

from millhand.contracts.agent import Model
from millhand.distil.folder import plan_data
from millhand.distil.plan import DistilPlan
from millhand.distil.run import distil
from millhand.models.package import Package
from millhand.models.sessions import open_model
from millhand.plugins import Plugins
from millhand.statistics.calibration import expected_calibration_error
from millhand_quality.classify.distil.config import BackboneTeacherConfig
from millhand_quality.classify.distil.figures import ACCURACY
from millhand_quality.classify.distil.net import KindsNet
from millhand_quality.classify.distil.teacher import LOGITS, BackboneTeacher
from millhand_quality.classify.parameters import IMAGE, PROBABILITIES, read_parameters

STUDENTS = {"honest": 12, "fast": 5}
"""Channels after the first layer, by the student's name."""
BACKBONE = {"size": 128, "views": 6}
RESAMPLES = 5000
DEFERRED = 0.3
TRUNK_WEIGHTS = 700_000


@dataclass
class Answers:
    """Who was right on the test's squares, ``(items,)`` each."""

    student: NDArray[np.bool_]
    control: NDArray[np.bool_]
    teacher: NDArray[np.bool_]
    confidence: NDArray[np.float64]
    groups: list[str]
    weights: int
    minutes: float


def main() -> int:
    """Distil once for each seed and student, and print the tables."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path, help="the data set: holds PCBData")
    parser.add_argument("--seeds", type=int, default=5)
    parser.add_argument("--first-seed", type=int, default=0)
    parser.add_argument("--jobs", type=int, default=2, help="runs at the same time")
    parser.add_argument("--labelled", type=int, default=10, help="one picture in so many")
    parser.add_argument("--steps", type=int, default=600)
    parser.add_argument("--teacher-weight", type=float, default=0.9)
    parser.add_argument("--students", default=",".join(STUDENTS))
    parser.add_argument("--pilot", action="store_true", help="look at no picture of the test")
    parser.add_argument("--work", type=Path, help="where distillations are kept; goes on there")
    given = parser.parse_args()
    work = given.work or Path(tempfile.mkdtemp(prefix="millhand-gain-"))
    found: dict[str, list[Answers]] = {name: [] for name in given.students.split(",")}
    seeds = range(given.first_seed, given.first_seed + given.seeds)
    with ProcessPoolExecutor(given.jobs, multiprocessing.get_context("spawn")) as pool:
        asked = {
            pool.submit(one_run, given, work / f"{name}-{seed}", STUDENTS[name], seed): (name, seed)
            for name in found
            for seed in seeds
        }
        for run in as_completed(asked):
            name, seed = asked[run]
            found[name].append(run.result())
            print(f"{name}, seed {seed}: {line_of(run.result())}", flush=True)
    for name, runs in found.items():
        print(f"\n{name}: {runs[0].weights} weights, {TRUNK_WEIGHTS / runs[0].weights:.0f} times "
              f"fewer than the teacher's")  # fmt: skip
        print_table(runs)
    return 0


def line_of(run: Answers) -> str:
    """Return one run's figures in a line."""
    return (
        f"student {run.student.mean():.4f}, control {run.control.mean():.4f}, teacher "
        f"{run.teacher.mean():.4f}, calibration error "
        f"{expected_calibration_error(run.confidence, run.student):.4f}, {run.minutes:.1f} min"
    )


# --- one run ---


def one_run(given: argparse.Namespace, work: Path, width: int, seed: int) -> Answers:
    """Distil one student, and let all three answer the test."""
    squares = work / "squares"
    write_shelves(given.folder / "PCBData", squares, seed, given.labelled, pilot=given.pilot)
    plan, began = plan_of(given, width, seed), time.monotonic()
    package = distil(
        plan,
        Plugins.discover(),
        plan_data(plan, work, squares),
        work / "package",
        replace=True,
        keep=work / "keep",
    )
    took = work / "minutes.json"  # of the run that learnt; who only reads takes no time
    if not took.exists():
        took.write_text(json.dumps((time.monotonic() - began) / 60), encoding="utf-8")
    return answers(package, work, width, json.loads(took.read_text(encoding="utf-8")))


def write_shelves(root: Path, out: Path, seed: int, labelled: int, *, pilot: bool) -> None:
    """Write each square as ``<shelf>/<kind>/<picture>_<number>.png``."""
    for picture, boxes in pictures(root):
        if (TESTED in picture.parts) and pilot:
            continue
        shelf = shelf_of(picture, seed, labelled, pilot=pilot)
        with Image.open(picture) as opened:
            whole = opened.convert("L")
        for number, box in enumerate(boxes):
            write_square(whole, box, out / shelf, f"{picture.stem[:-5]}_{number}")


def shelf_of(picture: Path, seed: int, labelled: int, *, pilot: bool) -> str:
    """Say what a picture is for: the board tells the test, a hash the rest."""
    if TESTED in picture.parts:
        return "test"
    luck = hashlib.sha256(picture.stem.encode()).digest()
    if luck[0] < 64:
        return "test" if pilot and luck[1] < 128 else "calibration"
    drawn = hashlib.sha256(f"{seed}/{picture.stem}".encode()).digest()
    return "train" if int.from_bytes(drawn[:4]) % labelled == 0 else "pool"


def plan_of(given: argparse.Namespace, width: int, seed: int) -> DistilPlan:
    """Return the plan; the shelves are those that the squares' paths name."""
    return DistilPlan.model_validate(
        {
            "millhand_distil": 1,
            "name": "pcb-kinds",
            "task": "classification",
            "licence": "LicenseRef-research-only",
            "seed": seed,
            "teacher": {"use": "quality.backbone", "with": BACKBONE},
            "student": {
                "use": "quality.kinds",
                "with": {
                    "width": width,
                    "steps": given.steps,
                    "views": 6,
                    "shift": 6,
                    "teacher_weight": given.teacher_weight,
                },
            },
            "data": {
                "folder": "squares",
                "pattern": "*/*/*.png",
                "group": r"[^/]+/[^/]+/(?P<group>\d+)_\d+\.png",
                "label": r"[^/]+/(?P<label>[^/]+)/[^/]+",
                "shelf": r"(?P<shelf>[^/]+)/.+",
                "licence": "research only",
            },
            "certify": {"alpha": 0.2},
        }
    )


def answers(package: Package, work: Path, width: int, minutes: float) -> Answers:
    """Ask student, control and teacher about every square of the test."""
    classes = read_parameters(package.manifest.parameters).classes
    files = sorted((work / "squares" / "test").glob("*/*.png"))
    squares = np.stack([np.array(Image.open(file).convert("RGB")) for file in files])
    targets = np.array([classes.index(file.parent.name) for file in files])
    shares = student_says(package, squares)
    taught = teacher_says(work, kept_in(work), classes, squares) == targets
    (accuracy,) = (one for one in package.manifest.metrics if one.name == ACCURACY)
    assert accuracy.teacher is not None
    assert abs(accuracy.teacher - taught.mean()) < 0.005, "this is the teacher that taught"
    control = kept_in(work) / "control.pt"
    return Answers(
        student=shares.argmax(1) == targets,
        control=control_says(control, width, len(classes), squares) == targets,
        teacher=taught,
        confidence=shares.max(1).astype(np.float64),
        groups=[file.stem.partition("_")[0] for file in files],
        weights=package.manifest.graphs[0].parameters,
        minutes=minutes,
    )


def kept_in(work: Path) -> Path:
    """Return where the distillation kept what it learnt."""
    return next((work / "keep").glob("*/student"))


def student_says(package: Package, squares: NDArray[np.uint8]) -> NDArray[np.float32]:
    """Return the shipped graph's probabilities."""
    accelerator = Plugins.discover().adapter("onnxruntime").load()
    built = accelerator("onnxruntime", accelerator.Config())
    model: Model = open_model(package, built)
    return np.stack([model(**{IMAGE: one})[PROBABILITIES] for one in squares])


@torch.no_grad()
def control_says(
    file: Path, width: int, classes: int, squares: NDArray[np.uint8]
) -> NDArray[np.int64]:
    """Return the kinds that the net without a teacher names."""
    net = KindsNet(width, classes)
    net.load_state_dict(torch.load(file, weights_only=True)["net"])
    return np.asarray(net.eval()(torch.from_numpy(squares.copy()).float()).argmax(1).numpy())


def teacher_says(
    work: Path, kept: Path, classes: tuple[str, ...], squares: NDArray[np.uint8]
) -> NDArray[np.int64]:
    """Return the teacher's: its head is fitted again on the features of the labelled views."""
    teacher = BackboneTeacher(BackboneTeacherConfig.model_validate(BACKBONE))
    files = sorted(
        (work / "squares" / "train").glob("*/*.png"),
        key=lambda file: file.relative_to(work / "squares").as_posix(),
    )
    targets = np.array([classes.index(file.parent.name) for file in files])
    features = np.load(kept / "features.npy")[: len(files), : teacher.views]
    teacher.study(
        features.reshape(-1, features.shape[2]), np.repeat(targets, teacher.views), len(classes)
    )
    rows = teacher.label([{"image": one} for one in squares])
    teacher.close()
    return np.array([int(row[LOGITS].argmax()) for row in rows])


# --- the table ---


def print_table(runs: list[Answers]) -> None:
    """Print the figures over the seeds; seeds and pictures are both drawn for the interval."""
    rates = {
        "student": np.array([run.student.mean() for run in runs]),
        "control": np.array([run.control.mean() for run in runs]),
        "teacher": np.array([run.teacher.mean() for run in runs]),
    }
    print("| | mean over seeds | lowest | highest |\n|---|---:|---:|---:|")
    for kind, rate in rates.items():
        print_row(f"accuracy of the {kind}", rate)
    others = {
        "control": [run.control for run in runs],
        "teacher": [run.teacher for run in runs],
    }
    for kind, other in others.items():
        gains = [run.student.astype(float) - row for run, row in zip(runs, other, strict=True)]
        mean, low, high = crossed(gains, runs[0].groups)
        print(f"| gain over the {kind} (95 %) | {mean:+.4f} | {low:+.4f} | {high:+.4f} |")
    print_row("share of the teacher's accuracy", rates["student"] / rates["teacher"])
    wrong = [expected_calibration_error(run.confidence, run.student) for run in runs]
    print_row("calibration error", np.array(wrong))
    print_row("cascade less teacher, 30 % deferred", np.array([cascade(run) for run in runs]))
    print_row("minutes", np.array([run.minutes for run in runs]))


def print_row(name: str, values: NDArray[np.float64]) -> None:
    """Print a line of the table."""
    print(f"| {name} | {values.mean():.4f} | {values.min():.4f} | {values.max():.4f} |")


def crossed(gains: list[NDArray[np.float64]], groups: list[str]) -> tuple[float, float, float]:
    """Return the mean with its percentile interval; seeds and whole pictures are drawn."""
    each = np.stack(gains)
    _, place = np.unique(np.asarray(groups), return_inverse=True)
    sums = np.stack([np.bincount(place, weights=row) for row in each])
    counts = np.bincount(place)
    draw = np.random.default_rng(0)
    means = []
    for _ in range(RESAMPLES):
        seeds = draw.integers(len(each), size=len(each))
        parts = draw.integers(len(counts), size=len(counts))
        means.append(sums[np.ix_(seeds, parts)].sum() / (len(seeds) * counts[parts].sum()))
    low, high = np.quantile(means, (0.025, 0.975))
    return float(each.mean()), float(low), float(high)


def cascade(run: Answers) -> float:
    """Return how much less often than the teacher a cascade is right that defers the unsure."""
    order = np.argsort(run.confidence, kind="stable")
    right = run.student.copy()
    deferred = order[: int(DEFERRED * len(order))]
    right[deferred] = run.teacher[deferred]
    return float(right.mean() - run.teacher.mean())


if __name__ == "__main__":
    sys.exit(main())
