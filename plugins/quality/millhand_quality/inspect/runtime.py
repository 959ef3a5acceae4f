"""ONNX Runtime for fitting and for the command line; an engine runs packages on accelerators."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from millhand.models.telemetry import silence

if TYPE_CHECKING:
    import onnxruntime


def onnx_runtime() -> Any:
    """Return the library, imported with its telemetry off."""
    silence()
    import onnxruntime

    return onnxruntime


def open_session(model: bytes, threads: int = 1) -> onnxruntime.InferenceSession:
    """Open a graph on the CPU."""
    library = onnx_runtime()
    options = library.SessionOptions()
    options.intra_op_num_threads = threads
    options.inter_op_num_threads = 1
    options.log_severity_level = 3
    return library.InferenceSession(model, options, providers=["CPUExecutionProvider"])


def runtime_version() -> str:
    """Return name and version, as a latency names them."""
    return f"onnxruntime {onnx_runtime().__version__}"
