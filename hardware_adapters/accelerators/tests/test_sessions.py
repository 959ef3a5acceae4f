"""What every accelerator must do, on each that is installed."""

import gc
import threading

import numpy as np
import psutil
import pytest

from millhand.contracts import Accelerator
from millhand.errors import InternalError, PackageError
from millhand.models.sessions import open_model
from millhand.plugins import Face, Plugins
from millhand_accelerators.onnx_runtime import OnnxRuntime, OnnxRuntimeConfig
from millhand_accelerators.open_vino import OpenVino, OpenVinoConfig

MAKERS = {
    "onnxruntime": lambda **settings: OnnxRuntime("cpu", OnnxRuntimeConfig(**settings)),
    "openvino": lambda **settings: OpenVino("cpu", OpenVinoConfig(**settings)),
}


@pytest.fixture(params=sorted(MAKERS))
def make(request):
    if request.param == "openvino":
        pytest.importorskip("openvino")
    return MAKERS[request.param]


def test_answers_as_numpy_does(make, package, kit):
    accelerator = make()
    assert isinstance(accelerator, Accelerator)
    with open_model(package, accelerator) as model:
        for seed in range(5):
            picture = np.random.default_rng(seed).integers(0, 256, (1, 16, 16, 3), np.uint8)
            found = model(image=picture)["score"]
            assert found.dtype == np.float32
            np.testing.assert_allclose(found, kit.numpy_net(picture), atol=2e-6, rtol=1e-5)


def test_says_what_it_really_used(make, package):
    with open_model(package, make(threads=1)) as model:
        assert model.used.threads == 1
        assert model.used.precision == "fp32"
        assert "CPU" in model.used.provider
        assert model.used.device
        assert model.used.runtime.split()[0] in {"onnxruntime", "openvino"}


def test_two_threads_are_used_and_answer_the_same(make, package, kit):
    with open_model(package, make(threads=2)) as two, open_model(package, make()) as one:
        assert two.used.threads == 2
        found, expected = two(image=kit.PICTURE)["score"], one(image=kit.PICTURE)["score"]
    np.testing.assert_allclose(found, expected, rtol=1e-6)


def test_results_belong_to_the_caller(make, package, kit):
    with open_model(package, make()) as model:
        first = model(image=kit.PICTURE)["score"]
        kept = first.copy()
        model(image=255 - kit.PICTURE)
        np.testing.assert_array_equal(first, kept)
    np.testing.assert_array_equal(first, kept)


def test_read_only_and_strided_inputs(make, package, kit):
    frozen = np.frombuffer(kit.PICTURE.tobytes(), np.uint8).reshape(kit.PICTURE.shape)
    assert not frozen.flags.writeable
    mirrored = np.ascontiguousarray(kit.PICTURE[:, :, ::-1])
    with open_model(package, make()) as model:
        expected = model(image=kit.PICTURE)["score"]
        np.testing.assert_array_equal(model(image=frozen)["score"], expected)
        np.testing.assert_array_equal(
            model(image=kit.PICTURE[:, :, ::-1])["score"], model(image=mirrored)["score"]
        )


def test_free_batch_sizes(make, tmp_path, kit):
    graph = kit.conv_net(batch="n")
    package = kit.package_of(
        graph, {"image": kit.PICTURE}, {"score": kit.numpy_net(kit.PICTURE)}, tmp_path / "n"
    )
    with open_model(package, make()) as model:
        for count in (1, 4, 2):
            pictures = np.repeat(kit.PICTURE, count, axis=0)
            assert model(image=pictures)["score"].shape == (count, 4)


def test_the_session_itself_refuses_wrong_inputs(make, package, kit):
    with open_model(package, make()) as model:
        session = model.session
        for wrong in (
            {"image": kit.PICTURE[:, :8]},
            {"image": kit.PICTURE.astype(np.float32)},
            {"picture": kit.PICTURE},
            {},
        ):
            with pytest.raises(PackageError) as caught:
                session.run(wrong)
            assert caught.value.fault == "shape"
        assert session.run({"image": kit.PICTURE})["score"].shape == (1, 4)


def test_the_same_input_gives_the_same_bytes(make, package, kit):
    with open_model(package, make()) as model:
        answers = {model(image=kit.PICTURE)["score"].tobytes() for _ in range(20)}
    assert len(answers) == 1


def test_closing_frees_and_a_closed_session_says_so(make, tmp_path, kit):
    from onnx import TensorProto, helper, numpy_helper

    big = np.zeros((8, 1_000_000), np.float32)  # 31 MiB
    graph = kit.model(
        [
            helper.make_node("MatMul", ["x", "w"], ["m"]),
            helper.make_node("ReduceMax", ["m"], ["y"]),
        ],
        [kit.info("x", TensorProto.FLOAT, [1, 8])],
        [kit.info("y", TensorProto.FLOAT, [1, 1])],
        [numpy_helper.from_array(big, "w")],
    )
    x, y = np.ones((1, 8), np.float32), np.zeros((1, 1), np.float32)
    package = kit.package_of(graph, {"x": x}, {"y": y}, tmp_path / "big")
    accelerator, process = make(), psutil.Process()
    open_model(package, accelerator).close()
    gc.collect()
    before, threads = process.memory_info().rss, threading.active_count()
    for _ in range(5):
        model = open_model(package, accelerator)
        model.close()
        model.close()
        with pytest.raises(InternalError, match="closed"):
            model(x=x)
    gc.collect()
    grown = (process.memory_info().rss - before) / 2**20
    assert grown < 75  # five kept would be more than 150
    assert threading.active_count() == threads
    accelerator.close()


def test_closing_the_accelerator_closes_its_sessions(make, package, kit):
    accelerator = make()
    model = open_model(package, accelerator)
    accelerator.close()
    with pytest.raises(InternalError, match="closed"):
        model(image=kit.PICTURE)


def test_onnx_runtime_and_openvino_agree(package, kit):
    pytest.importorskip("openvino")
    with (
        open_model(package, MAKERS["onnxruntime"]()) as one,
        open_model(package, MAKERS["openvino"]()) as two,
    ):
        for seed in range(20):
            picture = np.random.default_rng(seed).integers(0, 256, (1, 16, 16, 3), np.uint8)
            np.testing.assert_allclose(
                one(image=picture)["score"], two(image=picture)["score"], atol=1e-6, rtol=1e-5
            )


def test_int8_is_run_when_asked(make, tmp_path, kit, package):
    graph = kit.conv_net().SerializeToString()
    builder = kit.builder().add_graph(graph).add_graph(graph, "int8")
    golden = {"image": kit.PICTURE}, {"score": kit.numpy_net(kit.PICTURE)}
    both = builder.add_golden(*golden).add_golden(*golden, "int8").write(tmp_path / "both")
    with open_model(both, make(precision="int8")) as model:
        assert model.used.precision == "int8"
    with open_model(both, make()) as model:
        assert model.used.precision == "fp32"
    with pytest.raises(PackageError) as caught:
        open_model(package, make(precision="int8"))
    assert caught.value.fault == "precision"


def test_registered_through_the_entry_point():
    adapters = Plugins.discover().adapters
    for name in ("onnxruntime", "openvino", "auto"):
        assert adapters[name].faces == {Face.ACCELERATOR}
        assert hasattr(adapters[name].load(), "Config")
