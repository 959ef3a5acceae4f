"""Does distilling gain on curves, where labels are few? A small tensor, chosen beforehand.

::

    pip download aeon --no-deps && unzip aeon-*.whl 'aeon/datasets/data/JapaneseVowels/*'
    python tests/benchmarks/distil_curves.py aeon/datasets/data/JapaneseVowels --seeds 20

Nine speakers by twelve coefficients over time (UCI, Kudo et al. 1999), brought to 24 moments. The
set's own test is sealed. Of its training curves a third calibrates; of the others ``--labelled`` of
each speaker have labels, drawn by the seed, and the rest is the pool, whose labels are not read.

``--pilot`` tests on half of the curves that else calibrate, to choose settings without looking at
the test.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import sys
import tempfile
import time
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import torch
from distil_gain import Answers, kept_in, line_of, print_table
from numpy.typing import NDArray

from millhand.distil.folder import plan_data
from millhand.distil.plan import DistilPlan
from millhand.distil.run import distil
from millhand.models.package import Package
from millhand.models.sessions import open_model
from millhand.plugins import Plugins
from millhand_quality.classify.distil.teacher import LOGITS
from millhand_quality.signals.distil.config import KernelsTeacherConfig
from millhand_quality.signals.distil.net import CurveNet
from millhand_quality.signals.distil.teacher import KernelsTeacher
from millhand_quality.signals.parameters import PROBABILITIES, SIGNAL, read_parameters

STUDENTS = {"honest": 8, "fast": 3}
"""Channels after the first layer, by the student's name."""
MOMENTS = 24
KERNELS = {"kernels": 1000, "decay": 0.1, "views": 4}

Curve = NDArray[np.float32]


def main() -> int:
    """Distil once for each seed and student, and print the tables."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path, help="holds NAME_TRAIN.ts and NAME_TEST.ts")
    parser.add_argument("--seeds", type=int, default=20)
    parser.add_argument("--first-seed", type=int, default=0)
    parser.add_argument("--labelled", type=int, default=4, help="curves of each kind with labels")
    parser.add_argument("--steps", type=int, default=1000)
    parser.add_argument("--teacher-weight", type=float, default=0.9)
    parser.add_argument("--students", default=",".join(STUDENTS))
    parser.add_argument("--pilot", action="store_true", help="look at no curve of the test")
    parser.add_argument("--work", type=Path, help="where distillations are kept; goes on there")
    given = parser.parse_args()
    work = given.work or Path(tempfile.mkdtemp(prefix="millhand-curves-"))
    for name in given.students.split(","):
        runs = []
        for seed in range(given.first_seed, given.first_seed + given.seeds):
            runs.append(one_run(given, work / f"{name}-{seed}", STUDENTS[name], seed))
            print(f"{name}, seed {seed}: {line_of(runs[-1])}", flush=True)
        print(f"\n{name}: {runs[0].weights} weights")
        print_table(runs)
    return 0


def one_run(given: argparse.Namespace, work: Path, width: int, seed: int) -> Answers:
    """Distil one student, and let all three answer the test."""
    write_shelves(given, work / "curves", seed)
    plan, began = plan_of(given, width, seed), time.monotonic()
    data = plan_data(plan, work, work / "curves")
    package = distil(
        plan, Plugins.discover(), data, work / "package", replace=True, keep=work / "keep"
    )
    took = work / "minutes.json"  # of the run that learnt; who only reads takes no time
    if not took.exists():
        took.write_text(json.dumps((time.monotonic() - began) / 60), encoding="utf-8")
    return answers(package, work, width, json.loads(took.read_text(encoding="utf-8")))


# --- data ---


def write_shelves(given: argparse.Namespace, out: Path, seed: int) -> None:
    """Write each curve as ``<shelf>/<kind>/<number>.npz``."""
    if out.exists():
        return
    few: dict[str, int] = defaultdict(int)
    for number, kind, curve in sorted(read(given.folder, "TRAIN"), key=lambda one: luck(seed, one)):
        shelf = "calibration" if number % 3 == 0 else "pool"
        if shelf == "calibration" and given.pilot and number % 2:
            shelf = "test"
        if shelf == "pool" and few[kind] < given.labelled:
            few[kind] += 1
            shelf = "train"
        write(out / shelf / kind / f"{number}.npz", curve)
    if not given.pilot:
        for number, kind, curve in read(given.folder, "TEST"):
            write(out / "test" / kind / f"{10_000 + number}.npz", curve)


def luck(seed: int, one: tuple[int, str, Curve]) -> bytes:
    """Draw who has a label."""
    return hashlib.sha256(f"{seed}/{one[0]}".encode()).digest()


def write(file: Path, curve: Curve) -> None:
    """Write one curve."""
    file.parent.mkdir(parents=True, exist_ok=True)
    np.savez(file, **{SIGNAL: curve})


def read(folder: Path, part: str) -> Iterator[tuple[int, str, Curve]]:
    """Read the format of the archive: channels by colons, values by commas, the kind last."""
    text = (folder / f"{folder.name}_{part}.ts").read_text(encoding="utf-8")
    lines = text[text.index("@data") :].splitlines()[1:]
    for number, line in enumerate(filter(None, lines)):
        *channels, kind = line.split(":")
        rows = [np.array(row.split(","), np.float64) for row in channels]
        yield number, f"kind-{kind.strip()}", np.stack([even(row) for row in rows])


def even(row: NDArray[np.float64]) -> Curve:
    """Bring a channel to as many moments as all have, by interpolation."""
    places = np.linspace(0, len(row) - 1, MOMENTS)
    return np.interp(places, np.arange(len(row)), row).astype(np.float32)


def plan_of(given: argparse.Namespace, width: int, seed: int) -> DistilPlan:
    """Return the plan; the shelves are those that the curves' paths name."""
    return DistilPlan.model_validate(
        {
            "millhand_distil": 1,
            "name": "speakers",
            "task": "classification",
            "licence": "LicenseRef-research-only",
            "seed": seed,
            "teacher": {"use": "quality.kernels", "with": KERNELS},
            "student": {
                "use": "quality.curves",
                "with": {
                    "width": width,
                    "steps": given.steps,
                    "teacher_weight": given.teacher_weight,
                    "batch": 32,
                },
            },
            "data": {
                "folder": "curves",
                "pattern": "*/*/*.npz",
                "group": r"[^/]+/[^/]+/(?P<group>\d+)\.npz",
                "label": r"[^/]+/(?P<label>[^/]+)/[^/]+",
                "shelf": r"(?P<shelf>[^/]+)/.+",
                "licence": "LicenseRef-research-only",
            },
            "split": {"train": 0.25, "pool": 0.25, "calibration": 0.25, "test": 0.25},
        }
    )


