"""Static int8 (QDQ, each channel with a scale of its own), as ONNX Runtime's tools make it."""

from __future__ import annotations

import logging
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, ClassVar

from numpy.typing import NDArray
from pydantic import BaseModel, ConfigDict, Field

from millhand.errors import ConfigError
from millhand.messages import tr
from millhand_accelerators.runtimes import import_onnxruntime

Arrays = Mapping[str, NDArray[Any]]

EIGHT = 8


class StaticInt8Config(BaseModel):
    """Settings of :class:`StaticInt8`."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    operators: tuple[str, ...] = Field(
        default=("Conv", "MatMul", "Gemm"), description="Kinds of nodes that are quantised."
    )
    only: str = Field(
        default="", description="Nodes whose name begins so alone; the rest stays in fp32."
    )
    inputs: int = Field(
        default=32, ge=1, description="Most inputs by which the ranges are set, evenly taken."
    )


class StaticInt8:
    """Implements :class:`millhand.distil.roles.Quantiser`. Activations uint8, weights int8."""

    Config: ClassVar[type[BaseModel]] = StaticInt8Config

    def __init__(self, config: StaticInt8Config) -> None:
        self._config = config

    def quantise(self, graph: bytes, inputs: Sequence[Arrays], *, bits: int) -> bytes:
        """Return the graph in int8; with 7 bits, weights use half their range.

        Raises:
            ConfigError: ``onnx`` is not installed, or the graph cannot be quantised.
        """
        onnx, tools = _libraries()
        step = max(1, len(inputs) // self._config.inputs)
        model = onnx.load_from_string(graph)
        names = [node.name for node in model.graph.node if self._chosen(node)]
        if not names:
            raise ConfigError(
                tr("No node of the graph is quantised."),
                mend=tr("Name its operators, or the beginning of its nodes' names."),
            )
        with tempfile.TemporaryDirectory(prefix="millhand-") as folder, _without_advice():
            source, target = Path(folder) / "fp32.onnx", Path(folder) / "int8.onnx"
            source.write_bytes(graph)
            try:
                tools.quantize_static(
                    source,
                    target,
                    _reader(tools, inputs[::step][: self._config.inputs]),
                    quant_format=tools.QuantFormat.QDQ,
                    per_channel=True,
                    reduce_range=bits < EIGHT,
                    activation_type=tools.QuantType.QUInt8,
                    weight_type=tools.QuantType.QInt8,
                    calibrate_method=tools.CalibrationMethod.MinMax,
                    nodes_to_quantize=names,
                )
            except (RuntimeError, ValueError, NotImplementedError) as error:
                raise ConfigError(
                    tr("The graph cannot be quantised: {why}.", why=error),
                    mend=tr("Leave quantise out of the plan, or name fewer operators."),
                ) from error
            return target.read_bytes()

    def _chosen(self, node: Any) -> bool:
        return bool(
            node.op_type in self._config.operators
            and node.name
            and node.name.startswith(self._config.only)
        )


def _libraries() -> tuple[Any, Any]:
    import_onnxruntime()
    try:
        import onnx
        from onnxruntime import quantization
    except ImportError as error:
        raise ConfigError(
            tr("Quantising needs the library onnx: {why}.", why=error),
            mend=tr("pip install 'millhand-accelerators[quantise]'"),
        ) from error
    return onnx, quantization


def _reader(tools: Any, inputs: Sequence[Arrays]) -> Any:
    class Reader(tools.CalibrationDataReader):  # type: ignore[misc]
        """The library asks for its own base class."""

        def __init__(self) -> None:
            self._left = iter(inputs)

        def get_next(self) -> dict[str, Any] | None:
            found = next(self._left, None)
            return None if found is None else dict(found)

    return Reader()


@contextmanager
def _without_advice() -> Iterator[None]:
    """Keep the library from advising shape inference that our graphs do not need."""
    root = logging.getLogger()
    before = root.level
    root.setLevel(logging.ERROR)
    try:
        yield
    finally:
        root.setLevel(before)
