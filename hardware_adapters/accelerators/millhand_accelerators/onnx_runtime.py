"""ONNX Runtime as an accelerator: providers by name, no silent fall-back."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, ClassVar, Literal
from weakref import WeakSet

import numpy as np
import structlog
from numpy.typing import NDArray
from pydantic import BaseModel, ConfigDict, Field

from millhand.contracts.adapters import Session, Used
from millhand.errors import ConfigError, InternalError, NotAllowed, Unavailable
from millhand.messages import tr
from millhand.models.files import read_graph
from millhand.models.sessions import Choice
from millhand_accelerators.faults import fault_of, said, unfit, unloadable, unrunnable
from millhand_accelerators.processor import processor_name
from millhand_accelerators.runtimes import import_onnxruntime

if TYPE_CHECKING:
    from pathlib import Path

    from millhand.models.manifest import GraphFile, Manifest
    from millhand.models.package import Package

log = structlog.get_logger(__name__)
onnxruntime = import_onnxruntime()
states = onnxruntime.capi.onnxruntime_pybind11_state

Provider = Literal[
    "cpu", "cuda", "tensorrt", "rocm", "dml", "coreml", "openvino", "dnnl", "xnnpack", "qnn"
]
"""Providers as a scenario names them."""

PROVIDERS: Mapping[str, str] = {
    "cpu": "CPUExecutionProvider",
    "cuda": "CUDAExecutionProvider",
    "tensorrt": "TensorrtExecutionProvider",
    "rocm": "MIGraphXExecutionProvider",
    "dml": "DmlExecutionProvider",
    "coreml": "CoreMLExecutionProvider",
    "openvino": "OpenVINOExecutionProvider",
    "dnnl": "DnnlExecutionProvider",
    "xnnpack": "XnnpackExecutionProvider",
    "qnn": "QNNExecutionProvider",
}
"""Scenario name to the run time's own name."""

_WHEELS: Mapping[str, str] = {
    "cuda": "onnxruntime-gpu",
    "tensorrt": "onnxruntime-gpu",
    "rocm": "onnxruntime-migraphx",
    "dml": "onnxruntime-directml",
    "openvino": "onnxruntime-openvino",
    "qnn": "onnxruntime-qnn",
}

_LOAD_ERRORS = (
    states.EPFail,
    states.Fail,
    states.InvalidArgument,
    states.InvalidGraph,
    states.InvalidProtobuf,
    states.NoModel,
    states.NotImplemented,
    states.RuntimeException,
    RuntimeError,
    ValueError,
    MemoryError,
)
_SILENT = 4


class OnnxRuntimeConfig(BaseModel):
    """Settings of an ``onnxruntime`` accelerator."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    ladder: tuple[Provider, ...] = Field(
        default=("cpu",),
        min_length=1,
        description="Providers to try, best first. Nothing else is ever used.",
    )
    threads: int = Field(default=1, ge=1, le=256, description="Threads within one run.")
    precision: Literal["fp32", "fp16", "int8"] | None = Field(
        default=None, description="Which of the package's graphs to run; default fp32."
    )
    spin: bool = Field(
        default=False,
        description="Let idle threads spin: quicker with several threads, at the neighbours' cost.",
    )


class OnnxRuntime:
    """Runs packages on ONNX Runtime.

    Implements :class:`millhand.contracts.Accelerator`. Built in the agent's worker.

    Raises:
        ConfigError: no provider of the ladder is in the installed ONNX Runtime.
    """

    Config: ClassVar[type[BaseModel]] = OnnxRuntimeConfig

    def __init__(self, name: str, config: OnnxRuntimeConfig) -> None:
        self._name = name
        self._config = config
        self._rungs = _present(name, config.ladder)
        self._sessions: WeakSet[OnnxRuntimeSession] = WeakSet()

    @classmethod
    def present(cls) -> tuple[dict[str, Any], ...]:
        """Return the settings of each provider that this machine's ONNX Runtime has."""
        built_in = onnxruntime.get_available_providers()
        return tuple({"ladder": [n]} for n, full in PROVIDERS.items() if full in built_in)

    def choose(self, package: Package) -> Choice:
        """Choose the configured precision, by default that of the package."""
        graph = package.graph(self._config.precision)
        return Choice(accelerator="onnxruntime", precision=graph.precision)

    def load(self, graph: Path, manifest: Manifest) -> Session:
        """Load one graph file of a verified package on the first rung that takes it.

        Raises:
            NotAllowed: the run time would use a provider that is not in the ladder.
            PackageError: ``graph``, ``opset``, ``operator``, ``external``, ``shape`` or ``hash``.
        """
        data, entry = read_graph(graph, manifest)
        refusals: list[str] = []
        for rung in self._rungs:
            try:
                inner = self._start(data, entry, rung)
            except NotAllowed as error:
                log.warning(
                    "accelerator rung refused", accelerator=self._name, rung=rung, why=str(error)
                )
                refusals.append(str(error))
                continue
            session = OnnxRuntimeSession(inner, entry, manifest, self._config.threads)
            self._sessions.add(session)
            return session
        raise NotAllowed("\n".join(refusals))

    def _start(self, data: bytes, entry: GraphFile, rung: str) -> Any:
        provider = PROVIDERS[rung]
        options = self._options(alone=rung != "cpu" and "cpu" not in self._config.ladder)
        try:
            inner = onnxruntime.InferenceSession(
                data, options, providers=[provider], enable_fallback=0
            )
        except _LOAD_ERRORS as error:
            if rung == "cpu" or fault_of(error) != "graph":
                raise unloadable(entry.path, "ONNX Runtime", error) from None
            raise NotAllowed(
                tr("{rung} cannot run {path}: {why}", rung=rung, path=entry.path, why=said(error)),
                mend=tr("Check its driver, or add a provider below it to the ladder."),
            ) from error
        if inner.get_providers()[0] != provider:
            raise NotAllowed(
                tr(
                    "ONNX Runtime would run {path} on {other} instead of {rung}.",
                    path=entry.path,
                    other=inner.get_providers()[0],
                    rung=rung,
                ),
                mend=tr("Check its driver, or add a provider below it to the ladder."),
            )
        return inner

    def _options(self, *, alone: bool) -> Any:
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = self._config.threads
        options.inter_op_num_threads = 1
        options.execution_mode = onnxruntime.ExecutionMode.ORT_SEQUENTIAL
        options.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_ENABLE_ALL
        options.enable_mem_pattern = True
        options.use_deterministic_compute = True
        options.log_severity_level = _SILENT
        spin = "1" if self._config.spin else "0"
        options.add_session_config_entry("session.intra_op.allow_spinning", spin)
        if alone:
            options.add_session_config_entry("session.disable_cpu_ep_fallback", "1")
        return options

    def close(self) -> None:
        """Close every session that was loaded."""
        for session in tuple(self._sessions):
            session.close()