# --- who was right ---


def answers(package: Package, work: Path, width: int, minutes: float) -> Answers:
    """Ask student, control and teacher about the test once more, item by item."""
    parameters = read_parameters(package.manifest.parameters)
    files = sorted((work / "curves" / "test").glob("*/*.npz"))
    curves = np.stack([np.load(file)[SIGNAL] for file in files])
    targets = np.array([parameters.classes.index(file.parent.name) for file in files])
    accelerator = Plugins.discover().adapter("onnxruntime").load()
    with open_model(package, accelerator("onnxruntime", accelerator.Config())) as model:
        shares = np.stack([model(**{SIGNAL: one})[PROBABILITIES] for one in curves])
    return Answers(
        student=shares.argmax(1) == targets,
        control=control_says(work, width, parameters.channels, curves, targets) == targets,
        teacher=teacher_says(work, parameters.classes, curves) == targets,
        confidence=shares.max(1).astype(np.float64),
        groups=[file.stem for file in files],
        weights=package.manifest.graphs[0].parameters,
        minutes=minutes,
    )


@torch.no_grad()
def control_says(
    work: Path, width: int, channels: int, curves: Curve, targets: NDArray[np.int64]
) -> NDArray[np.int64]:
    """Return the kinds that the net without a teacher names."""
    net = CurveNet(width, channels, len(set(targets.tolist())))
    net.load_state_dict(torch.load(kept_in(work) / "control.pt", weights_only=True)["net"])
    return np.asarray(net.eval()(torch.from_numpy(curves)).argmax(1).numpy())


def teacher_says(work: Path, classes: tuple[str, ...], curves: Curve) -> NDArray[np.int64]:
    """Return the teacher's: its head is fitted again on the features of the labelled views."""
    teacher = KernelsTeacher(KernelsTeacherConfig.model_validate(KERNELS))
    files = sorted(
        (work / "curves" / "train").glob("*/*.npz"),
        key=lambda file: file.relative_to(work / "curves").as_posix(),
    )
    targets = np.array([classes.index(file.parent.name) for file in files])
    teacher.prepare(np.stack([np.load(file)[SIGNAL] for file in files]))
    features = np.load(kept_in(work) / "features.npy")[: len(files), : teacher.views]
    teacher.study(
        features.reshape(-1, features.shape[2]), np.repeat(targets, teacher.views), len(classes)
    )
    rows = teacher.label([{SIGNAL: one} for one in curves])
    return np.array([int(row[LOGITS].argmax()) for row in rows])


if __name__ == "__main__":
    sys.exit(main())
