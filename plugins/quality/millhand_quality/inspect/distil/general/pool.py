"""The pool: pictures in pairs, untouched and changed, and what the trunk says of both.

A pair tells a student what a head on its features will need: not only what a picture looks like to
the trunk, but how that changes where a spot of it changes. Shards are written whole or not at all,
so that an interrupted pool goes on where it stopped.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageFilter

from millhand_quality.inspect.damage import KINDS, damaged
from millhand_quality.inspect.distil.general.textures import surface
from millhand_quality.inspect.features import FeatureExtractor, plan_input
from millhand_quality.inspect.pictures import Pixels, Shape
from millhand_quality.inspect.student import STUDENT_TAP

SIDE = 256
PAIRS_OF_SHARD = 250
SUFFIXES = (".jpg", ".jpeg", ".png", ".webp")
LARGEST = 60_000_000
"""Most pixels of a photograph that is read."""


@dataclass(frozen=True, slots=True)
class PoolPlan:
    """What the pool is made of."""

    photographs: tuple[Path, ...]
    generated: float = 0.35
    """Share of generated surfaces; all where there are no photographs."""
    grey: float = 0.35
    """Share of pictures without colour."""
    changed_as_a_whole: float = 0.2
    """Share of pairs whose change is of light, focus or place, not a spot."""
    seed: int = 0


def photographs_in(folder: Path) -> tuple[Path, ...]:
    """Return the photographs below a folder, each content once, in an order that is always so."""
    found = dict[str, Path]()
    for path in sorted(folder.rglob("*")):
        if path.suffix.lower() in SUFFIXES and path.is_file() and not path.is_symlink():
            found.setdefault(hashlib.sha256(path.read_bytes()).hexdigest(), path)
    return tuple(found[digest] for digest in sorted(found))


def write_pool(plan: PoolPlan, folder: Path, shards: int) -> Iterator[Path]:
    """Write what is missing of so many shards; yield each.

    A shard is ``pictures`` ``(pairs, 2, 256, 256, 3) uint8`` and ``features``
    ``(pairs, 2, 112, 16, 16) float16``, the untouched picture first.
    """
    folder.mkdir(parents=True, exist_ok=True)
    frame = Shape(SIDE, SIDE, 3)
    trunk = FeatureExtractor(plan_input(frame, SIDE), [(STUDENT_TAP,)])
    for shard in range(shards):
        done = folder / f"shard-{shard:04}.features.npy"
        if not done.exists():
            _write_shard(plan, trunk, shard, done)
        yield done


def _write_shard(plan: PoolPlan, trunk: FeatureExtractor, shard: int, done: Path) -> None:
    random = np.random.default_rng([plan.seed, shard])
    pictures = np.empty((PAIRS_OF_SHARD, 2, SIDE, SIDE, 3), np.uint8)
    bases = _bases(plan, random)
    for pair, base in zip(pictures, bases, strict=False):
        pair[0] = base
        pair[1] = _changed(plan, base, random)
    features = np.stack(
        [[trunk(picture)[(STUDENT_TAP,)] for picture in pair] for pair in pictures]
    ).astype(np.float16)
    for array, path in ((pictures, pictures_of(done)), (features, done)):
        part = path.with_suffix(".part")
        with part.open("wb") as file:
            np.save(file, array, allow_pickle=False)
        part.replace(path)


def pictures_of(features: Path) -> Path:
    """Return where the pictures lie that belong to a shard's features."""
    return features.with_name(features.name.replace("features", "pictures"))


def _bases(plan: PoolPlan, random: np.random.Generator) -> Iterator[Pixels]:
    """Yield untouched pictures; some photographs are opened for a shard and cut many times."""
    opened = _open_some(plan.photographs, random)
    while True:
        if not opened or random.random() < plan.generated:
            picture = surface(random, SIDE)
        else:
            picture = _cut(opened[random.integers(len(opened))], random)
        if random.random() < plan.grey:
            grey = picture.astype(np.float32) @ np.array([0.299, 0.587, 0.114], np.float32)
            picture = np.repeat(np.rint(grey).astype(np.uint8)[:, :, None], 3, axis=2)
        yield picture


def _open_some(paths: Sequence[Path], random: np.random.Generator) -> list[Image.Image]:
    opened = []
    for place in random.permutation(len(paths))[:24]:
        with Image.open(paths[place]) as image:
            if image.width * image.height <= LARGEST and min(image.size) >= SIDE:
                opened.append(image.convert("RGB"))
    return opened


def _cut(image: Image.Image, random: np.random.Generator) -> Pixels:
    """Cut a square of any size and way round, with some contrast, as 256 by 256 pixels."""
    most = min(image.size)
    side = int(min(most, SIDE * 2 ** random.uniform(-1, np.log2(max(most / SIDE, 0.51)))))
    x = int(random.integers(0, image.width - side + 1))
    y = int(random.integers(0, image.height - side + 1))
    square = image.crop((x, y, x + side, y + side)).resize((SIDE, SIDE), Image.Resampling.BILINEAR)
    array = np.rot90(np.asarray(square), int(random.integers(4)))
    if random.random() < 0.5:
        array = array[:, ::-1]
    gain, lift = random.uniform(0.6, 1.5), random.uniform(-30, 30)
    adjusted = (array.astype(np.float32) - 127) * gain + 127 + lift
    return np.asarray(np.clip(np.rint(adjusted), 0, 255), np.uint8)


def _changed(plan: PoolPlan, base: Pixels, random: np.random.Generator) -> Pixels:
    if random.random() >= plan.changed_as_a_whole:
        kind = KINDS[random.integers(len(KINDS))]
        return damaged(base, kind, random, 2 ** random.uniform(-0.7, 1.3))[0]
    changes = (_other_light, _other_focus, _other_place)
    return changes[random.integers(len(changes))](base, random)


def _other_light(base: Pixels, random: np.random.Generator) -> Pixels:
    slope = np.linspace(
        float(random.uniform(-12, 12)), float(random.uniform(-12, 12)), base.shape[1]
    )[None, :, None]
    lit = base * random.uniform(0.85, 1.15) + slope + random.normal(0, 3, base.shape)
    return np.asarray(np.clip(np.rint(lit), 0, 255), np.uint8)


def _other_focus(base: Pixels, random: np.random.Generator) -> Pixels:
    blurred = Image.fromarray(base).filter(ImageFilter.GaussianBlur(random.uniform(0.4, 1.5)))
    return np.asarray(blurred)


def _other_place(base: Pixels, random: np.random.Generator) -> Pixels:
    moved = np.roll(base, tuple(random.integers(-3, 4, 2)), axis=(0, 1))
    return np.ascontiguousarray(moved)


def statistics(features: Sequence[NDArray[np.float16]]) -> tuple[NDArray[np.float32], ...]:
    """Return mean and standard deviation of each feature over cells: ``(channels,)`` each."""
    means = [one.astype(np.float32).mean(axis=(0, 1, 3, 4)) for one in features]
    squares = [np.square(one.astype(np.float32)).mean(axis=(0, 1, 3, 4)) for one in features]
    mean = np.mean(means, axis=0, dtype=np.float64)
    deviation = np.sqrt(np.mean(squares, axis=0, dtype=np.float64) - mean * mean)
    return np.asarray(mean, np.float32), np.asarray(deviation, np.float32)
