import sys

import numpy as np
import pytest
from onnx import TensorProto, helper, numpy_helper

from millhand.models.builder import PackageBuilder
from millhand.models.manifest import TeacherCard

RNG = np.random.default_rng(5)
KERNEL = (RNG.normal(size=(6, 3, 3, 3)) / 5).astype(np.float32)
DENSE = RNG.normal(size=(6, 4)).astype(np.float32)
PICTURE = RNG.integers(0, 256, size=(1, 16, 16, 3), dtype=np.uint8)


def info(name, kind, shape):
    return helper.make_tensor_value_info(name, kind, shape)


def model(nodes, inputs, outputs, weights=(), opset=17, domains=(), ir=8):
    graph = helper.make_graph(nodes, "g", inputs, outputs, list(weights))
    opsets = [helper.make_opsetid("", opset), *(helper.make_opsetid(d, 1) for d in domains)]
    return helper.make_model(graph, opset_imports=opsets, ir_version=ir)


def conv_net(opset=17, batch=1):
    """A picture in, four numbers out: cast, scale, convolve, pool, multiply."""
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
    image = info("image", TensorProto.UINT8, [batch, 16, 16, 3])
    score = info("score", TensorProto.FLOAT, [batch, 4])
    return model(nodes, [image], [score], weights, opset)


def numpy_net(picture):
    """The same in numpy, to say what is right."""
    x = np.pad(picture.astype(np.float64) / 255, ((0, 0), (1, 1), (1, 1), (0, 0)))
    patches = np.lib.stride_tricks.sliding_window_view(x, (3, 3), axis=(1, 2))
    maps = np.maximum(np.einsum("nhwcij,ocij->nohw", patches, KERNEL), 0)
    return (maps.mean(axis=(2, 3)) @ DENSE).astype(np.float32)


def builder(**facts):
    card = TeacherCard(
        id="nobody 1", kind="none", licence="Apache-2.0", permission="granted", evidence="ours"
    )
    return PackageBuilder(
        **{
            "name": "net",
            "task": "test",
            "licence": "Apache-2.0",
            "teacher": card,
            "created": "2026-11-23",
            "meanings": {"image": "RGB", "score": "four numbers", "x": "in", "y": "out"},
            **facts,
        }
    )


def package_of(graph, inputs, outputs, folder, **bounds):
    data = graph if isinstance(graph, bytes) else graph.SerializeToString()
    return builder().add_graph(data).add_golden(inputs, outputs, **bounds).write(folder)


@pytest.fixture
def package(tmp_path):
    return package_of(conv_net(), {"image": PICTURE}, {"score": numpy_net(PICTURE)}, tmp_path / "n")


@pytest.fixture
def kit():
    """The helpers above, for test modules, which cannot import a conftest."""
    return sys.modules[__name__]
