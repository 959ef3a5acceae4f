"""The trained student as one ONNX graph: picture in; score, heat map and novelty out."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import torch
from torch.nn import functional

from millhand_quality.inspect.detector import HEAT, NOVELTY, SCORE
from millhand_quality.inspect.distil.cell_net import PIXEL_SCALE, CellMaps, CellNet, NormedConv
from millhand_quality.inspect.distil.config import CELL
from millhand_quality.inspect.distil.novelty import NoveltyModel
from millhand_quality.inspect.features import IMAGE, InputPlan, image_spec, record_pixels
from millhand_quality.inspect.network import FLOAT, Recorder
from millhand_quality.inspect.pictures import Pixels, Shape
from millhand_quality.inspect.trunk import Array

if TYPE_CHECKING:
    import onnx


@dataclass(frozen=True, slots=True)
class Trained:
    """A student ready to be exported."""

    net: CellNet
    novelty: NoveltyModel
    unit: float
    """What the worst cell of an ordinary good picture shows, before division by it."""
    frame: Shape

    @torch.no_grad()
    def outputs(self, pixels: Pixels) -> dict[str, Array]:
        """Judge one picture in torch: what the graph must reproduce."""
        planes = torch.from_numpy(pixels.copy()).permute(2, 0, 1)[None].float()
        seen = self.net(planes, self.net.maps())
        heat = (functional.softplus(seen.logits[0]) / self.unit).numpy()
        return {
            SCORE: np.array([heat.max()], np.float32),
            HEAT: np.asarray(heat, np.float32),
            NOVELTY: self.novelty(seen.features.numpy()),
        }


def graph_of(trained: Trained) -> onnx.ModelProto:
    """Write the student as a graph; normalisation is folded, maps are constants."""
    writer = _Writer(trained)
    return writer.model()


class _Writer:
    def __init__(self, trained: Trained) -> None:
        self._trained = trained
        self._recorder = Recorder()
        with torch.no_grad():
            self._maps: CellMaps = trained.net.maps()

    def model(self) -> onnx.ModelProto:
        net, recorder, frame = self._trained.net, self._recorder, self._trained.frame
        plan = InputPlan(frame, frame.height, frame.width)
        x = record_pixels(recorder, plan)
        weight, bias = net.stem.folded()
        x = self._relu(self._conv(x, "stem", weight / np.float32(PIXEL_SCALE), bias, stride=2))
        x = self._relu(self._normed(x, "down", net.down, stride=2))
        for index, layer in enumerate(net.fine_layers):
            assert isinstance(layer, NormedConv)
            x = self._relu(self._normed(x, f"fine{index}", layer))
        logits = self._join(x, self._coarse(x))
        self._outputs(logits)
        self._trained.novelty.record(recorder, x, NOVELTY)
        rows, columns = frame.height // CELL, frame.width // CELL
        return recorder.model(
            {IMAGE: image_spec(plan)},
            {SCORE: (FLOAT, (1,)), HEAT: (FLOAT, (rows, columns)), NOVELTY: (FLOAT, (1,))},
            "picture to anomaly score, heat map and novelty, by a distilled student",
        )

    def _coarse(self, fine: str) -> str:
        net = self._trained.net
        y = self._relu(self._plus(self._normed(fine, "deep", net.deep, stride=2), "coarse"))
        for index, layer in enumerate(net.coarse_layers):
            assert isinstance(layer, NormedConv)
            mapped = self._normed(y, f"coarse{index}", layer)
            y = self._relu(self._recorder.node("Add", [mapped, y], f"coarse{index}.sum"))
        return y

    def _join(self, fine: str, coarse: str) -> str:
        net, recorder = self._trained.net, self._recorder
        y = self._conv(coarse, "from_coarse", _array(net.from_coarse.weight))
        scales = recorder.constant("enlarge.scales", np.array([1, 1, 2, 2], np.float32))
        y = recorder.node(
            "Resize",
            [y, "", scales],
            "enlarged",
            mode="nearest",
            coordinate_transformation_mode="asymmetric",
            nearest_mode="floor",
        )
        x = self._normed(fine, "from_fine", net.from_fine)
        x = self._plus(recorder.node("Add", [y, x], "joined"), "fine")
        x = self._relu(self._normed(self._relu(x), "head", net.head))
        assert net.logit.bias is not None
        return self._plus(
            self._conv(x, "logit", _array(net.logit.weight), _array(net.logit.bias)), "bias"
        )

    def _outputs(self, logits: str) -> None:
        recorder, frame = self._recorder, self._trained.frame
        size = (frame.height // CELL, frame.width // CELL)
        positive = recorder.node("Softplus", [logits], "heat.positive")
        unit = recorder.constant("heat.per_unit", np.array(1 / self._trained.unit, np.float32))
        scaled = recorder.node("Mul", [positive, unit], "heat.scaled")
        recorder.node("Reshape", [scaled, recorder.integers("heat.shape", *size)], HEAT)
        flat = recorder.node("Reshape", [scaled, recorder.integers("heat.flat", -1)], "heat.cells")
        recorder.node("ReduceMax", [flat, recorder.integers("axis.0", 0)], SCORE, keepdims=1)

    def _normed(self, x: str, name: str, layer: NormedConv, stride: int = 1) -> str:
        return self._conv(x, name, *layer.folded(), stride=stride)

    def _conv(
        self, x: str, name: str, weight: Array, bias: Array | None = None, stride: int = 1
    ) -> str:
        recorder = self._recorder
        constants = [recorder.constant(f"{name}.weight", weight)]
        if bias is not None:
            constants.append(recorder.constant(f"{name}.bias", bias))
        kernel = weight.shape[-1]
        return recorder.node(
            "Conv",
            [x, *constants],
            name,
            kernel_shape=[kernel, kernel],
            strides=[stride, stride],
            pads=[kernel // 2] * 4,
        )

    def _plus(self, x: str, name: str) -> str:
        cells = {"coarse": self._maps.coarse, "fine": self._maps.fine, "bias": self._maps.bias}
        known = self._recorder.constant(f"cells.{name}", _array(cells[name]))
        return self._recorder.node("Add", [x, known], f"{x}.with_cells")

    def _relu(self, x: str) -> str:
        return self._recorder.node("Relu", [x], f"{x}.relu")


def _array(tensor: torch.Tensor) -> Array:
    return np.asarray(tensor.detach().numpy(), np.float32)
