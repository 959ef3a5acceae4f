"""An accelerator that fails while a file is there, and an agent that asks a model on it."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from pydantic import BaseModel, ConfigDict

from millhand.contracts import Decision, Models, Needs, Observation, TriggerKind, Verdict
from millhand.contracts.adapters import Session
from millhand.errors import Unavailable
from millhand_accelerators.onnx_runtime import OnnxRuntime, OnnxRuntimeConfig


class BreakableConfig(BaseModel):
    """Where the file is looked for."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    broken: str


class Breakable:
    """ONNX Runtime on the processor, lost while the file ``broken`` is there."""

    Config = BreakableConfig

    def __init__(self, name: str, config: BreakableConfig) -> None:
        self._broken = Path(config.broken)
        self._inner = OnnxRuntime(name, OnnxRuntimeConfig())

    def load(self, graph: Path, manifest: Any) -> Session:
        """Load, unless it is lost."""
        if self._broken.exists():
            raise Unavailable("the device is lost")
        return _Session(self._inner.load(graph, manifest), self._broken)

    def close(self) -> None:
        """Close."""
        self._inner.close()


class _Session:
    def __init__(self, inner: Session, broken: Path) -> None:
        self._inner = inner
        self._broken = broken
        self.used = inner.used

    def run(self, inputs: Mapping[str, NDArray[Any]]) -> Mapping[str, NDArray[Any]]:
        """Run, unless the device is lost."""
        if self._broken.exists():
            raise Unavailable("the device is lost")
        return self._inner.run(inputs)

    def close(self) -> None:
        """Close."""
        self._inner.close()


class AsksConfig(BaseModel):
    """The model's one input."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    name: str
    shape: tuple[int, ...]
    dtype: str


class Asks:
    """Asks its model of an empty picture at each tick, and says OK where it answers."""

    Config = AsksConfig

    def __init__(self, config: AsksConfig) -> None:
        self._inputs = {config.name: np.zeros(config.shape, config.dtype)}

    def needs(self) -> Needs:
        """A tick and a model."""
        return Needs(triggers=frozenset({TriggerKind.TIMER}), models=frozenset({"m"}))

    def decide(self, observation: Observation, models: Models) -> Decision:
        """Ask."""
        del observation
        models["m"](**self._inputs)
        return Decision(verdict=Verdict.OK)
