import pytest
import structlog
from pydantic import ValidationError

from millhand.errors import ConfigError
from millhand.models.sessions import open_model
from millhand_accelerators.onnx_runtime import PROVIDERS, OnnxRuntime, OnnxRuntimeConfig
from millhand_accelerators.open_vino import OpenVino, OpenVinoConfig

onnxruntime = pytest.importorskip("onnxruntime")
BUILT_IN = onnxruntime.get_available_providers()
ABSENT = [name for name in ("tensorrt", "qnn", "coreml") if PROVIDERS[name] not in BUILT_IN][:2]


def test_every_provider_name_is_one_of_the_run_times():
    assert set(PROVIDERS.values()) <= set(onnxruntime.get_all_providers())


def test_a_provider_that_is_not_there_is_named_with_what_is():
    with pytest.raises(ConfigError) as caught:
        OnnxRuntime("edge", OnnxRuntimeConfig(ladder=("qnn",)))
    text = str(caught.value)
    assert "edge" in text
    assert "it has cpu" in text
    assert "Install onnxruntime-qnn" in text


def test_the_ladder_is_climbed_down_with_a_word(package):
    with structlog.testing.capture_logs() as logs:
        accelerator = OnnxRuntime("edge", OnnxRuntimeConfig(ladder=(*ABSENT, "cpu")))
    assert [entry["provider"] for entry in logs] == ABSENT
    with open_model(package, accelerator) as model:
        assert model.used.provider == "CPUExecutionProvider"


def test_a_misspelt_provider_is_a_mistake_in_the_scenario():
    with pytest.raises(ValidationError, match="cuda"):
        OnnxRuntimeConfig(ladder=("cdua",))
    with pytest.raises(ValidationError):
        OnnxRuntimeConfig(ladder=())


def test_what_is_present_can_be_built():
    found = OnnxRuntime.present()
    assert {"ladder": ["cpu"]} in found
    for settings in found:
        OnnxRuntime("x", OnnxRuntimeConfig.model_validate(settings))


def test_openvino_names_the_devices_that_are_there():
    pytest.importorskip("openvino")
    with pytest.raises(ConfigError) as caught:
        OpenVino("edge", OpenVinoConfig(device="NPU"))
    assert "finds no NPU here; it finds" in str(caught.value)
    assert {"device": "CPU"} in OpenVino.present()
