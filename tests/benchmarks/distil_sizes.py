"""How much smaller and quicker are the students than their teachers? Weights, products, times.

::

    python tests/benchmarks/distil_sizes.py

Weights and products (multiplications for one item) are counted in the graphs; times are taken on
one thread, teacher and students in turn in one run time, so that what else the machine does falls
on all alike. What the nets have learnt does not matter to any of it.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from math import prod
from typing import Any

import numpy as np
import onnx
import torch
from distil_curves import KERNELS, MOMENTS
from distil_curves import STUDENTS as CURVE_STUDENTS
from distil_gain import BACKBONE, STUDENTS

from millhand_quality.classify.distil.backbone import pooled_graph
from millhand_quality.classify.distil.config import SIDE
from millhand_quality.classify.distil.graph import graph_of
from millhand_quality.classify.distil.net import KindsNet
from millhand_quality.inspect.runtime import open_session
from millhand_quality.signals.distil import net as curves
from millhand_quality.signals.distil.config import KernelsTeacherConfig
from millhand_quality.signals.distil.kernels import Kernels

KINDS, SPEAKERS, CHANNELS = 6, 9, 12
ROUNDS, AT_ONCE = 60, 20


@dataclass
class Counted:
    """One model: what it holds, what it takes, and a way to run it once."""

    name: str
    weights: int
    products: int
    run: Callable[[], object]


def main() -> int:
    """Print a table for squares and one for curves."""
    torch.set_num_threads(1)
    print("squares of 64 pixels, ONNX Runtime\n")
    table(list(squares()))
    print("\ncurves of 12 by 24, torch\n")
    table(list(of_curves()))
    return 0


def squares() -> list[Counted]:
    """Return the backbone with its head, and the students of squares."""
    size = BACKBONE["size"]
    trunk = pooled_graph(size)
    features = 2 * (40 + 112)
    weights, products = counted(trunk)
    picture = np.zeros((size, size, 3), np.uint8)
    head = features * KINDS
    found = [Counted("backbone", weights + head, products + head, runner(trunk, picture))]
    for name, width in STUDENTS.items():
        graph = graph_of(KindsNet(width, KINDS).eval(), 1.0)
        square = np.zeros((SIDE, SIDE, 3), np.uint8)
        found.append(Counted(name, *counted(graph), runner(graph, square)))
    return found


def of_curves() -> list[Counted]:
    """Return the kernels with their head, and the students of curves."""
    config = KernelsTeacherConfig.model_validate(KERNELS)
    kernels = Kernels(config.kernels, CHANNELS, MOMENTS, config.seed)
    curve = np.random.default_rng(0).standard_normal((1, CHANNELS, MOMENTS)).astype(np.float32)
    head = kernels(curve).shape[1] * SPEAKERS
    weights, products = kernels.weights, kernels.products
    found = [Counted("kernels", weights + head, products + head, lambda: kernels(curve))]
    for name, width in CURVE_STUDENTS.items():
        net = curves.CurveNet(width, CHANNELS, SPEAKERS).eval()
        graph = curves.graph_of(net, 1.0, MOMENTS)

        def run(net: curves.CurveNet = net) -> object:
            with torch.no_grad():
                return net(torch.from_numpy(curve))

        found.append(Counted(name, *counted(graph), run))
    return found


def counted(model: onnx.ModelProto) -> tuple[int, int]:
    """Return how many weights a graph holds and how many products of convolutions and layers."""
    known = onnx.shape_inference.infer_shapes(model).graph
    held = {one.name: onnx.numpy_helper.to_array(one) for one in known.initializer}
    shapes: Mapping[str, list[int]] = {
        one.name: [size.dim_value for size in one.type.tensor_type.shape.dim]
        for one in known.value_info
    }
    products = 0
    for node in known.node:
        if node.op_type == "Conv":
            out, weight = shapes[node.output[0]], held[node.input[1]]
            products += prod(out[1:]) * prod(weight.shape[1:])
        elif node.op_type in ("MatMul", "Gemm"):
            products += held[node.input[1]].size
    return sum(one.size for one in held.values() if one.dtype == np.float32), products


def runner(model: onnx.ModelProto, value: np.ndarray[Any, Any]) -> Callable[[], object]:
    """Open a graph on one thread."""
    session = open_session(model.SerializeToString(), 1)
    name = session.get_inputs()[0].name
    return lambda: session.run(None, {name: value})


def table(models: list[Counted]) -> None:
    """Time all in turn and print how many times less each takes than the first."""
    times: dict[str, list[float]] = {one.name: [] for one in models}
    for _ in range(ROUNDS):
        for one in models:
            one.run()
            began = time.perf_counter()
            for _ in range(AT_ONCE):
                one.run()
            times[one.name].append((time.perf_counter() - began) / AT_ONCE * 1000)
    print("| | weights | fewer | products | fewer | ms (median) | less |")
    print("|---|---:|---:|---:|---:|---:|---:|")
    first = models[0]
    for one in models:
        ms, base = (float(np.median(times[name])) for name in (one.name, first.name))
        print(
            f"| {one.name} | {one.weights:,} | {first.weights / one.weights:.0f} × | "
            f"{one.products:,} | {first.products / one.products:.0f} × | {ms:.3f} | "
            f"{base / ms:.0f} × |"
        )


if __name__ == "__main__":
    sys.exit(main())
