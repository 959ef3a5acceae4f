"""Building ONNX graphs node by node: a small recorder, and the trunk written with it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from millhand_quality.inspect.runtime import onnx_library
from millhand_quality.inspect.trunk import (
    BLOCKS,
    PIXEL_SCALE,
    Array,
    Block,
)

if TYPE_CHECKING:
    import onnx

OPSET = 18
IR_VERSION = 9
"""Old enough for ONNX Runtime 1.16 and OpenVINO 2023.3."""

Dimensions = Sequence[int | str]


class Recorder:
    """Collects nodes and constants; every method adds a node and returns its output's name.

    Raises:
        ConfigError: the library onnx is not installed.
    """

    def __init__(self) -> None:
        self._onnx = onnx_library()
        self._nodes: list[onnx.NodeProto] = []
        self._constants: dict[str, onnx.TensorProto] = {}
        self._scope = ""

    @contextmanager
    def scope(self, name: str) -> Iterator[None]:
        """Put ``name`` before the names of all nodes and constants recorded inside."""
        outer, self._scope = self._scope, f"{self._scope}{name}."
        try:
            yield
        finally:
            self._scope = outer

    def constant(self, name: str, value: NDArray[Any]) -> str:
        """Keep an array under a name; the same name must mean the same array."""
        name = self._scope + name
        if name not in self._constants:
            self._constants[name] = self._onnx.numpy_helper.from_array(
                np.asarray(value, order="C"), name
            )
        return name

    def integers(self, name: str, *values: int) -> str:
        """Keep a vector of int64."""
        return self.constant(name, np.array(values, np.int64))

    def node(self, kind: str, inputs: Sequence[str], output: str, **attributes: Any) -> str:
        """Add one node of the default operator set."""
        return self.nodes(kind, inputs, (output,), **attributes)[0]

    def nodes(
        self, kind: str, inputs: Sequence[str], outputs: Sequence[str], **attributes: Any
    ) -> tuple[str, ...]:
        """Add one node with several outputs."""
        named = tuple(self._scope + output for output in outputs)
        self._nodes.append(
            self._onnx.helper.make_node(kind, inputs, named, name=named[0], **attributes)
        )
        return named

    def convolution(
        self,
        x: str,
        name: str,
        weight: Array,
        bias: Array,
        *,
        stride: int = 1,
        groups: int = 1,
    ) -> str:
        """Add a convolution with TensorFlow's ``SAME`` padding for even sizes."""
        kernel = weight.shape[-1]
        total = kernel - stride
        before, after = total // 2, total - total // 2
        return self.node(
            "Conv",
            [x, self.constant(f"{name}.weight", weight), self.constant(f"{name}.bias", bias)],
            name,
            kernel_shape=[kernel, kernel],
            strides=[stride, stride],
            pads=[before, before, after, after],
            group=groups,
        )

    def relu6(self, x: str) -> str:
        """Clip to 0 to 6."""
        low = self.constant("relu6.low", np.array(0, np.float32))
        high = self.constant("relu6.high", np.array(6, np.float32))
        return self.node("Clip", [x, low, high], f"{x.removeprefix(self._scope)}.relu6")

    def model(
        self,
        inputs: Mapping[str, tuple[int, Dimensions]],
        outputs: Mapping[str, tuple[int, Dimensions]],
        description: str,
    ) -> onnx.ModelProto:
        """Make a checked model of everything recorded.

        Args:
            inputs: name to ONNX element type and shape.
            outputs: likewise.
            description: one line for whoever opens the file.
        """
        helper = self._onnx.helper
        graph = helper.make_graph(
            self._nodes,
            "inspect",
            [helper.make_tensor_value_info(name, *spec) for name, spec in inputs.items()],
            [helper.make_tensor_value_info(name, *spec) for name, spec in outputs.items()],
            initializer=list(self._constants.values()),
        )
        model: onnx.ModelProto = helper.make_model(
            graph,
            producer_name="millhand-quality",
            doc_string=description,
            opset_imports=[helper.make_opsetid("", OPSET)],
            ir_version=IR_VERSION,
        )
        self._onnx.checker.check_model(model, full_check=True)
        return model


def record_block(recorder: Recorder, x: str, block: Block, weights: Mapping[str, Array]) -> str:
    """Write one block of the trunk."""

    def convolve(source: str, layer: str, **shape: int) -> str:
        name = f"block{block.index}.{layer}"
        return recorder.convolution(
            source, name, weights[f"{name}.weight"], weights[f"{name}.bias"], **shape
        )

    y = x
    if block.expansion != 1:
        y = recorder.relu6(convolve(y, "expand"))
    wide = block.channels_in * block.expansion
    y = recorder.relu6(convolve(y, "depthwise", stride=block.stride, groups=wide))
    y = convolve(y, "project")
    return recorder.node("Add", [x, y], f"block{block.index}") if block.residual else y


def record_trunk(
    recorder: Recorder, pixels: str, channels: int, weights: Mapping[str, Array], last: int
) -> dict[int, str]:
    """Write the trunk up to block ``last``; return each block's output by its index.

    Args:
        recorder: what to write into.
        pixels: name of a float tensor ``(1, channels, h, w)`` of 0 to 255, less the mean that
            the trunk was trained with.
        channels: 3 for RGB; 1 for grey, which sees the sum of the three colours' weights.
        weights: the trunk's arrays.
        last: index of the last block.
    """
    stem = weights["stem.weight"] / np.float32(PIXEL_SCALE)
    if channels == 1:
        stem = stem.sum(axis=1, keepdims=True)
    x = recorder.convolution(pixels, "stem", stem, weights["stem.bias"], stride=2)
    x = recorder.relu6(x)
    outputs: dict[int, str] = {}
    for block in BLOCKS[: last + 1]:
        x = record_block(recorder, x, block, weights)
        outputs[block.index] = x
    return outputs


FLOAT, UINT8 = 1, 2
"""Element types, as ONNX numbers them (``TensorProto.DataType``)."""
