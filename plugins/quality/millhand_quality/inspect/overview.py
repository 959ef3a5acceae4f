"""One picture that shows a person how a detector does: the worst cases with their heat maps."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from PIL import Image, ImageDraw

from millhand.messages import tr
from millhand_quality.inspect.evaluate import Judged
from millhand_quality.inspect.parameters import InspectParameters
from millhand_quality.inspect.pictures import Pixels
from millhand_quality.inspect.trunk import Array

TILE = 220
"""Width of one picture in the overview, in pixels."""
CAPTION = 18
COLUMNS = 6


def heat_overlay(pixels: Pixels, heat: Array, limit: float) -> Image.Image:
    """Return the picture in grey with cells near and above ``limit`` in red."""
    grey = np.repeat(pixels.mean(axis=2, keepdims=True), 3, axis=2).astype(np.uint8)
    share = np.clip((heat / max(limit, 1e-6) - 0.4) / 0.8, 0, 1)
    size = (pixels.shape[1], pixels.shape[0])
    alpha = Image.fromarray((share * 170).astype(np.uint8)).resize(size, Image.Resampling.BILINEAR)
    red = Image.new("RGB", size, (235, 40, 30))
    return Image.composite(red, Image.fromarray(grey), alpha)


def _tile(one: Judged, limit: float) -> Image.Image:
    pixels = one.picture.pixels()
    colour = np.repeat(pixels, 3, axis=2) if pixels.shape[2] == 1 else pixels
    height = max(1, round(TILE * pixels.shape[0] / pixels.shape[1]))
    tile = Image.new("RGB", (TILE, 2 * height + CAPTION), (24, 24, 28))
    tile.paste(Image.fromarray(colour).resize((TILE, height)), (0, CAPTION))
    overlay = heat_overlay(colour, one.heat, limit).resize((TILE, height))
    tile.paste(overlay, (0, CAPTION + height))
    caption = f"{one.kind}  {one.score / limit:.2f}  {one.picture.path.name}"
    ImageDraw.Draw(tile).text((3, 3), caption[:38], fill=(235, 235, 235))
    return tile


def worst_cases(judged: Sequence[Judged], count: int = COLUMNS) -> list[tuple[str, list[Judged]]]:
    """Return the good pictures that score highest, the defects that score lowest and highest."""
    good = sorted((one for one in judged if one.kind == "good"), key=lambda one: -one.score)
    bad = sorted((one for one in judged if one.kind != "good"), key=lambda one: one.score)
    rows = [
        (tr("Good parts that look worst"), good[:count]),
        (tr("Defects hardest to see"), bad[:count]),
        (tr("Defects easiest to see"), bad[count:][::-1][:count]),
    ]
    return [(title, cases) for title, cases in rows if cases]


def overview(judged: Sequence[Judged], parameters: InspectParameters) -> Image.Image | None:
    """Draw the worst cases; the number beside each is its score over the rejecting one."""
    rows = [
        (title, [_tile(one, parameters.reject_above) for one in cases])
        for title, cases in worst_cases(judged)
    ]
    if not rows:
        return None
    heights = [max(tile.height for tile in tiles) + CAPTION + 8 for _, tiles in rows]
    sheet = Image.new("RGB", (COLUMNS * (TILE + 4), sum(heights)), (12, 12, 14))
    pen = ImageDraw.Draw(sheet)
    top = 0
    for (title, tiles), height in zip(rows, heights, strict=True):
        pen.text((4, top + 4), title, fill=(255, 210, 90))
        for place, tile in enumerate(tiles):
            sheet.paste(tile, (place * (TILE + 4), top + CAPTION))
        top += height
    return sheet
