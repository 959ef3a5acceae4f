"""The student's net and its graph: four convolutions over time, mean and maximum, one layer."""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch
from torch import nn
from torch.nn import functional

from millhand_quality.inspect.network import FLOAT, Recorder
from millhand_quality.inspect.trunk import Array
from millhand_quality.signals.parameters import PROBABILITIES, SIGNAL

if TYPE_CHECKING:
    import onnx

LAYERS = ((1, 1), (2, 2), (2, 1), (4, 2))
"""Width, in times the first layer's, and stride of each convolution of 5 moments."""
REACH = 5


class CurveNet(nn.Module):
    """Takes ``(n, channels, length)``; gives logits ``(n, classes)``.

    What comes in is brought to mean 0 and spread 1 by channel, as training saw them.
    """

    def __init__(self, width: int, channels: int, classes: int) -> None:
        super().__init__()
        self.entry = nn.BatchNorm1d(channels, affine=False)
        before = channels
        self.convolutions, self.norms = nn.ModuleList(), nn.ModuleList()
        for times, stride in LAYERS:
            wide = width * times
            self.convolutions.append(nn.Conv1d(before, wide, REACH, stride, REACH // 2, bias=False))
            self.norms.append(nn.BatchNorm1d(wide))
            before = wide
        self.last = nn.Linear(2 * before, classes)

    def forward(self, curves: torch.Tensor) -> torch.Tensor:
        """Return logits."""
        x = self.entry(curves)
        for convolution, norm in zip(self.convolutions, self.norms, strict=True):
            x = functional.relu(norm(convolution(x)))
        logits: torch.Tensor = self.last(torch.cat([x.mean(2), x.amax(2)], 1))
        return logits

    @torch.no_grad()
    def folded(self) -> list[tuple[Array, Array, int]]:
        """Return weight, bias and stride of each convolution with its normalisation folded in."""
        found = []
        for convolution, norm in zip(self.convolutions, self.norms, strict=True):
            assert isinstance(convolution, nn.Conv1d)
            assert isinstance(norm, nn.BatchNorm1d)
            scale, shift = _affine(norm)
            scale, shift = scale * norm.weight, shift * norm.weight + norm.bias
            weight = convolution.weight * scale[:, None, None]
            found.append((weight.numpy(), shift.numpy(), convolution.stride[0]))
        return found


@torch.no_grad()
def graph_of(net: CurveNet, temperature: float, length: int) -> onnx.ModelProto:
    """Write the net from a curve to calibrated probabilities."""
    recorder = Recorder()
    scale, shift = (part.numpy()[:, None] for part in _affine(net.entry))
    x = recorder.node("Mul", [SIGNAL, recorder.constant("entry.scale", scale)], "entry.scaled")
    x = recorder.node("Add", [x, recorder.constant("entry.shift", shift)], "entry")
    x = recorder.node("Unsqueeze", [x, recorder.integers("axis.0", 0)], "entry.batch")
    for index, (weight, bias, stride) in enumerate(net.folded()):
        inputs = [
            x,
            recorder.constant(f"layer{index}.weight", weight),
            recorder.constant(f"layer{index}.bias", bias),
        ]
        pads = [REACH // 2, REACH // 2]
        x = recorder.node(
            "Conv", inputs, f"layer{index}", kernel_shape=[REACH], strides=[stride], pads=pads
        )
        x = recorder.node("Relu", [x], f"layer{index}.relu")
    pooled = [
        recorder.node("Flatten", [recorder.node(kind, [x], kind)], f"{kind}.flat")
        for kind in ("GlobalAveragePool", "GlobalMaxPool")
    ]
    x = recorder.node("Concat", pooled, "pooled", axis=1)
    weight = (net.last.weight.T / temperature).numpy().copy()
    bias = (net.last.bias / temperature).numpy().copy()
    x = recorder.node("MatMul", [x, recorder.constant("last.weight", weight)], "last")
    x = recorder.node("Add", [x, recorder.constant("last.bias", bias)], "logits")
    x = recorder.node("Softmax", [x], "softmax", axis=1)
    recorder.node("Squeeze", [x, recorder.integers("axis.batch", 0)], PROBABILITIES)
    return recorder.model(
        {SIGNAL: (FLOAT, (len(scale), length))},
        {PROBABILITIES: (FLOAT, (net.last.out_features,))},
        "Kinds of curve, calibrated.",
    )


def _affine(norm: nn.BatchNorm1d) -> tuple[torch.Tensor, torch.Tensor]:
    """Return by what a normalisation multiplies, and what it adds then, but for its own weights."""
    assert norm.running_var is not None
    assert norm.running_mean is not None
    scale = 1 / torch.sqrt(norm.running_var + norm.eps)
    return scale, -norm.running_mean * scale
