"""The router as an ONNX graph: buckets and weights in; probabilities, and how known it is, out."""

from __future__ import annotations

import numpy as np
from onnx import TensorProto, helper, numpy_helper

from millhand_admin.tickets.learn import Weights

BUCKETS, WEIGHTS, PROBABILITIES, KNOWN = "buckets", "weights", "probabilities", "known"
MEANINGS = {
    BUCKETS: "hashed pieces of the text, each bucket once, 0 to the number of buckets less 1",
    WEIGHTS: "how much of each piece, of length 1 together",
    PROBABILITIES: "probability of each kind, in the order of the parameter `kinds`",
    KNOWN: "how much of the text was seen while learning, 0 to 1",
}
_OPSET = 17


def graph_of(weights: Weights, temperature: float) -> bytes:
    """Return the graph; the temperature is folded into the weights."""
    constants = [
        numpy_helper.from_array(np.ascontiguousarray(weights.table / np.float32(temperature)),
                                "table"),
        numpy_helper.from_array(weights.bias / np.float32(temperature), "bias"),
        numpy_helper.from_array(weights.seen, "seen"),
        numpy_helper.from_array(np.array([0], np.int64), "first"),
    ]  # fmt: skip
    nodes = [
        helper.make_node("Gather", ["table", BUCKETS], ["rows"], axis=0),
        helper.make_node("Unsqueeze", [WEIGHTS, "first"], ["row"]),
        helper.make_node("MatMul", ["row", "rows"], ["sum"]),
        helper.make_node("Add", ["sum", "bias"], ["logits"]),
        helper.make_node("Softmax", ["logits"], [PROBABILITIES], axis=1),
        helper.make_node("Gather", ["seen", BUCKETS], ["met"], axis=0),
        helper.make_node("Mul", [WEIGHTS, WEIGHTS], ["squares"]),
        helper.make_node("Mul", ["squares", "met"], ["known_parts"]),
        helper.make_node("ReduceSum", ["known_parts", "first"], [KNOWN], keepdims=1),
    ]
    kinds = len(weights.bias)
    graph = helper.make_graph(
        nodes,
        "tickets",
        [
            helper.make_tensor_value_info(BUCKETS, TensorProto.INT64, ["pieces"]),
            helper.make_tensor_value_info(WEIGHTS, TensorProto.FLOAT, ["pieces"]),
        ],
        [
            helper.make_tensor_value_info(PROBABILITIES, TensorProto.FLOAT, [1, kinds]),
            helper.make_tensor_value_info(KNOWN, TensorProto.FLOAT, [1]),
        ],
        constants,
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", _OPSET)])
    model.ir_version = 9
    encoded: bytes = model.SerializeToString()
    return encoded
