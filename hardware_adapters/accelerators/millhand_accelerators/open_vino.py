"""OpenVINO as an accelerator, for the least time of a single run."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, ClassVar, Literal
from weakref import WeakSet

import numpy as np
from numpy.typing import NDArray
from pydantic import BaseModel, ConfigDict, Field

from millhand.contracts.adapters import Session, Used
from millhand.errors import ConfigError, InternalError, NotAllowed, Unavailable
from millhand.messages import tr
from millhand.models.files import read_graph
from millhand.models.sessions import Choice
from millhand_accelerators.faults import said, unfit, unloadable, unrunnable
from millhand_accelerators.onnx_runtime import vet
from millhand_accelerators.runtimes import import_openvino

if TYPE_CHECKING:
    from pathlib import Path

    from millhand.models.manifest import GraphFile, Manifest
    from millhand.models.package import Package

_PROCESSOR = "OpenVINO CPU"


class OpenVinoConfig(BaseModel):
    """Settings of an ``openvino`` accelerator."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    device: str = Field(
        default="CPU",
        pattern=r"^(CPU|NPU|GPU(\.\d+)?)$",
        description="CPU, GPU, GPU.1, NPU. Nothing else is ever used.",
    )
    threads: int = Field(default=1, ge=1, le=256, description="Threads within one run.")
    precision: Literal["fp32", "fp16", "int8"] | None = Field(
        default=None, description="Which of the package's graphs to run; default fp32."
    )
    exact: bool = Field(
        default=True,
        description="Compute in 32 bits what the graph states in 32 bits, as ONNX Runtime does.",
    )


class OpenVino:
    """Runs packages on OpenVINO, for the least time of a single run.

    Implements :class:`millhand.contracts.Accelerator`. Built in the agent's worker.

    Raises:
        ConfigError: OpenVINO is not installed, or has no such device here.
    """

    Config: ClassVar[type[BaseModel]] = OpenVinoConfig

    def __init__(self, name: str, config: OpenVinoConfig) -> None:
        self._config = config
        self._openvino = import_openvino()
        self._core = self._openvino.Core()
        self._sessions: WeakSet[OpenVinoSession] = WeakSet()
        present = self._core.available_devices
        if config.device not in present and f"{config.device}.0" not in present:
            raise ConfigError(
                tr(
                    "{name}: OpenVINO {version} finds no {device} here; it finds {present}.",
                    name=name,
                    version=self._openvino.__version__,
                    device=config.device,
                    present=", ".join(present),
                ),
                mend=tr("Install the device's driver, or name a device that is there."),
            )

    @classmethod
    def present(cls) -> tuple[dict[str, Any], ...]:
        """Return the settings of each device that OpenVINO finds; none where it is missing."""
        try:
            openvino = import_openvino()
        except ConfigError:
            return ()
        return tuple({"device": device} for device in openvino.Core().available_devices)

    def choose(self, package: Package) -> Choice:
        """Choose the configured precision, by default that of the package."""
        graph = package.graph(self._config.precision)
        return Choice(accelerator="openvino", precision=graph.precision)

    def load(self, graph: Path, manifest: Manifest) -> Session:
        """Load one graph file of a verified package.

        Raises:
            NotAllowed: OpenVINO would run it on another device than the one configured.
            PackageError: ``graph``, ``opset``, ``operator``, ``external``, ``shape`` or ``hash``.
        """
        data, entry = read_graph(graph, manifest)
        vet(data, entry.path)  # OpenVINO 2026.4 crashes on nodes without inputs
        try:
            model = self._core.read_model(model=data, weights=b"")
            compiled = self._core.compile_model(model, self._config.device, self._properties())
        except (RuntimeError, ValueError, TypeError, MemoryError) as error:
            raise unloadable(entry.path, "OpenVINO", error) from None
        devices = compiled.get_property("EXECUTION_DEVICES")
        if [device.partition(".")[0] for device in devices] != [
            self._config.device.partition(".")[0]
        ]:
            raise NotAllowed(
                tr(
                    "OpenVINO would run {path} on {other} instead of {device}.",
                    path=entry.path,
                    other=", ".join(devices),
                    device=self._config.device,
                ),
                mend=tr("Check its driver, or name that device."),
            )
        session = OpenVinoSession(
            compiled, self._used(compiled, entry, devices), self._openvino.Tensor, manifest, entry
        )
        self._sessions.add(session)
        return session

    def _properties(self) -> dict[str, Any]:
        properties: dict[str, Any] = {
            "PERFORMANCE_HINT": "LATENCY",
            "NUM_STREAMS": "1",
        }
        if self._config.device == "CPU":
            properties["INFERENCE_NUM_THREADS"] = self._config.threads
            properties["ENABLE_CPU_PINNING"] = False
        if self._config.exact:
            properties["INFERENCE_PRECISION_HINT"] = "f32"
        return properties

    def _used(self, compiled: Any, entry: GraphFile, devices: list[str]) -> Used:
        on_processor = self._config.device == "CPU"
        return Used(
            provider=f"OpenVINO {devices[0]}",
            device=self._core.get_property(devices[0], "FULL_DEVICE_NAME").strip(),
            precision=entry.precision,
            threads=int(compiled.get_property("INFERENCE_NUM_THREADS")) if on_processor else 1,
            runtime=f"openvino {self._openvino.__version__}",
        )

    def close(self) -> None:
        """Close every session that was loaded."""
        for session in tuple(self._sessions):
            session.close()


class OpenVinoSession:
    """One graph in OpenVINO. For one thread at a time."""

    def __init__(
        self, compiled: Any, used: Used, tensor: Any, manifest: Manifest, entry: GraphFile
    ) -> None:
        self._path = entry.path
        self._request: Any = compiled.create_infer_request()
        self._tensor = tensor
        self._inputs = {spec.name for spec in manifest.inputs}
        self._outputs = {spec.name: compiled.output(spec.name) for spec in manifest.outputs}
        self.used = used

    def run(self, inputs: Mapping[str, NDArray[Any]]) -> Mapping[str, NDArray[Any]]:
        """Run one batch. Writable inputs are read where they lie; the outputs are the caller's.

        Raises:
            PackageError: ``shape``, the graph does not take these inputs; ``graph``, it cannot
                be carried out.
            Unavailable: a device other than the processor failed while running.
        """
        if self._request is None:
            raise InternalError(tr("The session is closed."))
        if inputs.keys() != self._inputs:
            raise unfit(self._path, tr("it takes {names}", names=", ".join(sorted(self._inputs))))
        try:
            for name, array in inputs.items():
                plain = np.ascontiguousarray(array)
                # OpenVINO shares writable memory only; what is read-only costs one copy.
                self._request.set_tensor(
                    name, self._tensor(plain, shared_memory=plain.flags.writeable)
                )
        except (RuntimeError, ValueError, TypeError) as error:
            raise unfit(self._path, said(error)) from error
        try:
            self._request.infer()
        except (RuntimeError, ValueError, MemoryError) as error:
            if self.used.provider == _PROCESSOR:
                raise unrunnable(self._path, "OpenVINO", error) from None
            raise Unavailable(
                tr("OpenVINO failed while running: {why}", why=said(error))
            ) from error
        return {
            name: self._request.get_tensor(port).data.copy() for name, port in self._outputs.items()
        }

    def close(self) -> None:
        """Give the run time's memory back. May be called twice."""
        self._request = None
        self._outputs = {}
