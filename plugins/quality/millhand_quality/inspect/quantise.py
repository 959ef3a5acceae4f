"""An int8 variant of a graph: convolutions quantised statically (QDQ), the head left in float.

It is smaller; whether it is faster or as accurate must be measured, and often it is neither. The
head must be fitted on what the quantised trunk gives (``FeatureExtractor(…, change=…)`` with the
same pictures), or it takes the rounding for defects.
"""

from __future__ import annotations

import logging
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from millhand_quality.inspect.features import IMAGE
from millhand_quality.inspect.pictures import Pixels
from millhand_quality.inspect.runtime import onnx_library, onnx_runtime

if TYPE_CHECKING:
    import onnx


class _Pictures:
    """What the library calls a calibration data reader."""

    def __init__(self, pictures: Sequence[Pixels]) -> None:
        self._left: Iterator[Pixels] = iter(pictures)

    def get_next(self) -> dict[str, Any] | None:
        pixels = next(self._left, None)
        return None if pixels is None else {IMAGE: pixels}


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


def quantised(model: onnx.ModelProto, pictures: Sequence[Pixels]) -> onnx.ModelProto:
    """Return the model with the trunk's convolutions in int8.

    Args:
        model: a detector's graph.
        pictures: good pictures in the frame's shape; a dozen is enough to set ranges.
    """
    library = onnx_library()
    onnx_runtime()
    from onnxruntime import quantization

    class Reader(_Pictures, quantization.CalibrationDataReader):  # type: ignore[misc]
        """The library asks for its own base class."""

    trunk = [
        node.name
        for node in model.graph.node
        if node.op_type == "Conv" and node.name.startswith(("stem", "block"))
    ]
    with tempfile.TemporaryDirectory() as folder, _without_advice():
        source, target = Path(folder) / "fp32.onnx", Path(folder) / "int8.onnx"
        library.save(model, source)
        quantization.quantize_static(
            source,
            target,
            Reader(pictures),
            quant_format=quantization.QuantFormat.QDQ,
            per_channel=True,
            activation_type=quantization.QuantType.QUInt8,
            weight_type=quantization.QuantType.QInt8,
            calibrate_method=quantization.CalibrationMethod.MinMax,
            nodes_to_quantize=trunk,
        )
        return library.load(target)  # type: ignore[no-any-return]
