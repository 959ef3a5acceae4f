"""The cell in which the story plays: the casting cell, its station about to age."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[3]
PLAN = ROOT / "scenarios" / "casting_cell" / "distil" / "refresh.yaml"
AGENT = "inspector"
PARTS = 6000
WEAR_FROM, WEAR_UNTIL = 181, 341
OPTIONS: dict[str, Any] = {
    "parts": PARTS,
    "seed": 3,
    "takt_ticks": 18,
    "camera_to_gate_ticks": 70,
    "defect_rate": 0.12,
    "challenges": [],
    "runs": [{"product": "impeller", "parts": PARTS}],
    "station": {
        "families": [500000, 501000],
        "wear": {"from_part": WEAR_FROM, "until_part": WEAR_UNTIL, "light": 0.7, "haze": 0.15},
    },
}
RULES = """\
    deadline: 400 ms
    drift: {batch: 20, warm_up: 160}
    rollout: {margin: 2 %, escape_margin: 2 %}
"""
"""A drifted model rejects too much, so it lets less pass than a sound one: hence the 2 % there."""


def prepared(folder: Path) -> Path:
    """Copy the casting cell, with a shorter memory of what is usual."""
    cell = folder / "cell"
    ignored = shutil.ignore_patterns("journal", "data", "*.png")
    shutil.copytree(ROOT / "scenarios" / "casting_cell", cell, ignore=ignored)
    file = cell / "scenario.yaml"
    text = file.read_text(encoding="utf-8")
    anchor = "    deadline: 120 ms\n"
    assert anchor in text
    others, guard = text.index("\n\n", text.index(anchor)), text.index("\nguard:\n")
    text = text[:others] + text[guard:]  # what else the cell watches is another story
    file.write_text(text.replace(anchor, RULES), encoding="utf-8")
    return cell
