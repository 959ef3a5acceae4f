"""The kit for ``Accelerator`` on both run times."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, ClassVar

import pytest

from millhand.testing.conformance import AcceleratorBench, AcceleratorCapability, AcceleratorKit


class OnnxRuntimeBench(AcceleratorBench):
    def accelerator(self, **options: Any) -> Any:
        from millhand_accelerators.onnx_runtime import OnnxRuntime, OnnxRuntimeConfig

        return OnnxRuntime("cpu", OnnxRuntimeConfig(**options))

    def absent(self) -> Callable[[], Any]:
        from millhand_accelerators.onnx_runtime import PROVIDERS, OnnxRuntime

        there = {name for one in OnnxRuntime.present() for name in one["ladder"]}
        missing = next(name for name in PROVIDERS if name not in there)
        return lambda: self.accelerator(ladder=[missing])


class OpenVinoBench(AcceleratorBench):
    def accelerator(self, **options: Any) -> Any:
        from millhand_accelerators.open_vino import OpenVino, OpenVinoConfig

        return OpenVino("cpu", OpenVinoConfig(**options))

    def absent(self) -> Callable[[], Any]:
        return lambda: self.accelerator(device="GPU.7")


class TestOnnxRuntime(AcceleratorKit):
    subject, peer = "onnxruntime", "numpy"

    @pytest.fixture
    def bench(self) -> OnnxRuntimeBench:
        return OnnxRuntimeBench()


class TestOpenVino(AcceleratorKit):
    subject, peer = "openvino", "numpy"

    @pytest.fixture
    def bench(self) -> OpenVinoBench:
        pytest.importorskip("openvino")
        return OpenVinoBench()


class TestAuto(AcceleratorKit):
    subject, peer = "auto", "numpy"
    lacks: ClassVar[dict[str, str]] = {
        AcceleratorCapability.ABSENT: "it asks for no device, it measures those there are",
    }

    @pytest.fixture
    def bench(self, tmp_path: Any, monkeypatch: pytest.MonkeyPatch) -> AutoBench:
        monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
        return AutoBench()


class AutoBench(AcceleratorBench):
    def accelerator(self, **options: Any) -> Any:
        from millhand_accelerators.auto import Auto, AutoConfig

        return Auto("cpu", AutoConfig(among=("onnxruntime",), seconds=0.05, **options))
