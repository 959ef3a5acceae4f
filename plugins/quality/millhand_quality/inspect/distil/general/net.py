"""The general student in torch: the trunk's first blocks, and a tail that normalises meanwhile."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import torch
from torch import nn
from torch.nn import functional

from millhand_quality.inspect.distil.folding import folded
from millhand_quality.inspect.distil.trunk import SameConv2d, TrunkBlock
from millhand_quality.inspect.student import (
    FEATURES,
    START_BLOCKS,
    STEM_AFTER,
    STEM_KERNEL,
    STEM_STRIDE,
    TAIL_BLOCKS,
    WIDTH,
)
from millhand_quality.inspect.trunk import PIXEL_MEAN, PIXEL_SCALE, STEM_CHANNELS, Array, Block


class Layer(nn.Module):
    """A convolution and its batch normalisation, which :meth:`folded` makes one."""

    def __init__(self, source: int, target: int, kernel: int, stride: int, groups: int = 1) -> None:
        super().__init__()
        self.convolution = SameConv2d(source, target, kernel, stride, groups=groups, bias=False)
        self.norm = nn.BatchNorm2d(target)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Map ``(n, c, h, w)``."""
        mapped: torch.Tensor = self.norm(self.convolution(x))
        return mapped

    def folded(self) -> tuple[Array, Array]:
        """Return weight and bias of the one convolution that both are when it has learnt."""
        return folded(self.convolution, self.norm)


class TailBlock(nn.Module):
    """One inverted residual block."""

    def __init__(self, block: Block) -> None:
        super().__init__()
        wide = block.channels_in * block.expansion
        self.residual = block.residual
        self.expand = Layer(block.channels_in, wide, 1, 1)
        self.depthwise = Layer(wide, wide, block.kernel, block.stride, wide)
        self.project = Layer(wide, block.channels_out, 1, 1)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Map ``(n, channels_in, h, w)`` to ``(n, channels_out, h / stride, w / stride)``."""
        y = self.project(functional.relu6(self.depthwise(functional.relu6(self.expand(x)))))
        joined: torch.Tensor = x + y if self.residual else y
        return joined


class Start(nn.Module):
    """The trunk's stem and first blocks on a picture of half the size."""

    def __init__(self) -> None:
        super().__init__()
        self.stem = nn.Conv2d(3, STEM_CHANNELS, STEM_KERNEL, STEM_STRIDE)
        self.blocks = nn.ModuleList(TrunkBlock(block) for block in START_BLOCKS)

    def forward(self, pixels: torch.Tensor) -> torch.Tensor:
        """Map ``(n, 3, h, w)`` pixels of 0 to 255 to ``(n, 40, h / 16, w / 16)``."""
        scaled = functional.pad((pixels - PIXEL_MEAN) / PIXEL_SCALE, (0, STEM_AFTER, 0, STEM_AFTER))
        x = functional.relu6(self.stem(scaled))
        for block in self.blocks:
            x = block(x)
        return x

    def take(self, trunk: Mapping[str, Array]) -> None:
        """Take the trunk's weights; averaging 2 by 2 pixels becomes part of the stem."""
        arrays = dict(trunk)
        arrays["stem.weight"] = trunk["stem.weight"].repeat(2, axis=2).repeat(
            2, axis=3
        ) / np.float32(4)
        self.load_state_dict(
            {
                name: torch.from_numpy(np.array(arrays[_array_name(name)]))
                for name in self.state_dict()
            }
        )

    def arrays(self) -> dict[str, Array]:
        """Return its arrays by the names of the shipped file."""
        return {_array_name(name): one.numpy().copy() for name, one in self.state_dict().items()}


class Tail(nn.Module):
    """From the start's cells to the trunk's features in units of their spread, about their mean."""

    def __init__(self) -> None:
        super().__init__()
        self.blocks = nn.ModuleList(TailBlock(block) for block in TAIL_BLOCKS)
        self.features = nn.Conv2d(WIDTH, FEATURES, 1)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Map ``(n, 40, rows, columns)`` to ``(n, 112, rows, columns)``."""
        for block in self.blocks:
            x = block(x)
        mapped: torch.Tensor = self.features(x)
        return mapped

    def arrays(self, mean: Array, deviation: Array) -> dict[str, Array]:
        """Return its arrays by the names of the shipped file, in the trunk's own units."""
        found: dict[str, Array] = {}
        for block, module in zip(TAIL_BLOCKS, self.blocks, strict=True):
            for kind, layer in module.named_children():
                assert isinstance(layer, Layer)
                name = f"block{block.index}.{kind}"
                found[f"{name}.weight"], found[f"{name}.bias"] = layer.folded()
        weight = self.features.weight.detach().numpy() * deviation[:, None, None, None]
        assert self.features.bias is not None
        bias = self.features.bias.detach().numpy() * deviation + mean
        found["features.weight"] = np.asarray(weight, np.float32)
        found["features.bias"] = np.asarray(bias, np.float32)
        return found


class StudentNet(nn.Module):
    """Start and tail."""

    def __init__(self) -> None:
        super().__init__()
        self.start = Start()
        self.tail = Tail()

    def forward(self, pixels: torch.Tensor) -> torch.Tensor:
        """Map ``(n, 3, h, w)`` pixels of 0 to 255 to ``(n, 112, h / 16, w / 16)``."""
        mapped: torch.Tensor = self.tail(self.start(pixels))
        return mapped

    def arrays(self, mean: Array, deviation: Array) -> dict[str, Array]:
        """Return the arrays of the shipped file."""
        return {**self.start.arrays(), **self.tail.arrays(mean, deviation)}


def _array_name(parameter: str) -> str:
    return parameter.replace("blocks.", "block", 1)
