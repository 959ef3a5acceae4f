import json
import sys
from pathlib import Path

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper, numpy_helper

from millhand.models.builder import PackageBuilder
from millhand.models.manifest import Manifest, TeacherCard

WEIGHTS = np.random.default_rng(7).normal(size=(8, 3)).astype(np.float32)
X = np.linspace(-1, 1, 16, dtype=np.float32).reshape(2, 8)
Y = np.maximum(X @ WEIGHTS, 0)

sys.path.append(str(Path(__file__).parent))  # so that a probe's process finds onnx_reference


def make_graph(*, opset=17, batch="n", weights=WEIGHTS, name="g", extra_nodes=()):
    graph = helper.make_graph(
        [
            helper.make_node("MatMul", ["x", "w"], ["m"]),
            helper.make_node("Relu", ["m"], ["y"]),
            *extra_nodes,
        ],
        name,
        [helper.make_tensor_value_info("x", TensorProto.FLOAT, [batch, 8])],
        [helper.make_tensor_value_info("y", TensorProto.FLOAT, [batch, 3])],
        [numpy_helper.from_array(weights, "w")],
    )
    opsets = [helper.make_opsetid("", opset)]
    return helper.make_model(graph, opset_imports=opsets, ir_version=8)


def card(permission="granted"):
    return TeacherCard(
        id="nobody 1", kind="none", licence="Apache-2.0", permission=permission, evidence="ours"
    )


def make_builder(**facts):
    return PackageBuilder(
        **{
            "name": "tiny",
            "task": "test",
            "licence": "Apache-2.0",
            "teacher": card(),
            "created": "2026-11-23",
            "meanings": {"x": "eight numbers", "y": "three numbers, 0 and up"},
            "parameters": {"threshold": 0.5},
            **facts,
        }
    )


def full_builder(**facts):
    builder = make_builder(**facts).add_graph(make_graph().SerializeToString())
    return builder.add_golden({"x": X}, {"y": Y})


def rewrite(folder, change):
    """Change the manifest's JSON in place, as a vandal would."""
    path = folder / "manifest.json"
    data = json.loads(path.read_bytes())
    change(data)
    path.write_text(json.dumps(data))
    return folder


@pytest.fixture
def folder(tmp_path):
    return full_builder().write(tmp_path / "tiny").folder


@pytest.fixture
def package(tmp_path):
    return full_builder().write(tmp_path / "tiny")


@pytest.fixture
def kit():
    """The helpers above, for test modules, which cannot import a conftest."""
    return sys.modules[__name__]


__all__ = ["Manifest", "onnx"]
