"""A demo on a person's own pictures: fit on the good ones, let the others come down the line.

The scenario is copied into the run's folder with three changes: a folder camera shows the pictures
in place of the rendered ones, the agents that look get the package just fitted and more time, and
the plant sends as many parts as there are pictures, more slowly.
"""

from __future__ import annotations

import json
import math
import random
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import click
from PIL import Image, UnidentifiedImageError

from millhand.cli.contributed import contributed_commands
from millhand.contracts.plant import PartTruth
from millhand.errors import ConfigError
from millhand.ledger.run import PartLife
from millhand.messages import tr
from millhand.scenario.load import FILE_NAME, Scenario, load

PRODUCT = "impeller"
"""What the simulated PLC calls the parts; the pictures may show anything."""
GOOD = "good"
_UNKNOWN = "unknown"
_SUFFIXES = frozenset({".png", ".jpg", ".jpeg", ".bmp", ".tif", ".tiff", ".webp"})
_LONGEST_PX = 640
_DEADLINE, _TAKT_TICKS = "400 ms", 60
"""Slow enough for any picture on any machine: here it is the verdicts that count."""
_HELD_OUT = 3
"""Of pictures without a test folder, every third is inspected and the others are fitted on."""


@dataclass(frozen=True, slots=True)
class Prepared:
    """What the demo needs to run on own pictures."""

    scenario: Scenario
    plant_options: dict[str, Any]
    truth: Callable[[Sequence[PartLife]], list[PartTruth]]
    """Says by the name of a part's picture what it is, as far as its folder told."""


def own_pictures(
    scenario: Scenario, images: Path, folder: Path, *, parts: int | None, seed: int
) -> Prepared:
    """Fit a package on the good pictures and write the changed scenario.

    Args:
        scenario: the scenario to change; needs a camera and an agent that looks.
        images: ``train/good`` and ``test/<good or kind of defect>``, or pictures alone.
        folder: the run's folder.
        parts: show at most so many pictures.
        seed: the order in which they come.

    Raises:
        ConfigError: there are no pictures, or nothing is installed that can be fitted to them.
    """
    cell = folder / "cell"
    good, shown = _sorted_out(images)
    random.Random(seed).shuffle(shown)  # noqa: S311 - an order, no secret
    shown = shown[:parts] if parts else shown
    size = _common_size([*good, *(path for path, _ in shown)])
    _copy(good, cell / "good", size)
    names = [f"{index:05d}-{kind or _UNKNOWN}" for index, (_, kind) in enumerate(shown, start=1)]
    _copy([path for path, _ in shown], cell / "pictures", size, names)
    _fit(cell / "good", cell / "models" / "own")
    changed = _changed(scenario, cell)
    return Prepared(
        scenario=changed,
        plant_options={
            "parts": len(shown),
            "runs": [{"product": PRODUCT, "parts": len(shown), "prefix": "PIC"}],
            "challenges": [],
            "takt_ticks": _TAKT_TICKS,
        },
        truth=_truth,
    )


def _sorted_out(images: Path) -> tuple[list[Path], list[tuple[Path, str | None]]]:
    """Return the pictures to fit on, and those to inspect with their kind, where it is known."""
    good = _pictures(images / "train" / GOOD)
    tested = images / "test"
    if good and tested.is_dir():
        kinds = sorted(path for path in tested.iterdir() if path.is_dir())
        shown = [(path, kind.name) for kind in kinds for path in _pictures(kind)]
        if shown:
            return good, list(shown)
    found = good or _pictures(images)
    if len(found) < 2 * _HELD_OUT:
        raise ConfigError(
            tr("There are too few pictures in {folder}.", folder=images),
            mend=tr("Put good ones into train/good and others into test/NAME below it."),
        )
    fit = [path for index, path in enumerate(found) if index % _HELD_OUT]
    return fit, [(path, None) for path in found[::_HELD_OUT]]


def _pictures(folder: Path) -> list[Path]:
    if not folder.is_dir():
        return []
    return sorted(path for path in folder.iterdir() if path.suffix.lower() in _SUFFIXES)


def _common_size(pictures: Sequence[Path]) -> tuple[int, int]:
    """The size of the first picture, bounded: width, height."""
    with _opened(pictures[0]) as image:
        image.thumbnail((_LONGEST_PX, _LONGEST_PX))
        return image.width, image.height


