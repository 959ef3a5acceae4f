"""Static int8 as ONNX Runtime makes it, and what it computes on processors without VNNI."""

from __future__ import annotations

import numpy as np
import pytest
from onnx import TensorProto, helper, numpy_helper

from millhand.errors import ConfigError, Unavailable
from millhand.models.bench import Candidate
from millhand.models.compute import compute, relative_difference
from millhand.models.older import emulation
from millhand.models.package import Package
from millhand_accelerators.static_int8 import StaticInt8

CHANNELS = 64
ON = Candidate(accelerator="onnxruntime", target="millhand_accelerators.onnx_runtime:OnnxRuntime")
BRIGHT = {"x": np.full((1, CHANNELS, 8, 8), 0.98, np.float32)}
"""High activations times high weights, all of one sign: where sums of 8-bit products overflow."""


def brightness_net(kit):
    """Sums all channels; every weight is at the end of its range."""
    signs = np.sign(np.random.default_rng(1).normal(size=(16, 1, 1, 1)))
    weights = (np.ones((16, CHANNELS, 1, 1)) * signs).astype(np.float32)
    out = np.random.default_rng(2).normal(size=(4, 16, 1, 1)).astype(np.float32)
    nodes = [
        helper.make_node("Conv", ["x", "w"], ["c"], name="sum"),
        helper.make_node("Relu", ["c"], ["r"], name="relu"),
        helper.make_node("Conv", ["r", "o"], ["y"], name="mix"),
    ]
    given = [numpy_helper.from_array(weights, "w"), numpy_helper.from_array(out, "o")]
    size = (8, 8)
    inputs = [kit.info("x", TensorProto.FLOAT, [1, CHANNELS, *size])]
    outputs = [kit.info("y", TensorProto.FLOAT, [1, 4, *size])]
    return kit.model(nodes, inputs, outputs, given).SerializeToString()


@pytest.fixture
def ranges():
    rng = np.random.default_rng(3)
    return [{"x": rng.uniform(0, 1, BRIGHT["x"].shape).astype(np.float32)} for _ in range(8)]


@pytest.fixture
def pack(kit, ranges, tmp_path):
    """Write a package with an int8 graph of so many bits."""

    def call(bits) -> Package:
        fp32 = brightness_net(kit)
        graph = StaticInt8(StaticInt8.Config()).quantise(fp32, ranges, bits=bits)
        builder = kit.builder(name=f"bits-{bits}").add_graph(fp32).add_graph(graph, "int8")
        nothing = {"y": np.zeros((1, 4, 8, 8), np.float32)}
        return builder.add_golden(BRIGHT, nothing).write(tmp_path / str(bits))

    return call


def test_weights_become_int8_and_the_answer_stays(pack, ranges):
    package = pack(8)
    assert package.graph("int8").parameters > 0
    whole = compute(package, ON, "fp32", ranges[:1])[0]["y"]
    small = compute(package, ON, "int8", ranges[:1])[0]["y"]
    assert np.abs(whole - small).max() < 0.05 * np.abs(whole).max()


def test_without_vnni_8_bit_weights_overflow_and_7_bit_weights_do_not(pack):
    """Measured in November 2026: on an emulated Haswell, ONNX Runtime adds 16-bit products."""
    try:
        under = emulation("haswell")
    except Unavailable as error:
        pytest.skip(str(error))
    apart = {}
    for bits in (8, 7):
        package = pack(bits)
        (here,) = compute(package, ON, "int8", [BRIGHT])
        (there,) = compute(package, ON, "int8", [BRIGHT], under)
        apart[bits] = relative_difference(there, here)
    assert apart[7] < 1e-3
    assert apart[8] > 0.05, "or this processor overflows as well"


def test_nothing_to_quantise_is_said(kit, ranges):
    quantiser = StaticInt8(StaticInt8.Config(only="nowhere"))
    with pytest.raises(ConfigError, match="No node"):
        quantiser.quantise(brightness_net(kit), ranges, bits=8)
