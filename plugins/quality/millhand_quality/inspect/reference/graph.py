"""The reference head as one graph: picture in; score, heat map, novelty and counts out.

1. *Register*: each tile of the template is looked for in the picture, within ``reach`` pixels
   either way: the displacement with the smallest sum of squared differences (block matching). As a
   grouped convolution that costs some milliseconds for half a megapixel.
2. *Compare*: a pixel differs where it lies outside the lowest and highest value that the template,
   so moved, has within ``tolerance`` pixels (grey erosion and dilation, computed beforehand).
3. *Count*: differing pixels in a window around each. The largest count is the score.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from millhand_quality.inspect.detector import COUNTS, HEAT, NOVELTY, SCORE
from millhand_quality.inspect.features import IMAGE
from millhand_quality.inspect.network import FLOAT, UINT8, Recorder
from millhand_quality.inspect.pictures import Pixels, Shape
from millhand_quality.inspect.reference.rules import ReferenceRules
from millhand_quality.inspect.trunk import Array

if TYPE_CHECKING:
    import onnx

HEAT_CELL = 8
LUMA = (0.299, 0.587, 0.114)
STILL = 1e-3
"""Cost of a displacement, in grey values squared for each pixel squared: plain tiles stay."""


@dataclass(frozen=True, slots=True)
class Reference:
    """A template with its rules."""

    template: Pixels
    rules: ReferenceRules

    @property
    def frame(self) -> Shape:
        """Size of the pictures that it judges."""
        return Shape.of(self.template)

    @property
    def tiles(self) -> tuple[int, int]:
        """Rows and columns of whole tiles; what is left over moves with the last one."""
        tile = self.rules.tile
        return max(1, self.frame.height // tile), max(1, self.frame.width // tile)

    @property
    def tile_size(self) -> tuple[int, int]:
        """Height and width of a tile: smaller than asked where the picture is."""
        tile = self.rules.tile
        return min(tile, self.frame.height), min(tile, self.frame.width)

    def graph(self) -> onnx.ModelProto:
        """Write everything from ``uint8`` picture to the outputs as one graph."""
        recorder, frame = Recorder(), self.frame
        if min(frame.height, frame.width) < HEAT_CELL:
            raise ValueError(f"a template of {frame} is too small")
        grey = _record_grey(recorder, frame)
        place = _record_places(recorder, self, _record_displacements(recorder, self, grey))
        differs = _record_differences(recorder, self, grey, place)
        _record_counts(recorder, self, differs)
        rows, columns = frame.height // HEAT_CELL, frame.width // HEAT_CELL
        return recorder.model(
            {IMAGE: (UINT8, (frame.height, frame.width, frame.channels))},
            {
                SCORE: (FLOAT, (1,)),
                HEAT: (FLOAT, (rows, columns)),
                NOVELTY: (FLOAT, (1,)),
                COUNTS: (UINT8, (frame.height, frame.width)),
            },
            "picture against its template: score, heat map, novelty, counts of differing pixels",
        )


def grey_of(pixels: Pixels) -> Array:
    """Return the grey values ``(height, width)``, 0 to 255."""
    if pixels.shape[2] == 1:
        return pixels[:, :, 0].astype(np.float32)
    return np.asarray(pixels.astype(np.float32) @ np.array(LUMA, np.float32), np.float32)


def envelope(grey: Array, tolerance: int) -> tuple[Array, Array]:
    """Return lowest and highest value within ``tolerance`` pixels: ``(height, width)`` each."""
    height, width = grey.shape
    padded = np.pad(grey, tolerance, mode="edge")
    low, high = grey.copy(), grey.copy()
    for down in range(2 * tolerance + 1):
        for right in range(2 * tolerance + 1):
            moved = padded[down : down + height, right : right + width]
            np.minimum(low, moved, out=low)
            np.maximum(high, moved, out=high)
    return low, high


def _record_grey(recorder: Recorder, frame: Shape) -> str:
    """Write the picture as ``(1, 1, height, width)``."""
    x = recorder.node("Cast", [IMAGE], "grey.float", to=FLOAT)
    if frame.channels == 3:
        luma = recorder.constant("grey.luma", np.array(LUMA, np.float32)[:, None])
        x = recorder.node("MatMul", [x, luma], "grey.one")
    shape = recorder.integers("grey.shape", 1, 1, frame.height, frame.width)
    return recorder.node("Reshape", [x, shape], "grey")


def _record_patches(recorder: Recorder, reference: Reference, grey: str) -> str:
    """Write each tile of the picture with its surroundings: ``(1, tiles, height, width)``."""
    reach, (height, width) = reference.rules.reach, reference.tile_size
    rows, columns = reference.tiles
    wide = reference.frame.width + 2 * reach
    pads = recorder.integers("match.pads", 0, 0, reach, reach, 0, 0, reach, reach)
    padded = recorder.node("Pad", [grey, pads], "match.padded", mode="edge")
    flat = recorder.node("Reshape", [padded, recorder.integers("flat", -1)], "match.flat")
    inside = np.arange(height + 2 * reach)[:, None] * wide + np.arange(width + 2 * reach)
    corners = np.arange(rows)[:, None] * height * wide + np.arange(columns) * width
    places = recorder.node(
        "Add",
        [
            recorder.constant("match.inside", inside[None].astype(np.int64)),
            recorder.constant("match.corners", corners.reshape(-1, 1, 1).astype(np.int64)),
        ],
        "match.places",
    )
    patches = recorder.node("Gather", [flat, places], "match.each")
    return recorder.node("Unsqueeze", [patches, recorder.integers("axis.0", 0)], "match.patches")


def _record_displacements(recorder: Recorder, reference: Reference, grey: str) -> str:
    """Write the best displacement of each tile: an index ``(rows, columns)``, down then right."""
    reach, (height, width) = reference.rules.reach, reference.tile_size
    rows, columns = reference.tiles
    count, size = rows * columns, float(height * width)
    patches = _record_patches(recorder, reference, grey)
    template = grey_of(reference.template)[: rows * height, : columns * width]
    tiles = template.reshape(rows, height, columns, width).swapaxes(1, 2)
    weight = (-2 / size * tiles).reshape(count, 1, height, width).astype(np.float32)
    likeness = recorder.node(
        "Conv",
        [patches, recorder.constant("match.tiles", weight)],
        "match.likeness",
        kernel_shape=[height, width],
        group=count,
    )
    squared = recorder.node("Mul", [patches, patches], "match.squared")
    energy = recorder.node(
        "AveragePool", [squared], "match.energy", kernel_shape=[height, width], strides=[1, 1]
    )
    moves = np.arange(-reach, reach + 1)
    still = STILL * (moves[:, None] ** 2 + moves**2).astype(np.float32)
    cost = recorder.node(
        "Sum",
        [likeness, energy, recorder.constant("match.still", still[None, None])],
        "match.cost",
    )
    shape = recorder.integers("match.shape", rows, columns, (2 * reach + 1) ** 2)
    cost = recorder.node("Reshape", [cost, shape], "match.costs")
    return recorder.node("ArgMin", [cost], "match.best", axis=2, keepdims=0)


def _record_places(recorder: Recorder, reference: Reference, best: str) -> str:
    """Write where in the padded template each pixel's counterpart lies: ``(height, width)``."""
    frame, reach = reference.frame, reference.rules.reach
    wide = frame.width + 2 * reach
    moves = np.arange(-reach, reach + 1)
    # A tile found further down in the picture is compared with what lies further up.
    offsets = (-(moves[:, None] * wide) - moves).reshape(-1).astype(np.int64)
    offset = recorder.node(
        "Gather", [recorder.constant("place.offsets", offsets), best], "place.offset"
    )
    for axis, (length, side, tiles) in enumerate(
        zip((frame.height, frame.width), reference.tile_size, reference.tiles, strict=True)
    ):
        tile = np.minimum(np.arange(length) // side, tiles - 1).astype(np.int64)
        name = recorder.constant(f"place.tile{axis}", tile)
        offset = recorder.node("Gather", [offset, name], f"place.along{axis}", axis=axis)
    down = (np.arange(frame.height)[:, None] + reach) * wide
    across = np.arange(frame.width)[None] + reach
    for axis, along in enumerate((down, across)):
        name = recorder.constant(f"place.own{axis}", along.astype(np.int64))
        offset = recorder.node("Add", [offset, name], f"place.from{axis}")
    return offset


def _record_differences(recorder: Recorder, reference: Reference, grey: str, place: str) -> str:
    """Write 1 where a pixel differs, else 0: ``(1, 1, height, width)``."""
    rules, frame = reference.rules, reference.frame
    shape = recorder.integers("grey.shape", 1, 1, frame.height, frame.width)
    sides = []
    for name, plane in zip(
        ("low", "high"), envelope(grey_of(reference.template), rules.tolerance), strict=True
    ):
        flat = np.rint(np.pad(plane, rules.reach, mode="edge")).astype(np.uint8).reshape(-1)
        kept = recorder.constant(f"differ.{name}", flat)
        moved = recorder.node("Gather", [kept, place], f"differ.{name}.at")
        moved = recorder.node("Cast", [moved], f"differ.{name}.float", to=FLOAT)
        sides.append(recorder.node("Reshape", [moved, shape], f"differ.{name}.plane"))
    under = recorder.node("Sub", [sides[0], grey], "differ.under")
    over = recorder.node("Sub", [grey, sides[1]], "differ.over")
    most = recorder.node("Max", [under, over], "differ.most")
    limit = recorder.constant("differ.contrast", np.array(rules.contrast, np.float32))
    differs = recorder.node("Greater", [most, limit], "differ.is")
    return recorder.node("Cast", [differs], "differs", to=FLOAT)


def _record_counts(recorder: Recorder, reference: Reference, differs: str) -> None:
    """Write the outputs from what differs."""
    frame, window = reference.frame, reference.rules.window | 1
    share = recorder.node(
        "AveragePool",
        [differs],
        "count.share",
        kernel_shape=[window, window],
        strides=[1, 1],
        pads=[window // 2] * 4,
        count_include_pad=1,
    )
    size = recorder.constant("count.size", np.array(window * window, np.float32))
    near = recorder.node("Mul", [share, size], "count.near")
    # A mean of ones and zeros times their number is whole but for rounding.
    near = recorder.node("Round", [near], "count.whole")
    at = recorder.node("Mul", [near, differs], "count.at")
    cells = recorder.node(
        "MaxPool",
        [at],
        "count.cells",
        kernel_shape=[HEAT_CELL, HEAT_CELL],
        strides=[HEAT_CELL, HEAT_CELL],
    )
    heat = recorder.integers(
        "heat.shape", *(side // HEAT_CELL for side in (frame.height, frame.width))
    )
    recorder.node("Reshape", [cells, heat], HEAT)
    flat = recorder.node("Reshape", [at, recorder.integers("flat", -1)], "count.flat")
    axis = recorder.integers("axis.0", 0)
    recorder.node("ReduceMax", [flat, axis], SCORE, keepdims=1)
    each = recorder.node("Reshape", [differs, recorder.integers("flat", -1)], "differs.flat")
    recorder.node("ReduceMean", [each, axis], NOVELTY, keepdims=1)
    most = recorder.constant("count.most", np.array(255, np.float32))
    plane = recorder.integers("counts.shape", frame.height, frame.width)
    bounded = recorder.node("Min", [at, most], "count.bounded")
    bounded = recorder.node("Reshape", [bounded, plane], "count.plane")
    recorder.node("Cast", [bounded], COUNTS, to=UINT8)
