import numpy as np
import pytest
from pydantic import ValidationError

from millhand.errors import InternalError, PackageError
from millhand.models.manifest import Latency, Metric, Source
from millhand.models.package import open_package


def content(folder):
    return {p.relative_to(folder): p.read_bytes() for p in folder.rglob("*") if p.is_file()}


def test_the_same_parts_make_the_same_bytes(tmp_path, kit):
    one = kit.full_builder().write(tmp_path / "one")
    two = kit.full_builder().write(tmp_path / "two")
    assert content(one.folder) == content(two.folder)
    assert one.id == two.id


def test_an_existing_folder_is_replaced_only_when_asked(tmp_path, kit):
    one = kit.full_builder().write(tmp_path / "p")
    with pytest.raises(PackageError) as caught:
        kit.full_builder(version="2").write(tmp_path / "p")
    assert caught.value.fault == "exists"
    two = kit.full_builder(version="2").write(tmp_path / "p", replace=True)
    assert two.id != one.id
    assert [p.name for p in tmp_path.iterdir()] == ["p"]


def test_a_bad_package_is_never_given_its_name(tmp_path, kit):
    builder = kit.make_builder().add_graph(kit.make_graph().SerializeToString())
    builder.add_golden({"x": kit.X}, {"z": kit.Y})
    with pytest.raises(PackageError) as caught:
        builder.write(tmp_path / "p")
    assert caught.value.fault == "golden"
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("value", [float("nan"), float("inf"), np.float32(1), {1, 2}])
def test_parameters_that_would_not_come_back_are_refused(kit, value):
    with pytest.raises(InternalError, match="plain JSON"):
        kit.make_builder(parameters={"t": value})


def test_a_figure_that_is_no_number_is_refused():
    with pytest.raises(ValidationError, match="finite"):
        Metric(name="auroc", value=float("nan"), items=9, data="d")


def test_missing_parts_are_named(tmp_path, kit):
    with pytest.raises(InternalError, match="meaning of y"):
        kit.full_builder(meanings={"x": "in"}).write(tmp_path / "p")
    with pytest.raises(InternalError, match="needs a graph"):
        kit.make_builder().write(tmp_path / "p")
    with pytest.raises(InternalError, match="golden"):
        kit.make_builder().add_graph(kit.make_graph().SerializeToString()).write(tmp_path / "p")
    with pytest.raises(InternalError, match="added twice"):
        kit.full_builder().add_graph(kit.make_graph().SerializeToString())


def test_everything_said_comes_back(tmp_path, kit):
    source = Source(name="rendered", licence="CC0-1.0", sha256="0" * 64, items=9, recipe="make it")
    metric = Metric(name="auroc", value=0.9, low=0.8, high=0.95, teacher=0.92, items=9, data="d|e")
    time = Latency(
        target="cpu",
        runtime="r",
        provider="p",
        precision="fp32",
        threads=1,
        p50_ms=1.5,
        p99_ms=2.5,
        measured="2026-11-23",
    )
    builder = kit.full_builder(product="impeller", seed=3, command="millhand distil p.yaml")
    builder.add_source(source).add_metric(metric).add_latency(time).add_note("mind the gap")
    builder.add_file("LICENSE", b"Apache", "Licence text.")
    package = builder.write(tmp_path / "p")
    manifest = open_package(package.folder).manifest
    assert manifest.sources == (source,)
    assert manifest.metrics == (metric,)
    assert manifest.latency == (time,)
    assert manifest.notes == ("mind the gap",)
    assert (package.folder / "LICENSE").read_bytes() == b"Apache"
    card = (package.folder / "card.md").read_text()
    assert all(word in card for word in ("impeller", "0.8 to 0.95", "d\\|e", "mind the gap"))


def test_two_precisions(tmp_path, kit):
    graph = kit.make_graph().SerializeToString()
    builder = kit.full_builder().add_graph(graph, "int8")
    builder.add_golden({"x": kit.X}, {"y": kit.Y}, "int8", absolute=0.1)
    package = builder.write(tmp_path / "p")
    assert package.precisions == ("fp32", "int8")
    assert package.graph("int8").path == "model.int8.onnx"


def test_a_scalar_stays_a_scalar(tmp_path, kit):
    from onnx import TensorProto, helper

    info = helper.make_tensor_value_info
    graph = helper.make_graph(
        [helper.make_node("Abs", ["x"], ["y"])],
        "g",
        [info("x", TensorProto.FLOAT, [])],
        [info("y", TensorProto.FLOAT, [])],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
    builder = kit.make_builder().add_graph(model.SerializeToString())
    builder.add_golden({"x": np.float32(-2)[()]}, {"y": np.array(2, np.float32)})
    assert builder.write(tmp_path / "p").manifest.outputs[0].shape == ()
