import contextlib

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from onnx import TensorProto, helper, numpy_helper

from millhand.errors import PackageError
from millhand.models.graph import read_facts
from millhand.models.protobuf import Malformed, fields, signed, varint


def fault(model):
    data = model if isinstance(model, bytes) else model.SerializeToString()
    with pytest.raises(PackageError) as caught:
        read_facts(data, "m.onnx")
    return caught.value.fault


def external(tensor):
    tensor.ClearField("raw_data")
    tensor.data_location = TensorProto.EXTERNAL
    entry = tensor.external_data.add()
    entry.key, entry.value = "location", "/etc/passwd"
    return tensor


def test_facts_are_those_of_the_onnx_library(kit):
    model = kit.make_graph()
    facts = read_facts(model.SerializeToString(), "m")
    assert facts.opset == 17
    assert facts.parameters == kit.WEIGHTS.size
    assert facts.operators == {("", "MatMul"), ("", "Relu")}
    (x,), (y,) = facts.inputs, facts.outputs
    assert (x.name, x.dtype, x.shape) == ("x", "float32", ("n", 8))
    assert (y.name, y.dtype, y.shape) == ("y", "float32", ("n", 3))


def test_an_initialiser_listed_as_input_is_no_input(kit):
    model = kit.make_graph()
    model.graph.input.append(helper.make_tensor_value_info("w", TensorProto.FLOAT, [8, 3]))
    assert [t.name for t in read_facts(model.SerializeToString(), "m").inputs] == ["x"]


def test_external_data_is_refused_wherever_it_hides(kit):
    model = kit.make_graph()
    external(model.graph.initializer[0])
    assert fault(model) == "external"

    hidden = external(numpy_helper.from_array(kit.WEIGHTS, "c"))
    node = helper.make_node("Constant", [], ["c"])
    node.attribute.add(name="value", type=5).t.CopyFrom(hidden)
    assert fault(kit.make_graph(extra_nodes=[node])) == "external"

    inner = helper.make_graph([node], "inner", [], [])
    branch = helper.make_node("If", ["x"], ["z"], then_branch=inner, else_branch=inner)
    assert fault(kit.make_graph(extra_nodes=[branch])) == "external"

    function = helper.make_function("d", "f", [], ["c"], [node], [helper.make_opsetid("", 17)])
    with_function = kit.make_graph()
    with_function.functions.append(function)
    assert fault(with_function) == "external"


def test_training_information_is_refused(kit):
    model = kit.make_graph()
    model.training_info.add()
    assert fault(model) == "graph"


def test_every_truncation_is_refused(kit):
    whole = kit.make_graph().SerializeToString()
    graph_start = whole.index(b"MatMul")
    for end in range(graph_start, len(whole) - 8):
        assert fault(whole[:end]) == "graph"


@pytest.mark.parametrize(
    "data", [b"", b"\x00", b"hello, world", b"\x3a\xff\xff\xff\xff\x7f", b"<net"]
)
def test_what_is_no_onnx(data):
    assert fault(data) == "graph"


def test_deep_nesting_is_refused(kit):
    node = helper.make_node("Relu", ["x"], ["z"])
    for _ in range(20):
        inner = helper.make_graph([node], "inner", [], [])
        node = helper.make_node("If", ["x"], ["z"], then_branch=inner)
    assert fault(kit.make_graph(extra_nodes=[node])) == "graph"


@settings(max_examples=300, deadline=None)
@given(st.binary(max_size=400))
def test_random_bytes_never_do_worse_than_be_refused(data):
    with pytest.raises(PackageError):
        read_facts(data, "m")


@settings(max_examples=300, deadline=None)
@given(
    flips=st.lists(st.tuples(st.integers(0, 10_000), st.integers(0, 255)), min_size=1, max_size=4)
)
def test_spoilt_graphs_never_do_worse_than_be_refused(flips):
    spoilt = bytearray(WHOLE)
    for at, value in flips:
        spoilt[at % len(spoilt)] = value
    with contextlib.suppress(PackageError):
        read_facts(bytes(spoilt), "m")


@given(st.integers(-(2**63), 2**63 - 1), st.integers(1, 2**20))
def test_varints_agree_with_protobuf(value, number):
    tensor = TensorProto(dims=[value])
    ((_, _, packed),) = fields(memoryview(tensor.SerializeToString()))
    read, end = varint(packed if not isinstance(packed, int) else memoryview(b"\0"), 0)
    if isinstance(packed, int):
        read, end = packed, 1
    assert signed(read) == value
    assert end >= 1


def test_varints_that_never_end():
    with pytest.raises(Malformed):
        varint(memoryview(b"\xff" * 20), 0)
    with pytest.raises(Malformed):
        varint(memoryview(b"\xff"), 0)


def _whole():
    graph = helper.make_graph(
        [helper.make_node("Add", ["x", "w"], ["y"])],
        "g",
        [helper.make_tensor_value_info("x", TensorProto.FLOAT, [4])],
        [helper.make_tensor_value_info("y", TensorProto.FLOAT, [4])],
        [numpy_helper.from_array(np.ones(4, np.float32), "w")],
    )
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)]).SerializeToString()


WHOLE = _whole()