class OnnxRuntimeSession:
    """One graph in ONNX Runtime. For one thread at a time."""

    def __init__(
        self,
        inner: Any,
        entry: GraphFile,
        manifest: Manifest,
        threads: int,
    ) -> None:
        self._inner: Any = inner
        self._path = entry.path
        self._outputs = [spec.name for spec in manifest.outputs]
        provider = inner.get_providers()[0]
        device = processor_name() if provider == PROVIDERS["cpu"] else provider
        self.used = Used(
            provider=provider,
            device=device,
            precision=entry.precision,
            threads=inner.get_session_options().intra_op_num_threads or threads,
            runtime=f"onnxruntime {onnxruntime.__version__}",
        )

    def run(self, inputs: Mapping[str, NDArray[Any]]) -> Mapping[str, NDArray[Any]]:
        """Run one batch. The arrays returned are the caller's.

        Raises:
            PackageError: ``shape``, the graph does not take these inputs; ``graph``, it cannot
                be carried out.
            Unavailable: a device other than the processor failed while running.
        """
        if self._inner is None:
            raise InternalError(tr("The session is closed."))
        feed = {name: np.ascontiguousarray(array) for name, array in inputs.items()}
        try:
            found = self._inner.run(self._outputs, feed)
        except (states.InvalidArgument, ValueError) as error:
            raise unfit(self._path, said(error)) from None
        except _LOAD_ERRORS as error:
            if self.used.provider == PROVIDERS["cpu"]:
                raise unrunnable(self._path, "ONNX Runtime", error) from None
            raise Unavailable(
                tr("ONNX Runtime failed while running: {why}", why=said(error))
            ) from error
        return dict(zip(self._outputs, found, strict=True))

    def close(self) -> None:
        """Give the run time's memory back. May be called twice."""
        self._inner = None


def vet(data: bytes, path: str) -> None:
    """Let ONNX Runtime check that a graph is well-formed, without keeping or optimising it.

    ONNX Runtime checks every operator's arguments; other run times crash where they are missing.

    Raises:
        PackageError: ``graph``, ``opset`` or ``operator``.
    """
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    options.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_DISABLE_ALL
    options.log_severity_level = _SILENT
    try:
        onnxruntime.InferenceSession(data, options, providers=[PROVIDERS["cpu"]], enable_fallback=0)
    except _LOAD_ERRORS as error:
        raise unloadable(path, "ONNX Runtime", error) from None


def _present(name: str, ladder: tuple[Provider, ...]) -> tuple[str, ...]:
    built_in = onnxruntime.get_available_providers()
    rungs = tuple(rung for rung in ladder if PROVIDERS[rung] in built_in)
    for rung in ladder:
        if rung not in rungs:
            log.warning("accelerator provider not installed", accelerator=name, provider=rung)
    if not rungs:
        present = ", ".join(n for n, full in PROVIDERS.items() if full in built_in)
        wheels = ", ".join(sorted({_WHEELS[rung] for rung in ladder if rung in _WHEELS}))
        raise ConfigError(
            tr(
                "{name}: this ONNX Runtime {version} has none of {ladder}; it has {present}.",
                name=name,
                version=onnxruntime.__version__,
                ladder=", ".join(ladder),
                present=present,
            ),
            mend=tr(
                "Install {wheels} in place of onnxruntime, or add one that is there to the ladder.",
                wheels=wheels or tr("a build of ONNX Runtime with it"),
            ),
        )
    return rungs
