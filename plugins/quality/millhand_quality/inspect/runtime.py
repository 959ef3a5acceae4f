"""ONNX Runtime, and onnx to write graphs: for the command line. An engine runs on accelerators."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from millhand.errors import ConfigError
from millhand.messages import tr
from millhand.models.telemetry import silence

if TYPE_CHECKING:
    import onnxruntime


def onnx_runtime() -> Any:
    """Return the library, imported with its telemetry off."""
    silence()
    import onnxruntime

    return onnxruntime


def onnx_library() -> Any:
    """Return the library that writes graphs. Fitting needs it, running a package does not.

    Raises:
        ConfigError: it is not installed.
    """
    try:
        import onnx
        import onnx.checker
        import onnx.helper
        import onnx.numpy_helper
    except ImportError as error:
        raise ConfigError(
            tr("A package cannot be made here: {why}.", why=error),
            mend=tr("Install it: {command}", command="pip install 'millhand-quality[fit]'"),
        ) from error
    return onnx


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