def _copy(
    pictures: Sequence[Path],
    target: Path,
    size: tuple[int, int],
    names: Sequence[str] | None = None,
) -> None:
    """Copy pictures, scaled to ``size`` where they have another."""
    target.mkdir(parents=True, exist_ok=True)
    for path, name in zip(pictures, names or [path.stem for path in pictures], strict=True):
        with _opened(path) as image:
            if image.size == size:
                shutil.copyfile(path, target / f"{name}{path.suffix.lower()}")
            else:
                image.convert("RGB").resize(size).save(target / f"{name}.png")


def _opened(path: Path) -> Image.Image:
    try:
        return Image.open(path)
    except (UnidentifiedImageError, OSError, Image.DecompressionBombError) as error:
        raise ConfigError(
            tr("{path} is no picture that can be read: {reason}.", path=path, reason=error),
            mend=tr("Remove it, or save it again as PNG."),
        ) from error


def _fit(good: Path, package: Path) -> None:
    """Let the plugin that fits inspectors do it: its words ``inspect fit``."""
    arguments = [str(good), "--out", str(package), "--name", "own", "--product", PRODUCT]
    if "inspect" not in contributed_commands():
        raise ConfigError(
            tr("Nothing is installed that can be fitted to pictures."),
            mend=tr("Install it: pip install millhand-quality"),
        )
    click.echo(tr("Fitting on the good pictures …"), err=True)
    # In a process of its own, so that the engine starts with the memory of an engine.
    fitted = subprocess.run(  # noqa: S603 - our own interpreter, no shell
        [sys.executable, "-m", "millhand.cli", "inspect", "fit", *arguments], check=False
    )
    if fitted.returncode != 0:
        raise click.exceptions.Exit(fitted.returncode)


def _changed(scenario: Scenario, cell: Path) -> Scenario:
    data = json.loads(json.dumps(scenario.document.data, default=str))
    cameras = set(_cameras(data))
    if not cameras:
        raise ConfigError(
            tr("No agent of {scenario} looks through a camera.", scenario=scenario.name),
            mend=tr("Use a scenario with a camera: millhand demo --images …"),
        )
    for name in cameras:
        data["devices"][name] = {"adapter": "folder", "path": "pictures", "trigger": "software"}
    for agent in data["agents"].values():
        if agent.get("model"):
            agent["deadline"] = _DEADLINE
            agent["model"] = {"by": _by(agent), PRODUCT: "models/own"}
    _keep_secrets(scenario, cell)
    # JSON is YAML; comments are not needed here.
    (cell / FILE_NAME).write_text(json.dumps(data, indent=2, ensure_ascii=False), encoding="utf-8")
    return load(cell)


def _cameras(data: dict[str, Any]) -> Iterator[str]:
    for agent in data.get("agents", {}).values():
        seen = agent.get("see") or {}
        for device in [seen] if isinstance(seen, str) else seen.values():
            if agent.get("model") and isinstance(device, str) and device in data["devices"]:
                yield device


def _by(agent: dict[str, Any]) -> str:
    model = agent["model"]
    by = model.get("by", "plc.product") if isinstance(model, dict) else "plc.product"
    return str(by)


def _keep_secrets(scenario: Scenario, cell: Path) -> None:
    secrets = scenario.folder / "secrets"
    if secrets.is_dir():
        shutil.copytree(secrets, cell / "secrets", dirs_exist_ok=True)


def _truth(parts: Sequence[PartLife]) -> list[PartTruth]:
    """Read the kind out of the name of each part's picture."""
    truths = []
    for part in parts:
        frame = next(iter(part.intent.observation.frames.values()), None)
        if frame is None:
            continue
        kind = Path(frame.ref.origin).stem.partition("-")[2]
        if kind == _UNKNOWN:
            continue
        defective = kind != GOOD
        truths.append(
            PartTruth(
                part_id=part.part_id,
                product=part.product or "",
                defect=kind if defective else None,
                # Nobody has measured these defects; all count as ones that must be found.
                area_px2=math.inf if defective else 0.0,
                contrast=math.inf if defective else 0.0,
            )
        )
    return truths
