"""Distil a classifier of real defects: DeepPCB's six kinds, learnt on one board, tested on another.

::

    python tests/benchmarks/classify_pcb.py ../shared/data/inspection/deep_pcb --seeds 3

Squares of 64 pixels around each box of group 00041 are learnt from (a quarter of its pictures
calibrates); those of group 77000, another board, are the sealed test. Its licence allows research:
nothing of it is shipped.
"""

from __future__ import annotations

import argparse
import hashlib
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

from PIL import Image

from millhand.distil.folder import plan_data
from millhand.distil.plan import DistilPlan
from millhand.distil.run import distil
from millhand.plugins import Plugins

KINDS = ("open", "short", "mousebite", "spur", "copper", "pinhole")
SIDE = 64
LEARNT, TESTED = "group00041", "group77000"


def main() -> int:
    """Cut the squares, distil once for each seed, print a table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path, help="the data set: holds PCBData")
    parser.add_argument("--seeds", type=int, default=1)
    parser.add_argument("--steps", type=int, default=2000)
    parser.add_argument("--keep", type=Path, help="where distillations are kept")
    given = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="millhand-pcb-") as work:
        squares = Path(work) / "squares"
        print(f"{write_squares(given.folder / 'PCBData', squares)} squares")
        for seed in range(given.seeds):
            began = time.monotonic()
            plan = plan_of(seed, given.steps)
            package = distil(
                plan,
                Plugins.discover(),
                plan_data(plan, Path(work), squares),
                Path(work) / f"seed-{seed}",
                keep=given.keep,
            )
            print(f"seed {seed}, {time.monotonic() - began:.0f} s")
            for metric in package.manifest.metrics:
                span = "" if metric.low is None else f" ({metric.low:.4f} to {metric.high:.4f})"
                taught = "" if metric.teacher is None else f", teacher {metric.teacher:.4f}"
                print(f"  {metric.name}: {metric.value:.4f}{span}{taught}, {metric.items} items")
            for note in package.manifest.notes:
                print(f"  {note}")
    return 0


def plan_of(seed: int, steps: int) -> DistilPlan:
    """Return the plan; the shelves are those that the squares' paths name."""
    return DistilPlan.model_validate(
        {
            "millhand_distil": 1,
            "name": "pcb-kinds",
            "task": "classification",
            "licence": "LicenseRef-research-only",
            "seed": seed,
            "teacher": {"use": "quality.backbone", "with": {"size": 128, "views": 4}},
            "student": {
                "use": "quality.kinds",
                "with": {"width": 12, "steps": steps, "views": 6, "shift": 6},
            },
            "data": {
                "folder": "squares",
                "pattern": "*/*/*.png",
                "group": r"[^/]+/[^/]+/(?P<group>\d+)_\d+\.png",
                "label": r"[^/]+/(?P<label>[^/]+)/[^/]+",
                "shelf": r"(?P<shelf>[^/]+)/.+",
                "licence": "research only",
            },
            "budget": {"parameters": 60000},
        }
    )


def write_squares(root: Path, out: Path) -> int:
    """Write a square around each box as ``<shelf>/<kind>/<picture>_<number>.png``."""
    count = 0
    for picture, boxes in pictures(root):
        shelf = _shelf(picture)
        with Image.open(picture) as opened:
            whole = opened.convert("L")
        for number, box in enumerate(boxes):
            write_square(whole, box, out / shelf, f"{picture.stem[:-5]}_{number}")
            count += 1
    return count


def write_square(whole: Image.Image, box: tuple[int, ...], out: Path, name: str) -> None:
    """Write the square around a box ``(left, top, right, bottom, kind)`` into its kind's folder."""
    left, top, right, bottom, kind = box
    x, y = (left + right) // 2 - SIDE // 2, (top + bottom) // 2 - SIDE // 2
    x, y = (max(0, min(at, whole.width - SIDE)) for at in (x, y))
    place = out / KINDS[kind - 1] / f"{name}.png"
    place.parent.mkdir(parents=True, exist_ok=True)
    whole.crop((x, y, x + SIDE, y + SIDE)).save(place)


def pictures(root: Path) -> Iterator[tuple[Path, list[tuple[int, ...]]]]:
    """Yield each picture under test with its boxes ``(left, top, right, bottom, kind)``."""
    for picture in sorted(root.glob("group*/*/*_test.jpg")):
        folder = picture.parent
        marks = folder.with_name(f"{folder.name}_not") / f"{picture.stem[:-5]}.txt"
        lines = marks.read_text(encoding="ascii").split("\n")
        yield picture, [tuple(map(int, line.split())) for line in lines if line.strip()]


def _shelf(picture: Path) -> str:
    if TESTED in picture.parts:
        return "test"
    return "calibration" if hashlib.sha256(picture.stem.encode()).digest()[0] < 64 else "train"


if __name__ == "__main__":
    sys.exit(main())
