"""Small graphs whose answers numpy can tell, as packages. Needs ``onnx``, imported where used."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from millhand.models.builder import PackageBuilder
from millhand.models.manifest import TeacherCard
from millhand.models.package import Package

_RNG = np.random.default_rng(5)
KERNEL = (_RNG.normal(size=(6, 3, 3, 3)) / 5).astype(np.float32)
DENSE = _RNG.normal(size=(6, 4)).astype(np.float32)
PICTURE: NDArray[np.uint8] = _RNG.integers(0, 256, size=(1, 16, 16, 3), dtype=np.uint8)
"""``(1, 16, 16, 3) uint8``."""


def conv_net(batch: int | str = 1) -> Any:
    """Build a net: a picture in, four numbers out; cast, scale, convolve, pool, multiply."""
    from onnx import TensorProto, helper, numpy_helper

    weights = [
        numpy_helper.from_array(KERNEL, "k"),
        numpy_helper.from_array(DENSE, "d"),
        numpy_helper.from_array(np.float32(1 / 255).reshape(1), "s"),
        numpy_helper.from_array(np.array([0, 6], np.int64), "flat"),
    ]
    nodes = [
        helper.make_node("Cast", ["image"], ["f"], to=TensorProto.FLOAT),
        helper.make_node("Mul", ["f", "s"], ["n"]),
        helper.make_node("Transpose", ["n"], ["t"], perm=[0, 3, 1, 2]),
        helper.make_node("Conv", ["t", "k"], ["c"], pads=[1, 1, 1, 1]),
        helper.make_node("Relu", ["c"], ["r"]),
        helper.make_node("GlobalAveragePool", ["r"], ["p"]),
        helper.make_node("Reshape", ["p", "flat"], ["v"]),
        helper.make_node("MatMul", ["v", "d"], ["score"]),
    ]
    image = helper.make_tensor_value_info("image", TensorProto.UINT8, [batch, 16, 16, 3])
    score = helper.make_tensor_value_info("score", TensorProto.FLOAT, [batch, 4])
    return _model(nodes, [image], [score], weights)


def numpy_net(picture: NDArray[np.uint8]) -> NDArray[np.float32]:
    """Compute :func:`conv_net` in numpy, to say what is right."""
    padded = np.pad(picture.astype(np.float64) / 255, ((0, 0), (1, 1), (1, 1), (0, 0)))
    patches = np.lib.stride_tricks.sliding_window_view(padded, (3, 3), axis=(1, 2))
    maps = np.maximum(np.einsum("nhwcij,ocij->nohw", patches, KERNEL), 0)
    answer: NDArray[np.float32] = (maps.mean(axis=(2, 3)) @ DENSE).astype(np.float32)
    return answer


def identity_net() -> Any:
    """Build a net that gives back its four numbers."""
    return _four_numbers("Identity", "")


def unknown_operator_net() -> Any:
    """Build a net with an operator that nobody has."""
    return _four_numbers("NobodyHasThis", "org.example")


def _four_numbers(operator: str, domain: str) -> Any:
    from onnx import TensorProto, helper

    x = helper.make_tensor_value_info("x", TensorProto.FLOAT, [1, 4])
    y = helper.make_tensor_value_info("y", TensorProto.FLOAT, [1, 4])
    node = helper.make_node(operator, ["x"], ["y"], domain=domain)
    return _model([node], [x], [y], domains=[domain] if domain else [])


def _model(
    nodes: Sequence[Any],
    inputs: Sequence[Any],
    outputs: Sequence[Any],
    weights: Sequence[Any] = (),
    domains: Sequence[str] = (),
) -> Any:
    from onnx import helper

    graph = helper.make_graph(nodes, "g", inputs, outputs, list(weights))
    opsets = [helper.make_opsetid("", 17), *(helper.make_opsetid(one, 1) for one in domains)]
    return helper.make_model(graph, opset_imports=opsets, ir_version=8)


def package_of(
    graph: Any,
    inputs: Mapping[str, NDArray[Any]],
    outputs: Mapping[str, NDArray[Any]],
    folder: Path,
) -> Package:
    """Write a graph as a package whose golden example is ``inputs`` to ``outputs``."""
    card = TeacherCard(
        id="nobody 1", kind="none", licence="Apache-2.0", permission="granted", evidence="ours"
    )
    builder = PackageBuilder(
        name="net",
        task="test",
        licence="Apache-2.0",
        teacher=card,
        created="2026-11-25",
        meanings={"image": "RGB", "score": "four numbers", "x": "in", "y": "out"},
    )
    return builder.add_graph(graph.SerializeToString()).add_golden(inputs, outputs).write(folder)
