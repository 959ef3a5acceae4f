import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from onnx_reference import Reference

from millhand.contracts import Model
from millhand.errors import InternalError, PackageError
from millhand.models.golden import largest_difference
from millhand.models.sessions import Choice, OpenedModel, open_model


def reference(**settings):
    return Reference("reference", Reference.Config(**settings))


def test_an_opened_model_is_a_function(package, kit):
    with open_model(package, reference()) as model:
        typed: Model = model
        np.testing.assert_allclose(typed(x=kit.X)["y"], kit.Y, atol=1e-6)
        assert typed.package_id == package.id
        assert typed.parameters == {"threshold": 0.5}
        assert model.used.runtime.startswith("onnx ")
        assert model.golden.largest_difference < 1e-6
        assert model.choice is None
        assert model(x=np.ones((5, 8), np.float32))["y"].shape == (5, 3)


@pytest.mark.parametrize(
    ("inputs", "words"),
    [
        ({"x": np.ones((2, 7), np.float32)}, r"shape \(n, 8\) but has \(2, 7\)"),
        ({"x": np.ones(8, np.float32)}, "shape"),
        ({"x": np.ones((2, 8))}, "should be float32 but is float64"),
        ({}, "x is missing"),
        ({"x": np.ones((2, 8), np.float32), "z": np.ones(1)}, "z is unknown"),
    ],
)
def test_a_wrong_question_is_the_agents_fault(package, inputs, words):
    with open_model(package, reference()) as model, pytest.raises(InternalError, match=words):
        model(**inputs)


def test_a_model_that_answers_wrongly_is_not_opened_and_is_closed(package):
    flawed = reference(flaw=0.5)
    with pytest.raises(PackageError) as caught:
        open_model(package, flawed)
    assert caught.value.fault == "golden"
    assert "differs by 0.5" in str(caught.value)
    assert flawed.sessions[0].closed


def test_within_its_bounds_a_difference_is_borne_and_told(tmp_path, kit):
    builder = kit.make_builder().add_graph(kit.make_graph().SerializeToString())
    package = builder.add_golden({"x": kit.X}, {"y": kit.Y}, absolute=0.6).write(tmp_path / "p")
    with open_model(package, reference(flaw=0.5)) as model:
        assert model.golden.largest_difference == pytest.approx(0.5)


def test_a_graph_without_golden_outputs_is_not_run(tmp_path, kit):
    graph = kit.make_graph().SerializeToString()
    package = kit.full_builder().add_graph(graph, "int8").write(tmp_path / "p")
    with pytest.raises(PackageError) as caught:
        open_model(package, reference(), "int8")
    assert caught.value.fault == "golden"


def test_files_changed_after_opening_are_found_at_load(package):
    (package.folder / "model.onnx").write_bytes(b"other")
    with pytest.raises(PackageError) as caught:
        open_model(package, reference())
    assert caught.value.fault == "hash"


def test_golden_changed_after_opening_is_found_at_load(package, kit):
    np.savez(package.folder / "golden/fp32-0.npz", **{"input.x": kit.X, "output.y": kit.Y + 0.5})
    with pytest.raises(PackageError) as caught:
        open_model(package, reference(flaw=0.5))
    assert caught.value.fault == "hash"


class Choosy(Reference):
    def choose(self, package):
        return Choice(accelerator="choosy", precision="int8", reason="I like it small.")


def test_an_accelerator_may_choose_the_precision(tmp_path, kit):
    builder = kit.full_builder().add_graph(kit.make_graph().SerializeToString(), "int8")
    package = builder.add_golden({"x": kit.X}, {"y": kit.Y}, "int8").write(tmp_path / "p")
    choosy = Choosy("choosy", Reference.Config())
    with open_model(package, choosy) as model:
        assert model.used.precision == "int8"
        assert model.choice.reason == "I like it small."
    with open_model(package, choosy, "fp32") as model:
        assert model.used.precision == "fp32"


def test_named_sizes_agree_across_inputs(package):
    from millhand.models.manifest import TensorSpec
    from millhand.models.shapes import misfit

    specs = [
        TensorSpec(name=name, dtype="float32", shape=("n", 2), meaning="") for name in ("a", "b")
    ]
    fits = {"a": np.ones((3, 2), np.float32), "b": np.ones((3, 2), np.float32)}
    assert not misfit(specs, fits)
    assert misfit(specs, fits | {"b": np.ones((4, 2), np.float32)})


@given(hnp.arrays(np.float32, (3,)), st.integers(0, 2), st.floats(1e-3, 1e3))
def test_the_largest_difference(array, at, by):
    array = np.clip(np.nan_to_num(array), -1e4, 1e4).astype(np.float64)
    other = array.copy()
    other[at] += by
    assert largest_difference(array, array) == 0.0
    assert largest_difference(other, array) == pytest.approx(by, rel=1e-6)
    other[at] = np.nan
    assert largest_difference(other, array) == np.inf
    assert largest_difference(other, other) == 0.0
    assert largest_difference(array, array[:2]) == np.inf


def test_the_reference_is_closed_with_the_model(package):
    accelerator = reference()
    model = open_model(package, accelerator)
    assert isinstance(model, OpenedModel)
    model.close()
    model.close()
    assert accelerator.sessions[0].closed
