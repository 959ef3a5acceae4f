"""The student's net: five convolutions, mean and maximum over the square, one linear layer."""

from __future__ import annotations

import torch
from torch import nn
from torch.nn import functional

from millhand_quality.inspect.trunk import Array

LAYERS = ((1, 2), (2, 2), (3, 1), (4, 2), (4, 1))
"""Width, in times the first layer's, and stride of each convolution of 3 x 3."""
PIXEL_SCALE = 255.0


class KindsNet(nn.Module):
    """Takes ``(n, side, side, 3)`` pixels of 0 to 255; gives logits ``(n, classes)``."""

    def __init__(self, width: int, classes: int) -> None:
        super().__init__()
        before = 3
        self.convolutions, self.norms = nn.ModuleList(), nn.ModuleList()
        for times, stride in LAYERS:
            wide = width * times
            self.convolutions.append(nn.Conv2d(before, wide, 3, stride, 1, bias=False))
            self.norms.append(nn.BatchNorm2d(wide))
            before = wide
        self.last = nn.Linear(2 * before, classes)

    def forward(self, pixels: torch.Tensor) -> torch.Tensor:
        """Return logits."""
        x = pixels.permute(0, 3, 1, 2) / PIXEL_SCALE
        for convolution, norm in zip(self.convolutions, self.norms, strict=True):
            x = functional.relu(norm(convolution(x)))
        logits: torch.Tensor = self.last(torch.cat([x.mean((2, 3)), x.amax((2, 3))], 1))
        return logits

    @torch.no_grad()
    def folded(self) -> list[tuple[Array, Array, int]]:
        """Return weight, bias and stride of each convolution with its normalisation folded in."""
        found = []
        for convolution, norm in zip(self.convolutions, self.norms, strict=True):
            assert isinstance(convolution, nn.Conv2d)
            assert isinstance(norm, nn.BatchNorm2d)
            assert norm.running_var is not None
            assert norm.running_mean is not None
            scale = norm.weight / torch.sqrt(norm.running_var + norm.eps)
            weight = convolution.weight * scale[:, None, None, None]
            bias = norm.bias - norm.running_mean * scale
            found.append((weight.numpy(), bias.numpy(), convolution.stride[0]))
        return found


def parameters(net: nn.Module) -> int:
    """Count weights."""
    return sum(parameter.numel() for parameter in net.parameters())
