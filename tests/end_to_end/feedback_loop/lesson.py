"""A new student: what people found good, with artificial damage for marked defects, distilled."""

from __future__ import annotations

import asyncio
import json
import os
import sys
from collections.abc import Iterable
from pathlib import Path

import numpy as np
from cell import PLAN
from PIL import Image

from millhand_quality.inspect.damage import KINDS, damaged
from millhand_quality.inspect.pictures import Pixels

SEED = 7
DAMAGED_SHARE = 2
"""Every second good picture lends itself to a defective one."""
SMALLEST, LARGEST = 0.5, 1.5
"""Sizes of damage: the least that has to be found is a few pixels wide."""
MINUTES = 3
PRIORITY = 10
"""Nice value: the line goes first."""


def write_lesson(folder: Path, pictures: Iterable[tuple[str, Pixels]]) -> int:
    """Write good pictures, and damaged ones with their masks, in the MVTec layout; count them."""
    random, count = np.random.default_rng(SEED), 0
    for number, (part, pixels) in enumerate(pictures):
        count += 1
        _save(folder / "train" / "good" / f"{part}.png", pixels)
        if number % DAMAGED_SHARE:
            continue
        kind = KINDS[number // DAMAGED_SHARE % len(KINDS)]
        bad, mask = damaged(pixels, kind, random, random.uniform(SMALLEST, LARGEST))
        _save(folder / "test" / kind / f"{part}.png", bad)
        marked = mask.astype(np.uint8) * np.uint8(255)
        _save(folder / "ground_truth" / kind / f"{part}_mask.png", marked)
    return count


def _save(file: Path, pixels: Pixels) -> None:
    file.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(pixels).save(file)


async def distilled(data: Path, out: Path) -> dict[str, float]:
    """Distil by the plan, as the command line does; return the figures of the sealed test."""
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "millhand.cli", "distil", str(PLAN), "--data", str(data),
        "--out", str(out), "--target", "this-machine", "--minutes", str(MINUTES),
        "--keep", str(data.parent / "kept"),
        stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.STDOUT,
    )  # fmt: skip
    if hasattr(os, "setpriority"):
        os.setpriority(os.PRIO_PROCESS, process.pid, PRIORITY)
    said, _ = await process.communicate()
    assert process.returncode == 0, said.decode()
    manifest = json.loads((out / "manifest.json").read_text(encoding="utf-8"))
    figures: dict[str, float] = {}
    for metric in manifest["metrics"]:
        figures[metric["name"]] = metric["value"]
        if metric.get("teacher") is not None:
            figures[f"{metric['name']} / teacher"] = metric["teacher"]
    return figures
