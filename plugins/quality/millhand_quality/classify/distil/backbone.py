"""Features of small pictures from a pre-trained backbone: by ONNX Runtime, or whole by torch."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

import numpy as np
import torch
from numpy.typing import NDArray
from torch.nn import functional

from millhand_quality.inspect.distil.trunk import Trunk
from millhand_quality.inspect.features import IMAGE, InputPlan, image_spec, record_pixels
from millhand_quality.inspect.network import FLOAT, Recorder, record_trunk
from millhand_quality.inspect.pictures import Shape
from millhand_quality.inspect.runtime import open_session
from millhand_quality.inspect.trunk import PIXEL_MEAN, trunk_parameters

if TYPE_CHECKING:
    import onnx

Features = Callable[[NDArray[np.uint8]], NDArray[np.float32]]

TAPS = (4, 10)
"""Blocks whose outputs are pooled: strides 8 and 16."""
_AT_ONCE = 32


def backbone(run_by: str, size: int) -> Features:
    """Return a function from ``(n, side, side, 3) uint8`` to ``(n, features)``."""
    return _Torch(size) if run_by == "torch" else _Onnx(size)


def pooled_graph(size: int) -> onnx.ModelProto:
    """Return the shipped trunk for one picture, its taps pooled by mean and maximum over it."""
    recorder = Recorder()
    plan = InputPlan(Shape(size, size, 3), size, size)
    pixels = record_pixels(recorder, plan, PIXEL_MEAN)
    taps = record_trunk(recorder, pixels, 3, trunk_parameters(), max(TAPS))
    pooled = []
    for tap in TAPS:
        for kind in ("GlobalAveragePool", "GlobalMaxPool"):
            seen = recorder.node(kind, [taps[tap]], f"{kind}.{tap}")
            pooled.append(recorder.node("Flatten", [seen], f"{kind}.{tap}.flat"))
    found = recorder.node("Concat", pooled, "features", axis=1)
    return recorder.model({IMAGE: image_spec(plan)}, {found: (FLOAT, (1, "f"))}, "Pooled features.")


class _Onnx:
    """Runs the trunk by ONNX Runtime, a picture at a time."""

    def __init__(self, size: int) -> None:
        self._session = open_session(pooled_graph(size).SerializeToString(), 1)
        self._size = size

    def __call__(self, pictures: NDArray[np.uint8]) -> NDArray[np.float32]:
        rows = [
            self._session.run(None, {IMAGE: one})[0][0] for one in enlarged(pictures, self._size)
        ]
        return np.stack(rows).astype(np.float32)


class _Torch:
    """The same blocks as a torch module, for a machine where torch is the faster one."""

    def __init__(self, size: int) -> None:
        self._net = Trunk(max(TAPS)).load_folded(trunk_parameters()).eval()
        self._size = size

    @torch.no_grad()
    def __call__(self, pictures: NDArray[np.uint8]) -> NDArray[np.float32]:
        found = []
        for start in range(0, len(pictures), _AT_ONCE):
            shown = enlarged(pictures[start : start + _AT_ONCE], self._size)
            planes = torch.from_numpy(shown.copy()).permute(0, 3, 1, 2).float()
            maps = self._net(planes, TAPS)
            pooled = [part for tap in maps for part in (tap.mean((2, 3)), tap.amax((2, 3)))]
            found.append(torch.cat(pooled, 1).numpy())
        return np.concatenate(found)


def enlarged(pictures: NDArray[np.uint8], size: int) -> NDArray[np.uint8]:
    """Interpolate ``(n, side, side, 3)`` to ``(n, size, size, 3)``."""
    if pictures.shape[1] == size:
        return pictures
    planes = torch.from_numpy(np.array(pictures)).permute(0, 3, 1, 2).float()
    grown = functional.interpolate(planes, (size, size), mode="bilinear", align_corners=False)
    return np.ascontiguousarray(grown.round().byte().permute(0, 2, 3, 1).numpy())
