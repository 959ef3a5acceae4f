"""The trained classifier as one ONNX graph: square in, calibrated probabilities out."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import torch

from millhand_quality.classify.distil.config import SIDE
from millhand_quality.classify.distil.net import PIXEL_SCALE, KindsNet
from millhand_quality.classify.parameters import IMAGE, PROBABILITIES
from millhand_quality.inspect.network import FLOAT, UINT8, Recorder

if TYPE_CHECKING:
    import onnx


def graph_of(net: KindsNet, temperature: float) -> onnx.ModelProto:
    """Write the net; pixels' scale, normalisation and temperature are folded into its weights."""
    recorder = Recorder()
    x = recorder.node("Cast", [IMAGE], "pixel.float", to=FLOAT)
    x = recorder.node("Unsqueeze", [x, recorder.integers("axis.0", 0)], "pixel.batch")
    x = recorder.node("Transpose", [x], "pixel.planes", perm=[0, 3, 1, 2])
    for index, (weight, bias, stride) in enumerate(net.folded()):
        scaled = weight / np.float32(PIXEL_SCALE) if index == 0 else weight
        inputs = [
            x,
            recorder.constant(f"layer{index}.weight", scaled),
            recorder.constant(f"layer{index}.bias", bias),
        ]
        x = recorder.node(
            "Conv",
            inputs,
            f"layer{index}",
            kernel_shape=[3, 3],
            strides=[stride, stride],
            pads=[1, 1, 1, 1],
        )
        x = recorder.node("Relu", [x], f"layer{index}.relu")
    pooled = [
        recorder.node("Flatten", [recorder.node(kind, [x], kind)], f"{kind}.flat")
        for kind in ("GlobalAveragePool", "GlobalMaxPool")
    ]
    x = recorder.node("Concat", pooled, "pooled", axis=1)
    last = net.last
    with torch.no_grad():
        weight = (last.weight.T / temperature).numpy().copy()
        bias = (last.bias / temperature).numpy().copy()
    x = recorder.node("MatMul", [x, recorder.constant("last.weight", weight)], "last")
    x = recorder.node("Add", [x, recorder.constant("last.bias", bias)], "logits")
    x = recorder.node("Softmax", [x], "softmax", axis=1)
    recorder.node("Squeeze", [x, recorder.integers("axis.batch", 0)], PROBABILITIES)
    return recorder.model(
        {IMAGE: (UINT8, (SIDE, SIDE, 3))},
        {PROBABILITIES: (FLOAT, (last.out_features,))},
        "Kinds of defect of a square, calibrated.",
    )
