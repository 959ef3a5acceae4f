"""The general student: a small net that gives what block 10 of the trunk gives, for any part.

It was distilled once, from the trunk's features on many and varied pictures, and is shipped; a new
part needs only a head. :mod:`millhand_quality.inspect.distil.general` makes its file again and
needs torch, this module does not.

It starts as the trunk's first five blocks on a picture of half the size (its stem is the trunk's
after an average of 2 by 2 pixels, as one convolution), so that it need not learn to see and little
is computed on fine grids. It ends on the trunk's grid of 16 pixels with the trunk's 112 features.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from functools import lru_cache
from pathlib import Path

import numpy as np

from millhand_quality.inspect.network import Recorder, record_block
from millhand_quality.inspect.shipped import read_shipped
from millhand_quality.inspect.trunk import BLOCKS, PIXEL_SCALE, Array, Block, convolutions

STUDENT_FILE = Path(__file__).parent / "weights" / "general_student.npz"
STUDENT_SHA256 = "ab3b1f9be2a69028c1dcb113a2c0176af5a80628a954be5c509c3b691b1fc893"
"""SHA-256 of :data:`STUDENT_FILE`."""
START_TAP, STUDENT_TAP = 4, 10
"""The trunk's blocks that it stands for: the last of its start, and the one it was taught."""
STUDENT_GRID = 16
"""Pixels of a cell of both."""
STEM_KERNEL, STEM_STRIDE, STEM_AFTER = 6, 4, 2
"""The stem pads below and to the right alone, as the trunk's does on half the size."""
START_BLOCKS = tuple(replace(block, grid=2 * block.grid) for block in BLOCKS[:5])
WIDTH, FEATURES = 68, 112
_CHANNELS = START_BLOCKS[-1].channels_out
TAIL_BLOCKS = (
    Block(5, 5, 1, 2, _CHANNELS, WIDTH, 16),
    *(Block(index, 5, 1, 2, WIDTH, WIDTH, 16) for index in (6, 7)),
)
STUDENT_BLOCKS = (*START_BLOCKS, *TAIL_BLOCKS)


def layers() -> tuple[str, ...]:
    """Return the names of all convolutions in order."""
    blocks = [name for block in STUDENT_BLOCKS for name in convolutions(block)]
    return ("stem", *blocks, "features")


def student_parameter_names() -> tuple[str, ...]:
    """Return the names of all arrays that :data:`STUDENT_FILE` holds."""
    return tuple(f"{layer}.{kind}" for layer in layers() for kind in ("weight", "bias"))


@lru_cache(maxsize=1)
def student_parameters() -> Mapping[str, Array]:
    """Read the shipped weights.

    Raises:
        PackageError: the file is missing or is not the one that was shipped.
    """
    return read_shipped(STUDENT_FILE, STUDENT_SHA256, student_parameter_names(), net="student")


def record_student(
    recorder: Recorder, pixels: str, channels: int, weights: Mapping[str, Array]
) -> dict[int, str]:
    """Write the student; return names of its features ``(1, …, h / 16, w / 16)`` by block.

    Args:
        recorder: what to write into.
        pixels: name of a float tensor ``(1, channels, h, w)`` of 0 to 255, less the trunk's mean.
        channels: 3 for RGB; 1 for grey, which sees the sum of the three colours' weights.
        weights: the student's arrays.
    """
    stem = weights["stem.weight"] / np.float32(PIXEL_SCALE)
    if channels == 1:
        stem = stem.sum(axis=1, keepdims=True)
    x = recorder.node(
        "Conv",
        [
            pixels,
            recorder.constant("stem.weight", stem),
            recorder.constant("stem.bias", weights["stem.bias"]),
        ],
        "stem",
        kernel_shape=[STEM_KERNEL, STEM_KERNEL],
        strides=[STEM_STRIDE, STEM_STRIDE],
        pads=[0, 0, STEM_AFTER, STEM_AFTER],
    )
    x = recorder.relu6(x)
    outputs = {}
    for block in STUDENT_BLOCKS:
        x = record_block(recorder, x, block, weights)
        outputs[block.index] = x
    last = weights["features.weight"], weights["features.bias"]
    return {
        START_TAP: outputs[START_TAP],
        STUDENT_TAP: recorder.convolution(x, "features", *last),
    }
