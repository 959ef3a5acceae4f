"""Write rendered parts as a folder in the layout of MVTec AD.

::

    FOLDER/train/good/000000.png
    FOLDER/test/good/000000.png
    FOLDER/test/pit/000000.png
    FOLDER/ground_truth/pit/000000_mask.png
    FOLDER/manifest.json        seeds, hashes, area and contrast of every picture; the licence
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from PIL import Image

from millhand.errors import ConfigError
from millhand.messages import tr
from millhand_simulated.parts.kinds import DEFECTS, Defect, Product
from millhand_simulated.parts.render import RENDERER_VERSION, Rendered, render

LICENCE: Final = "CC0-1.0"
MANIFEST_FILE: Final = "manifest.json"


@dataclass(frozen=True, slots=True)
class _Item:
    """One picture to write."""

    split: str
    defect: Defect | None
    index: int
    part_seed: int
    family_seed: int

    @property
    def picture(self) -> str:
        return f"{self.split}/{self.defect or 'good'}/{self.index:06d}.png"

    @property
    def mask(self) -> str:
        return f"ground_truth/{self.defect}/{self.index:06d}_mask.png"


def write_dataset(
    folder: Path,
    product: Product,
    *,
    good: int,
    test_good: int = 0,
    defective_per_kind: int = 0,
    first_seed: int,
    family_seeds: Sequence[int],
    test_family_seeds: Sequence[int] | None = None,
    size: int = 256,
) -> Path:
    """Render a data set and return the path of its manifest.

    Args:
        folder: written into; must be empty or not exist yet.
        product: which part.
        good: pictures in ``train/good``.
        test_good: pictures in ``test/good``.
        defective_per_kind: pictures in each ``test/<kind>``.
        first_seed: part seeds count up from here; every picture is a part of its own.
        family_seeds: families of the training pictures, in turn.
        test_family_seeds: families of the test pictures; the same where not given.
        size: pixels of a side.

    Raises:
        ConfigError: ``folder`` holds something, or no family was given.
    """
    if not family_seeds or (test_family_seeds is not None and not test_family_seeds):
        raise ConfigError(tr("A data set needs at least one family of light and finish."))
    if folder.exists() and any(folder.iterdir()):
        raise ConfigError(
            tr("The folder {folder} is not empty.", folder=folder),
            mend=tr("Name a new folder, or empty this one."),
        )
    items = _items(
        good,
        test_good,
        defective_per_kind,
        first_seed,
        list(family_seeds),
        list(test_family_seeds if test_family_seeds is not None else family_seeds),
    )
    pictures = [_write(folder, product, item, size) for item in items]
    manifest = {
        "product": product,
        "renderer": "millhand-simulated",
        "renderer_version": RENDERER_VERSION,
        "licence": LICENCE,
        "size": size,
        "pictures": pictures,
    }
    path = folder / MANIFEST_FILE
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(manifest, indent=1) + "\n", encoding="utf-8")
    return path


def _items(
    good: int,
    test_good: int,
    per_kind: int,
    first_seed: int,
    train: list[int],
    test: list[int],
) -> Iterator[_Item]:
    seed = first_seed
    groups: list[tuple[str, Defect | None, int]] = [
        ("train", None, good),
        ("test", None, test_good),
    ]
    groups += [("test", kind, per_kind) for kind in DEFECTS]
    for split, defect, count in groups:
        families = train if split == "train" else test
        for index in range(count):
            yield _Item(split, defect, index, seed, families[index % len(families)])
            seed += 1


def _write(folder: Path, product: Product, item: _Item, size: int) -> dict[str, Any]:
    """Render and write one picture; return its entry of the manifest."""
    rendered = render(
        product,
        part_seed=item.part_seed,
        family_seed=item.family_seed,
        defect=item.defect,
        size=size,
    )
    entry: dict[str, Any] = {
        "file": item.picture,
        "sha256": _save(folder / item.picture, Image.fromarray(rendered.pixels)),
        "part_seed": item.part_seed,
        "family_seed": item.family_seed,
        "defect": item.defect,
    }
    if item.defect is not None:
        mask = Image.fromarray(rendered.mask.astype("uint8") * 255)
        _save(folder / item.mask, mask)
        entry |= {
            "mask": item.mask,
            "area_px2": rendered.area_px2,
            "contrast": round(rendered.contrast, 4),
        }
    return entry


def _save(path: Path, picture: Image.Image) -> str:
    path.parent.mkdir(parents=True, exist_ok=True)
    picture.save(path, compress_level=4)
    return hashlib.sha256(path.read_bytes()).hexdigest()


def contact_sheet(parts: Sequence[Rendered], columns: int, *, frame: bool = True) -> Image.Image:
    """Lay pictures of one size side by side; ``frame`` draws a red box around each defect."""
    side = parts[0].pixels.shape[0]
    rows = -(-len(parts) // columns)
    sheet = Image.new("RGB", (columns * side, rows * side))
    for index, part in enumerate(parts):
        picture = Image.fromarray(part.pixels)
        if frame and part.mask.any():
            _box(picture, part)
        sheet.paste(picture, (index % columns * side, index // columns * side))
    return sheet


def _box(picture: Image.Image, part: Rendered) -> None:
    from PIL import ImageDraw

    ys, xs = part.mask.nonzero()
    around = (int(xs.min()) - 5, int(ys.min()) - 5, int(xs.max()) + 5, int(ys.max()) + 5)
    ImageDraw.Draw(picture).rectangle(around, outline=(220, 40, 40))
