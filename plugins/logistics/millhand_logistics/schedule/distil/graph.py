"""The dispatching network as ONNX: rows of one choice in, a score for each out."""

from __future__ import annotations

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

from millhand_logistics.schedule.package import ROWS, SCORES
from millhand_logistics.schedule.policy import Policy
from millhand_logistics.schedule.tables import FEATURES, HIDDEN

_OPSET = 18


def graph_of(policy: Policy) -> bytes:
    """Write a policy as a graph of float32."""
    constants = {
        "w1": policy.w1,
        "b1": policy.b1,
        "own": policy.w2[:HIDDEN],
        "mean": policy.w2[HIDDEN:],
        "b2": policy.b2,
        "w3": policy.w3[:, None],
    }
    node = helper.make_node
    nodes = [
        node("Gemm", [ROWS, "w1", "b1"], ["pre"]),
        node("Relu", ["pre"], ["h"]),
        node("ReduceMean", ["h", "rows_axis"], ["middle"], keepdims=1),
        node("Gemm", ["middle", "mean", "b2"], ["shared"]),
        node("MatMul", ["h", "own"], ["alone"]),
        node("Add", ["alone", "shared"], ["pre2"]),
        node("Relu", ["pre2"], ["h2"]),
        node("MatMul", ["h2", "w3"], ["column"]),
        node("Reshape", ["column", "flat"], [SCORES]),
    ]
    initialisers = [
        *(numpy_helper.from_array(w.astype(np.float32), name) for name, w in constants.items()),
        numpy_helper.from_array(np.array([0], np.int64), "rows_axis"),
        numpy_helper.from_array(np.array([-1], np.int64), "flat"),
    ]
    graph = helper.make_graph(
        nodes,
        "dispatcher",
        [helper.make_tensor_value_info(ROWS, TensorProto.FLOAT, ["candidates", FEATURES])],
        [helper.make_tensor_value_info(SCORES, TensorProto.FLOAT, ["candidates"])],
        initialisers,
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", _OPSET)])
    model.ir_version = 9
    onnx.checker.check_model(model, full_check=True)
    data: bytes = model.SerializeToString()
    return data
